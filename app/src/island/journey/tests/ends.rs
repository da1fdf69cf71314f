//! How a journey ends without a user.

use super::*;

#[test]
fn unavailable_stays_and_can_be_tried_again_afresh() {
    let mut page = TestPage::waiting();
    assert_eq!(page.push(Outcome::Unavailable), [Effect::Unsubscribe]);
    let view = page.journey.view();
    assert_eq!(
        (view.state, view.start, view.again),
        ("unavailable", true, true)
    );
    assert_eq!(page.sentence(), sentence::UNAVAILABLE);

    let effects = page.handle(JourneyEvent::StartPressed);
    assert_eq!(asked(&effects), Some(ApiCall::Begin(true)));
    // The channel is known when `begin` has answered: the old one would only say what is over.
    assert!(effects.contains(&Effect::Subscribe(None)));
    page.answer_from("private-b", waiting(Step::Queued));
    assert!(page.journey.view().cancel);
}

#[test]
fn a_link_cancelled_earlier_is_not_run_away_from() {
    let mut page = TestPage::to(true);
    page.handle(JourneyEvent::Visible);
    assert_eq!(
        left(&page.answer(done(rejected(Rejection::Cancelled)))),
        None
    );
    assert_eq!(page.sentence(), sentence::CANCELLED);
    assert_eq!(
        asked(&page.handle(JourneyEvent::StartPressed)),
        Some(ApiCall::Begin(true))
    );
}

#[test]
fn cancel_asks_the_server_and_leaves() {
    let mut page = TestPage::waiting();
    assert_eq!(
        asked(&page.handle(JourneyEvent::CancelPressed)),
        Some(ApiCall::Cancel)
    );
    assert_eq!(
        left(&page.answer(done(rejected(Rejection::Cancelled)))),
        Some("/login?reason=cancelled")
    );
}

#[test]
fn who_cancels_is_not_signed_in_by_a_push_that_was_on_its_way() {
    let mut page = TestPage::waiting();
    page.handle(JourneyEvent::CancelPressed);
    assert_eq!(page.push(confirmed("/profile")), []);
    page.lose_call();
    assert_eq!(page.wait_for_call().0, ApiCall::Cancel);
}
