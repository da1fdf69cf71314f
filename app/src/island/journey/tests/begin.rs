//! How a journey begins.

use super::*;

#[test]
fn it_begins_by_itself_once_it_is_seen_and_only_once() {
    let mut page = TestPage::to(true);
    let effects = page.handle(JourneyEvent::Visible);
    assert_eq!(asked(&effects), Some(ApiCall::Begin(false)));
    // The socket opens while `begin` is in flight.
    assert!(effects.contains(&Effect::Subscribe(Some("private-a".into()))));
    assert_eq!(page.handle(JourneyEvent::Visible), []);
}

#[test]
fn it_waits_for_the_button_when_told_to() {
    let mut page = TestPage::to(false);
    for event in [
        JourneyEvent::Visible,
        JourneyEvent::Resumed,
        JourneyEvent::TimerFired,
        JourneyEvent::Subscribed,
        JourneyEvent::CancelPressed,
    ] {
        assert_eq!(page.handle(event), []);
    }
    assert_eq!(page.sentence(), sentence::READY);
    assert_eq!(
        asked(&page.handle(JourneyEvent::StartPressed)),
        Some(ApiCall::Begin(false))
    );
}

#[test]
fn the_button_stays_until_begin_has_answered() {
    let mut page = TestPage::to(true);
    page.handle(JourneyEvent::Visible);
    assert!(page.journey.view().start && !page.journey.view().cancel);
    page.answer(waiting(Step::Queued));
    assert!(!page.journey.view().start && page.journey.view().cancel);
}

#[test]
fn a_page_that_waits_for_a_mail_says_so_until_the_link_was_opened() {
    let mut page = TestPage::to(true);
    page.journey = Journey::new("private-a".into(), StartMode::Mail, 5);
    assert_eq!(
        asked(&page.handle(JourneyEvent::Visible)),
        Some(ApiCall::Begin(false))
    );
    for step in [Step::Queued, Step::Contacting] {
        page.answer(waiting(step));
        let view = page.journey.view();
        assert_eq!((view.state, view.start, view.seconds), ("mailed", false, 0));
        assert_eq!(page.sentence(), sentence::MAILED);
        page.wait_for_call();
    }
    assert_eq!(left(&page.push(confirmed("/profile"))), Some("/profile"));
}

#[test]
fn a_page_whose_form_was_sent_goes_nowhere_else_but_asks_if_it_comes_back() {
    let mut page = TestPage::to(true);
    page.journey = Journey::new("private-a".into(), StartMode::Mail, 5);
    page.handle(JourneyEvent::Visible);
    page.answer(waiting(Step::Queued));
    page.wait_for_call();
    assert_eq!(
        page.handle(JourneyEvent::FormSubmitted),
        [Effect::Unsubscribe]
    );
    assert_eq!(
        page.answer(done(rejected(Rejection::Expired))),
        [],
        "an answer that was on its way"
    );
    assert_eq!(
        asked(&page.handle(JourneyEvent::Resumed)),
        Some(ApiCall::Status)
    );
    assert_eq!(
        page.answer(waiting(Step::Queued)),
        [Effect::Subscribe(Some("private-a".into()))]
    );

    let mut page = TestPage::waiting();
    assert_eq!(
        page.handle(JourneyEvent::FormSubmitted),
        [],
        "only a page that waits for a mail has other forms"
    );
}

#[test]
fn a_double_click_begins_once() {
    let mut page = TestPage::to(false);
    page.handle(JourneyEvent::StartPressed);
    assert_eq!(page.handle(JourneyEvent::StartPressed), []);
}

#[test]
fn a_confirmation_that_is_gone_is_not_begun_anew_by_itself() {
    // Another tab may have signed out.
    let mut page = TestPage::waiting();
    page.wait_for_call();
    assert_eq!(page.answer(Progress::Unknown), [Effect::Unsubscribe]);
    assert_eq!(page.handle(JourneyEvent::Visible), []);
    let view = page.journey.view();
    assert_eq!((view.state, view.start), ("ready", true));
}

#[test]
fn a_browser_that_keeps_no_cookies_is_told_and_asks_no_more() {
    let mut page = TestPage::to(true);
    page.handle(JourneyEvent::Visible);
    assert_eq!(page.fail_call(CallError::NoCookie), [Effect::Unsubscribe]);
    assert_eq!(page.sentence(), sentence::NO_COOKIES);
    for event in [
        JourneyEvent::StartPressed,
        JourneyEvent::Visible,
        JourneyEvent::Resumed,
        JourneyEvent::TimerFired,
        JourneyEvent::Subscribed,
    ] {
        assert_eq!(asked(&page.handle(event)), None);
    }
    assert!(!page.journey.view().start && !page.journey.view().cancel);
}
