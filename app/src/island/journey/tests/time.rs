//! A page that waits, is left, and is come back to.

use super::*;

#[test]
fn without_any_push_it_finishes_by_asking() {
    let mut page = TestPage::waiting();
    assert_eq!(page.wait_for_call(), (ApiCall::Status, 5_000));
    assert_eq!(
        page.answer(waiting(Step::Contacting)),
        [Effect::Subscribe(Some("private-a".into()))]
    );
    assert_eq!(page.sentence(), sentence::CONTACTING);
    page.wait_for_call();
    assert_eq!(
        left(&page.answer(done(confirmed("/profile")))),
        Some("/profile")
    );
}

#[test]
fn a_page_that_is_told_later_says_so_until_the_outcome() {
    let mut page = TestPage::waiting();
    let announced = |step| JourneyEvent::Announced(Some(Announcement::Progress(step)));
    page.handle(announced(Step::Later { stage: None }));
    assert_eq!(page.sentence(), sentence::later(None));
    page.handle(JourneyEvent::Subscribed);
    page.answer(waiting(Step::Retrying { attempt: 2 }));
    assert_eq!(page.sentence(), sentence::later(None));
    for stage in Stage::ALL.map(Some) {
        page.handle(announced(Step::Later { stage }));
        assert_eq!(page.sentence(), sentence::later(stage));
        // One that was overtaken on its way.
        page.handle(announced(Step::Later { stage: None }));
        page.handle(announced(Step::Contacting));
        assert_eq!(page.sentence(), sentence::later(stage));
    }
    let view = page.journey.view();
    assert!(view.cancel && view.steps == 1, "{view:?}");
}

#[test]
fn coming_back_to_the_page_makes_it_ask() {
    for event in [JourneyEvent::Visible, JourneyEvent::Resumed] {
        let mut page = TestPage::waiting();
        assert_eq!(asked(&page.handle(event)), Some(ApiCall::Status));
    }
}

#[test]
fn a_page_that_was_left_and_is_restored_leaves_again() {
    let mut page = TestPage::waiting();
    page.push(confirmed("/profile"));
    assert_eq!(
        page.handle(JourneyEvent::Resumed),
        [Effect::Navigate("/profile".parse().expect("a path"))]
    );
}

#[test]
fn the_seconds_are_counted_from_the_fifth_on() {
    let mut page = TestPage::waiting();
    let mut shown = Vec::new();
    while shown.len() < 4 {
        page.wait();
        shown.push(page.journey.view().seconds);
        page.answer(waiting(Step::Contacting));
    }
    assert_eq!(shown, [5, 6, 7, 8]);
}

#[test]
fn hours_of_sleep_lose_nothing() {
    let mut page = TestPage::waiting();
    page.now += 8 * 3_600_000;
    assert_eq!(
        asked(&page.handle(JourneyEvent::TimerFired)),
        Some(ApiCall::Status)
    );
}

#[test]
fn a_page_that_asked_too_early_asks_again_soon_and_then_less_and_less_often() {
    let mut page = TestPage::to(true);
    page.handle(JourneyEvent::Visible);
    let mut pauses = Vec::new();
    for _ in 0..5 {
        page.answer(waiting(Step::Queued));
        let answered = page.now;
        while !page
            .wait()
            .iter()
            .any(|effect| matches!(effect, Effect::Call { .. }))
        {}
        pauses.push(page.now - answered);
    }
    assert_eq!(pauses, [500, 1_000, 2_000, 4_000, 5_000]);
}
