//! What is pushed to the page.

use super::*;

#[test]
fn a_pushed_outcome_takes_the_page_away() {
    let mut page = TestPage::waiting();
    let effects = page.push(confirmed("/profile"));
    assert_eq!(
        effects,
        [
            Effect::Unsubscribe,
            Effect::Navigate("/profile".parse().expect("a path"))
        ]
    );
    assert_eq!(page.sentence(), sentence::CONFIRMED);
    assert_eq!(page.journey.next(), u64::MAX);

    let mut page = TestPage::waiting();
    assert_eq!(
        left(&page.push(rejected(Rejection::Expired))),
        Some("/login?reason=expired")
    );
    assert_eq!(page.sentence(), sentence::REJECTED);
}

#[test]
fn a_pushed_path_to_another_origin_is_ignored_and_the_server_asked() {
    for path in [
        "//evil.example",
        "/\\evil.example",
        "https://evil.example/",
        "javascript:alert(1)",
        "",
    ] {
        let data = serde_json::json!({ "outcome": "confirmed", "redirect": path }).to_string();
        let frame = serde_json::json!({ "event": "outcome", "channel": "private-a", "data": data });
        let PusherFrame::Announced(_, announcement) = frames::read(&frame.to_string()) else {
            panic!("{frame} is an announcement");
        };
        let mut page = TestPage::waiting();
        let effects = page.handle(JourneyEvent::Announced(announcement));
        assert_eq!(left(&effects), None, "{path}");
        assert_eq!(asked(&effects), Some(ApiCall::Status), "{path}");
    }
}

#[test]
fn a_push_that_makes_no_sense_makes_it_ask() {
    let mut page = TestPage::waiting();
    assert_eq!(
        asked(&page.handle(JourneyEvent::Announced(None))),
        Some(ApiCall::Status)
    );
}

#[test]
fn a_pushed_step_changes_the_sentence() {
    let mut page = TestPage::waiting();
    let step = Step::Retrying { attempt: 3 };
    assert_eq!(
        page.handle(JourneyEvent::Announced(Some(Announcement::Progress(step)))),
        []
    );
    assert_eq!(page.sentence(), sentence::retrying(3));
}

#[test]
fn every_subscription_makes_it_ask() {
    let mut page = TestPage::waiting();
    for _ in 0..2 {
        assert_eq!(
            asked(&page.handle(JourneyEvent::Subscribed)),
            Some(ApiCall::Status)
        );
        page.answer(waiting(Step::Contacting));
    }
}

#[test]
fn an_answer_read_before_the_subscription_is_asked_for_again() {
    // The outcome may have been announced between the two, when no one was subscribed.
    let mut page = TestPage::to(true);
    page.handle(JourneyEvent::Visible);
    assert_eq!(asked(&page.handle(JourneyEvent::Subscribed)), None);
    assert_eq!(
        asked(&page.answer(waiting(Step::Queued))),
        Some(ApiCall::Status)
    );
    assert_eq!(asked(&page.answer(waiting(Step::Queued))), None);

    let mut page = TestPage::waiting();
    page.wait_for_call();
    page.handle(JourneyEvent::Subscribed);
    assert_eq!(
        asked(&page.answer(waiting(Step::Contacting))),
        Some(ApiCall::Status)
    );
}

#[test]
fn another_channel_in_an_answer_is_the_one_to_listen_to() {
    let mut page = TestPage::to(true);
    page.handle(JourneyEvent::Visible);
    let effects = page.answer_from("private-b", waiting(Step::Queued));
    assert_eq!(effects, [Effect::Subscribe(Some("private-b".into()))]);
}

#[test]
fn an_answer_that_a_push_has_overtaken_does_not_take_the_page_back() {
    let mut page = TestPage::waiting();
    page.handle(JourneyEvent::Subscribed);
    let retrying = Announcement::Progress(Step::Retrying { attempt: 2 });
    page.handle(JourneyEvent::Announced(Some(retrying)));
    page.answer(waiting(Step::Contacting));
    assert_eq!(page.journey.view().sentence.text(), sentence::retrying(2));
}
