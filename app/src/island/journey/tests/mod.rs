//! Whole journeys, told as what happens to a page and what it does.

mod begin;
mod calls;
mod ends;
mod push;
mod time;

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
