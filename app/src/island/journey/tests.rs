//! Whole journeys, told as what happens to a page and what it does.

use super::{ANSWERED_WITHIN, Effect, Event, Journey, MAX_PATIENCE, Moment, Request, Setback};
use crate::island::{
    protocol::{self, Frame},
    sentence,
    settings::Start,
};
use vestibule_protocol::{Announcement, Outcome, Progress, Rejection, Report, Step};

/// A page with a clock that the test turns.
struct Visit {
    journey: Journey,
    now: u64,
    call: u32,
}

impl Visit {
    fn to(auto: bool) -> Self {
        Self {
            journey: Journey::new(
                "private-a".into(),
                if auto { Start::Auto } else { Start::Click },
                5,
            ),
            now: 1_000,
            call: 0,
        }
    }

    /// One whose `begin` has been answered: it waits.
    fn waiting() -> Self {
        let mut visit = Self::to(true);
        visit.hear(Event::Seen);
        visit.answer(waiting(Step::Contacting));
        visit
    }

    fn hear(&mut self, event: Event) -> Vec<Effect> {
        let effects = self.journey.hear(
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
        self.hear(Event::Answer {
            call: self.call,
            report,
        })
    }

    fn lose_call(&mut self) -> Vec<Effect> {
        self.set_back(Setback::Lost)
    }

    fn set_back(&mut self, setback: Setback) -> Vec<Effect> {
        self.hear(Event::Answer {
            call: self.call,
            report: Err(setback),
        })
    }

    fn push(&mut self, outcome: Outcome) -> Vec<Effect> {
        self.hear(Event::Announced(Some(Announcement::Outcome(outcome))))
    }

    /// Turns the clock to the next time the journey wants, as the timer does.
    fn wait(&mut self) -> Vec<Effect> {
        self.now = self.journey.next();
        assert_ne!(self.now, u64::MAX, "nothing is due");
        self.hear(Event::Due)
    }

    /// Waits until it asks something, and says what and after how many milliseconds.
    fn wait_for_call(&mut self) -> (Request, u64) {
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

fn asked(effects: &[Effect]) -> Option<Request> {
    effects.iter().find_map(|effect| match effect {
        Effect::Call { request, .. } => Some(*request),
        _ => None,
    })
}

fn left(effects: &[Effect]) -> Option<&str> {
    effects.iter().find_map(|effect| match effect {
        Effect::Leave(path) => Some(path.as_str()),
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
    let mut visit = Visit::to(true);
    let effects = visit.hear(Event::Seen);
    assert_eq!(asked(&effects), Some(Request::Begin(false)));
    // The socket opens while `begin` is in flight.
    assert!(effects.contains(&Effect::Listen(Some("private-a".into()))));
    assert_eq!(visit.hear(Event::Seen), []);
}

#[test]
fn it_waits_for_the_button_when_told_to() {
    let mut visit = Visit::to(false);
    for event in [
        Event::Seen,
        Event::Woken,
        Event::Due,
        Event::Subscribed,
        Event::Cancel,
    ] {
        assert_eq!(visit.hear(event), []);
    }
    assert_eq!(visit.sentence(), sentence::READY);
    assert_eq!(
        asked(&visit.hear(Event::Start)),
        Some(Request::Begin(false))
    );
}

#[test]
fn the_button_stays_until_begin_has_answered() {
    let mut visit = Visit::to(true);
    visit.hear(Event::Seen);
    assert!(visit.journey.view().start && !visit.journey.view().cancel);
    visit.answer(waiting(Step::Queued));
    assert!(!visit.journey.view().start && visit.journey.view().cancel);
}

#[test]
fn a_page_that_waits_for_a_mail_says_so_until_the_link_was_opened() {
    let mut visit = Visit::to(true);
    visit.journey = Journey::new("private-a".into(), Start::Mail, 5);
    assert_eq!(asked(&visit.hear(Event::Seen)), Some(Request::Begin(false)));
    for step in [Step::Queued, Step::Contacting] {
        visit.answer(waiting(step));
        let view = visit.journey.view();
        assert_eq!((view.state, view.start, view.seconds), ("mailed", false, 0));
        assert_eq!(visit.sentence(), sentence::MAILED);
        visit.wait_for_call();
    }
    assert_eq!(left(&visit.push(confirmed("/profile"))), Some("/profile"));
}

#[test]
fn a_page_whose_form_was_sent_goes_nowhere_else_but_asks_if_it_comes_back() {
    let mut visit = Visit::to(true);
    visit.journey = Journey::new("private-a".into(), Start::Mail, 5);
    visit.hear(Event::Seen);
    visit.answer(waiting(Step::Queued));
    visit.wait_for_call();
    assert_eq!(visit.hear(Event::Sent), [Effect::Hush]);
    assert_eq!(
        visit.answer(done(rejected(Rejection::Expired))),
        [],
        "an answer that was on its way"
    );
    assert_eq!(asked(&visit.hear(Event::Woken)), Some(Request::Status));
    assert_eq!(
        visit.answer(waiting(Step::Queued)),
        [Effect::Listen(Some("private-a".into()))]
    );

    let mut visit = Visit::waiting();
    assert_eq!(
        visit.hear(Event::Sent),
        [],
        "only a page that waits for a mail has other forms"
    );
}

#[test]
fn a_double_click_begins_once() {
    let mut visit = Visit::to(false);
    visit.hear(Event::Start);
    assert_eq!(visit.hear(Event::Start), []);
}

#[test]
fn a_pushed_outcome_takes_the_page_away() {
    let mut visit = Visit::waiting();
    let effects = visit.push(confirmed("/profile"));
    assert_eq!(
        effects,
        [
            Effect::Hush,
            Effect::Leave("/profile".parse().expect("a path"))
        ]
    );
    assert_eq!(visit.sentence(), sentence::CONFIRMED);
    assert_eq!(visit.journey.next(), u64::MAX);

    let mut visit = Visit::waiting();
    assert_eq!(
        left(&visit.push(rejected(Rejection::Expired))),
        Some("/login?reason=expired")
    );
    assert_eq!(visit.sentence(), sentence::REJECTED);
}

#[test]
fn without_any_push_it_finishes_by_asking() {
    let mut visit = Visit::waiting();
    assert_eq!(visit.wait_for_call(), (Request::Status, 5_000));
    assert_eq!(
        visit.answer(waiting(Step::Contacting)),
        [Effect::Listen(Some("private-a".into()))]
    );
    assert_eq!(visit.sentence(), sentence::CONTACTING);
    visit.wait_for_call();
    assert_eq!(
        left(&visit.answer(done(confirmed("/profile")))),
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
        let Frame::Announced(_, announcement) = protocol::read(&frame.to_string()) else {
            panic!("{frame} is an announcement");
        };
        let mut visit = Visit::waiting();
        let effects = visit.hear(Event::Announced(announcement));
        assert_eq!(left(&effects), None, "{path}");
        assert_eq!(asked(&effects), Some(Request::Status), "{path}");
    }
}

#[test]
fn a_push_that_makes_no_sense_makes_it_ask() {
    let mut visit = Visit::waiting();
    assert_eq!(
        asked(&visit.hear(Event::Announced(None))),
        Some(Request::Status)
    );
}

#[test]
fn a_pushed_step_changes_the_sentence() {
    let mut visit = Visit::waiting();
    let step = Step::Retrying { attempt: 3 };
    assert_eq!(
        visit.hear(Event::Announced(Some(Announcement::Progress(step)))),
        []
    );
    assert_eq!(visit.sentence(), sentence::retrying(3));
}

#[test]
fn every_subscription_makes_it_ask() {
    let mut visit = Visit::waiting();
    for _ in 0..2 {
        assert_eq!(asked(&visit.hear(Event::Subscribed)), Some(Request::Status));
        visit.answer(waiting(Step::Contacting));
    }
}

#[test]
fn an_answer_read_before_the_subscription_is_asked_for_again() {
    // The outcome may have been announced between the two, when no one was subscribed.
    let mut visit = Visit::to(true);
    visit.hear(Event::Seen);
    assert_eq!(asked(&visit.hear(Event::Subscribed)), None);
    assert_eq!(
        asked(&visit.answer(waiting(Step::Queued))),
        Some(Request::Status)
    );
    assert_eq!(asked(&visit.answer(waiting(Step::Queued))), None);

    let mut visit = Visit::waiting();
    visit.wait_for_call();
    visit.hear(Event::Subscribed);
    assert_eq!(
        asked(&visit.answer(waiting(Step::Contacting))),
        Some(Request::Status)
    );
}

#[test]
fn another_channel_in_an_answer_is_the_one_to_listen_to() {
    let mut visit = Visit::to(true);
    visit.hear(Event::Seen);
    let effects = visit.answer_from("private-b", waiting(Step::Queued));
    assert_eq!(effects, [Effect::Listen(Some("private-b".into()))]);
}

#[test]
fn coming_back_to_the_page_makes_it_ask() {
    for event in [Event::Seen, Event::Woken] {
        let mut visit = Visit::waiting();
        assert_eq!(asked(&visit.hear(event)), Some(Request::Status));
    }
}

#[test]
fn a_call_lost_while_the_page_was_away_is_made_again_and_its_late_answer_ignored() {
    let mut visit = Visit::waiting();
    visit.wait_for_call();
    let lost = visit.call;
    assert_eq!(asked(&visit.hear(Event::Woken)), Some(Request::Status));
    let report = Ok(Report {
        channel: Some("private-z".into()),
        progress: waiting(Step::Queued),
    });
    assert_eq!(visit.hear(Event::Answer { call: lost, report }), []);
}

#[test]
fn calls_that_fail_are_said_to_and_repeated_until_one_is_answered() {
    let mut visit = Visit::to(true);
    visit.hear(Event::Seen);
    let mut waits = Vec::new();
    for _ in 0..4 {
        visit.lose_call();
        assert_eq!(visit.sentence(), sentence::INTERRUPTED);
        let (request, wait) = visit.wait_for_call();
        assert_eq!(request, Request::Begin(false));
        waits.push(wait);
    }
    assert_eq!(waits, [250, 500, 750, 750]);
    visit.answer(waiting(Step::Contacting));
    assert_eq!(visit.sentence(), sentence::CONTACTING);
    assert_eq!(visit.wait_for_call(), (Request::Status, 5_000));
}

#[test]
fn a_server_that_asks_for_patience_is_given_it_and_the_page_says_why() {
    for (setback, said, patience) in [
        (Setback::Busy(5), sentence::BUSY, 5_000),
        (Setback::TooMany(60), sentence::TOO_MANY, 60_000),
        (
            Setback::Busy(86_400),
            sentence::BUSY,
            u64::from(MAX_PATIENCE) * 1_000,
        ),
    ] {
        let mut visit = Visit::to(true);
        visit.hear(Event::Seen);
        visit.set_back(setback);
        assert_eq!(visit.sentence(), said);
        assert_eq!(
            visit.wait_for_call(),
            (Request::Begin(false), patience + 250)
        );
        visit.answer(waiting(Step::Contacting));
        assert_eq!(visit.sentence(), sentence::CONTACTING);
    }
}

#[test]
fn a_call_that_is_never_answered_is_given_up() {
    let mut visit = Visit::waiting();
    visit.wait_for_call();
    let (request, wait) = visit.wait_for_call();
    assert_eq!((request, wait), (Request::Status, ANSWERED_WITHIN + 250));
}

#[test]
fn pressing_the_button_again_does_not_wait_for_the_next_attempt() {
    let mut visit = Visit::to(false);
    visit.hear(Event::Start);
    visit.lose_call();
    assert_eq!(
        asked(&visit.hear(Event::Start)),
        Some(Request::Begin(false))
    );
}

#[test]
fn unavailable_stays_and_can_be_tried_again_afresh() {
    let mut visit = Visit::waiting();
    assert_eq!(visit.push(Outcome::Unavailable), [Effect::Hush]);
    let view = visit.journey.view();
    assert_eq!(
        (view.state, view.start, view.again),
        ("unavailable", true, true)
    );
    assert_eq!(visit.sentence(), sentence::UNAVAILABLE);

    let effects = visit.hear(Event::Start);
    assert_eq!(asked(&effects), Some(Request::Begin(true)));
    // The channel is known when `begin` has answered: the old one would only say what is over.
    assert!(effects.contains(&Effect::Listen(None)));
    visit.answer_from("private-b", waiting(Step::Queued));
    assert!(visit.journey.view().cancel);
}

#[test]
fn a_link_cancelled_earlier_is_not_run_away_from() {
    let mut visit = Visit::to(true);
    visit.hear(Event::Seen);
    assert_eq!(
        left(&visit.answer(done(rejected(Rejection::Cancelled)))),
        None
    );
    assert_eq!(visit.sentence(), sentence::CANCELLED);
    assert_eq!(asked(&visit.hear(Event::Start)), Some(Request::Begin(true)));
}

#[test]
fn cancel_asks_the_server_and_leaves() {
    let mut visit = Visit::waiting();
    assert_eq!(asked(&visit.hear(Event::Cancel)), Some(Request::Cancel));
    assert_eq!(
        left(&visit.answer(done(rejected(Rejection::Cancelled)))),
        Some("/login?reason=cancelled")
    );
}

#[test]
fn who_cancels_is_not_signed_in_by_a_push_that_was_on_its_way() {
    let mut visit = Visit::waiting();
    visit.hear(Event::Cancel);
    assert_eq!(visit.push(confirmed("/profile")), []);
    visit.lose_call();
    assert_eq!(visit.wait_for_call().0, Request::Cancel);
}

#[test]
fn a_confirmation_that_is_gone_is_not_begun_anew_by_itself() {
    // Another tab may have signed out.
    let mut visit = Visit::waiting();
    visit.wait_for_call();
    assert_eq!(visit.answer(Progress::Unknown), [Effect::Hush]);
    assert_eq!(visit.hear(Event::Seen), []);
    let view = visit.journey.view();
    assert_eq!((view.state, view.start), ("ready", true));
}

#[test]
fn a_page_that_was_left_and_is_restored_leaves_again() {
    let mut visit = Visit::waiting();
    visit.push(confirmed("/profile"));
    assert_eq!(
        visit.hear(Event::Woken),
        [Effect::Leave("/profile".parse().expect("a path"))]
    );
}

#[test]
fn the_seconds_are_counted_from_the_fifth_on() {
    let mut visit = Visit::waiting();
    let mut shown = Vec::new();
    while shown.len() < 4 {
        visit.wait();
        shown.push(visit.journey.view().seconds);
        visit.answer(waiting(Step::Contacting));
    }
    assert_eq!(shown, [5, 6, 7, 8]);
}

#[test]
fn hours_of_sleep_lose_nothing() {
    let mut visit = Visit::waiting();
    visit.now += 8 * 3_600_000;
    assert_eq!(asked(&visit.hear(Event::Due)), Some(Request::Status));
}

#[test]
fn a_page_that_asked_too_early_asks_again_soon_and_then_less_and_less_often() {
    let mut visit = Visit::to(true);
    visit.hear(Event::Seen);
    let mut pauses = Vec::new();
    for _ in 0..5 {
        visit.answer(waiting(Step::Queued));
        let answered = visit.now;
        while !visit
            .wait()
            .iter()
            .any(|effect| matches!(effect, Effect::Call { .. }))
        {}
        pauses.push(visit.now - answered);
    }
    assert_eq!(pauses, [500, 1_000, 2_000, 4_000, 5_000]);
}

#[test]
fn an_answer_that_a_push_has_overtaken_does_not_take_the_page_back() {
    let mut visit = Visit::waiting();
    visit.hear(Event::Subscribed);
    let retrying = Announcement::Progress(Step::Retrying { attempt: 2 });
    visit.hear(Event::Announced(Some(retrying)));
    visit.answer(waiting(Step::Contacting));
    assert_eq!(visit.journey.view().sentence.text(), sentence::retrying(2));
}

#[test]
fn a_browser_that_keeps_no_cookies_is_told_and_asks_no_more() {
    let mut visit = Visit::to(true);
    visit.hear(Event::Seen);
    assert_eq!(visit.set_back(Setback::NoCookie), [Effect::Hush]);
    assert_eq!(visit.sentence(), sentence::NO_COOKIES);
    for event in [
        Event::Start,
        Event::Seen,
        Event::Woken,
        Event::Due,
        Event::Subscribed,
    ] {
        assert_eq!(asked(&visit.hear(event)), None);
    }
    assert!(!visit.journey.view().start && !visit.journey.view().cancel);
}
