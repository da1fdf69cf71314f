//! Calls that fail, are lost, or are told to wait.

use super::*;

#[test]
fn a_call_lost_while_the_page_was_away_is_made_again_and_its_late_answer_ignored() {
    let mut page = TestPage::waiting();
    page.wait_for_call();
    let lost = page.call;
    assert_eq!(
        asked(&page.handle(JourneyEvent::Resumed)),
        Some(ApiCall::Status)
    );
    let report = Ok(Report {
        channel: Some("private-z".into()),
        progress: waiting(Step::Queued),
    });
    assert_eq!(page.handle(JourneyEvent::Answer { call: lost, report }), []);
}

#[test]
fn calls_that_fail_are_said_to_and_repeated_until_one_is_answered() {
    let mut page = TestPage::to(true);
    page.handle(JourneyEvent::Visible);
    let mut waits = Vec::new();
    for _ in 0..4 {
        page.lose_call();
        assert_eq!(page.sentence(), sentence::INTERRUPTED);
        let (request, wait) = page.wait_for_call();
        assert_eq!(request, ApiCall::Begin(false));
        waits.push(wait);
    }
    assert_eq!(waits, [250, 500, 750, 750]);
    page.answer(waiting(Step::Contacting));
    assert_eq!(page.sentence(), sentence::CONTACTING);
    assert_eq!(page.wait_for_call(), (ApiCall::Status, 5_000));
}

#[test]
fn a_server_that_asks_for_patience_is_given_it_and_the_page_says_why() {
    for (error, said, patience) in [
        (CallError::Busy(5), sentence::BUSY, 5_000),
        (CallError::TooMany(60), sentence::TOO_MANY, 60_000),
        (
            CallError::Busy(86_400),
            sentence::BUSY,
            u64::from(MAX_PATIENCE) * 1_000,
        ),
    ] {
        let mut page = TestPage::to(true);
        page.handle(JourneyEvent::Visible);
        page.fail_call(error);
        assert_eq!(page.sentence(), said);
        assert_eq!(
            page.wait_for_call(),
            (ApiCall::Begin(false), patience + 250)
        );
        page.answer(waiting(Step::Contacting));
        assert_eq!(page.sentence(), sentence::CONTACTING);
    }
}

#[test]
fn a_call_that_is_never_answered_is_given_up() {
    let mut page = TestPage::waiting();
    page.wait_for_call();
    let (request, wait) = page.wait_for_call();
    assert_eq!((request, wait), (ApiCall::Status, ANSWERED_WITHIN + 250));
}

#[test]
fn pressing_the_button_again_does_not_wait_for_the_next_attempt() {
    let mut page = TestPage::to(false);
    page.handle(JourneyEvent::StartPressed);
    page.lose_call();
    assert_eq!(
        asked(&page.handle(JourneyEvent::StartPressed)),
        Some(ApiCall::Begin(false))
    );
}
