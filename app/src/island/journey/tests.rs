//! Whole journeys, told as what happens to a page and what it does.

use super::{
    ANSWERED_WITHIN, ApiCall, CallError, Effect, Journey, JourneyEvent, MAX_PATIENCE, Moment,
};
use crate::island::{
    frames::{self, PusherFrame},
    sentence,
    settings::StartMode,
};
use vestibule_protocol::{Announcement, Outcome, Progress, Rejection, Report, Stage, Step};

/// A page with a clock that the test turns.
struct TestPage {
    journey: Journey,
    now: u64,
    call: u32,
}

impl TestPage {
    fn to(auto: bool) -> Self {
        Self {
            journey: Journey::new(
                "private-a".into(),
                if auto {
                    StartMode::Auto
                } else {
                    StartMode::Click
                },
                5,
            ),
            now: 1_000,
            call: 0,
        }
    }

    /// One whose `begin` has been answered: it waits.
    fn waiting() -> Self {
        let mut page = Self::to(true);
        page.handle(JourneyEvent::Visible);
        page.answer(waiting(Step::Contacting));
        page
    }

    fn handle(&mut self, event: JourneyEvent) -> Vec<Effect> {
        let effects = self.journey.handle(
            event,
            Moment {
                now: self.now,
                random: 0.5,
            },
        );
        for effect in &effects {
            if let Effect::Call { call, .. } = effect {
                self.call = *call;
            }
        }
        effects
    }

    fn answer(&mut self, progress: Progress) -> Vec<Effect> {
        self.answer_from("private-a", progress)
    }

    fn answer_from(&mut self, channel: &str, progress: Progress) -> Vec<Effect> {
        let report = Ok(Report {
            channel: Some(channel.into()),
            progress,
        });
        self.handle(JourneyEvent::Answer {
            call: self.call,
            report,
        })
    }

    fn lose_call(&mut self) -> Vec<Effect> {
        self.fail_call(CallError::Lost)
    }

    fn fail_call(&mut self, error: CallError) -> Vec<Effect> {
        self.handle(JourneyEvent::Answer {
            call: self.call,
            report: Err(error),
        })
    }

    fn push(&mut self, outcome: Outcome) -> Vec<Effect> {
        self.handle(JourneyEvent::Announced(Some(Announcement::Outcome(
            outcome,
        ))))
    }

    /// Turns the clock to the next time the journey wants, as the timer does.
    fn wait(&mut self) -> Vec<Effect> {
        self.now = self.journey.next();
        assert_ne!(self.now, u64::MAX, "nothing is due");
        self.handle(JourneyEvent::TimerFired)
    }

    /// Waits until it asks something, and says what and after how many milliseconds.
    fn wait_for_call(&mut self) -> (ApiCall, u64) {
        let start = self.now;
        loop {
            if let Some(request) = asked(&self.wait()) {
                return (request, self.now - start);
            }
        }
    }

    fn sentence(&self) -> String {
        self.journey.view().sentence.text()
    }
}

fn asked(effects: &[Effect]) -> Option<ApiCall> {
    effects.iter().find_map(|effect| match effect {
        Effect::Call { request, .. } => Some(*request),
        _ => None,
    })
}

fn left(effects: &[Effect]) -> Option<&str> {
    effects.iter().find_map(|effect| match effect {
        Effect::Navigate(path) => Some(path.as_str()),
        _ => None,
    })
}

fn waiting(step: Step) -> Progress {
    Progress::Waiting(step)
}

fn confirmed(redirect: &str) -> Outcome {
    Outcome::Confirmed {
        redirect: redirect.parse().expect("a path"),
    }
}

fn rejected(reason: Rejection) -> Outcome {
    let redirect = format!("/login?reason={}", reason.as_str());
    Outcome::Rejected {
        reason,
        redirect: redirect.parse().expect("a path"),
    }
}

fn done(outcome: Outcome) -> Progress {
    Progress::Done(outcome)
}

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
fn coming_back_to_the_page_makes_it_ask() {
    for event in [JourneyEvent::Visible, JourneyEvent::Resumed] {
        let mut page = TestPage::waiting();
        assert_eq!(asked(&page.handle(event)), Some(ApiCall::Status));
    }
}

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

#[test]
fn an_answer_that_a_push_has_overtaken_does_not_take_the_page_back() {
    let mut page = TestPage::waiting();
    page.handle(JourneyEvent::Subscribed);
    let retrying = Announcement::Progress(Step::Retrying { attempt: 2 });
    page.handle(JourneyEvent::Announced(Some(retrying)));
    page.answer(waiting(Step::Contacting));
    assert_eq!(page.journey.view().sentence.text(), sentence::retrying(2));
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
