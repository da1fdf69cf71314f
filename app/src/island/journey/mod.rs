//! One sign-in as the page goes through it: what to ask the server, when, and what to show.
//!
//! Pure: [`JourneyEvent`]s go in, [`Effect`]s come out, and [`Journey::view`] says what the page
//! shows. Whatever is announced is a hint; each question that is answered sets the page right, each
//! one that is not is asked again.

mod messages;
mod view;

use super::{backoff::Moment, sentence, settings::StartMode};
use vestibule_protocol::{
    Announcement, Outcome, Progress, Rejection, Report, Step, path::LocalPath,
};

pub use messages::{ApiCall, CallError, Effect, JourneyEvent};
pub use view::View;

/// How long a call may stay unanswered, in milliseconds. The server never waits for a slow service,
/// so a call that takes longer is one whose connection has died.
const ANSWERED_WITHIN: u64 = 15_000;
/// How soon to ask again, in milliseconds, when no worker has taken the confirmation yet: nothing
/// announces that one has. Each further question waits twice as long, up to the poll interval.
const TAKEN_WITHIN: u64 = 500;
/// The most seconds to wait because the server asks for it (RFC 9110, section 10.2.3).
const MAX_PATIENCE: u32 = 120;
/// No deadline.
const NEVER: u64 = u64::MAX;

/// See the module.
#[derive(Debug)]
pub struct Journey {
    phase: Phase,
    /// The channel of the landing's cookie, worth listening to before the first `begin` has
    /// answered.
    channel: Option<String>,
    /// Whether to begin without a click, once the page is visible.
    auto: bool,
    /// What it was opened for.
    start: StartMode,
    /// Milliseconds from an answer to the next question.
    poll: u64,
    /// How soon to ask again whether a worker has taken the confirmation.
    taken_within: u64,
    /// The number of the latest call; answers to earlier ones are out of date.
    call: u32,
    in_flight: bool,
    /// Something happened that the call in flight may be too early to know.
    stale: bool,
    /// Calls that failed in a row, and why the last one did.
    failures: u32,
    error: CallError,
    /// When the call in flight is given up, or the next one is made.
    due: u64,
    /// When it began.
    since: u64,
    seconds: u32,
}

#[derive(Debug)]
enum Phase {
    Ready,
    Beginning {
        again: bool,
    },
    Waiting(Step),
    Cancelling(Step),
    Unavailable,
    Cancelled,
    /// The browser keeps no cookies, so that nothing was begun.
    NoCookie,
    Leaving {
        path: LocalPath,
        sentence: &'static str,
    },
}

impl Journey {
    /// A page that has just been opened.
    #[must_use]
    pub fn new(channel: String, start: StartMode, poll_seconds: u32) -> Self {
        Self {
            phase: Phase::Ready,
            channel: Some(channel),
            auto: start != StartMode::Click,
            start,
            poll: u64::from(poll_seconds) * 1_000,
            taken_within: TAKEN_WITHIN,
            call: 0,
            in_flight: false,
            stale: false,
            failures: 0,
            error: CallError::Lost,
            due: NEVER,
            since: 0,
            seconds: 0,
        }
    }

    /// When [`JourneyEvent::TimerFired`] is wanted.
    #[must_use]
    pub fn next(&self) -> u64 {
        match self.phase {
            // From the fifth second on, each is shown.
            Phase::Beginning { .. } | Phase::Waiting(_) | Phase::Cancelling(_) => self
                .due
                .min(self.since + u64::from(self.seconds.max(4) + 1) * 1_000),
            _ => NEVER,
        }
    }

    /// Takes an event.
    pub fn handle(&mut self, event: JourneyEvent, at: Moment) -> Vec<Effect> {
        let mut effects = Vec::new();
        let effects = &mut effects;
        match event {
            JourneyEvent::StartPressed => self.start(at, effects),
            JourneyEvent::CancelPressed => {
                if let Phase::Waiting(step) = self.phase {
                    self.phase = Phase::Cancelling(step);
                    self.ask(at, effects);
                }
            }
            JourneyEvent::Answer { call, report } => {
                if self.in_flight && call == self.call {
                    self.in_flight = false;
                    self.answer(report, at, effects);
                }
            }
            JourneyEvent::Subscribed => self.recheck(at, effects),
            JourneyEvent::Announced(announcement) => self.announced(announcement, at, effects),
            JourneyEvent::Visible => {
                if std::mem::take(&mut self.auto) {
                    self.start(at, effects);
                } else if self.in_flight {
                    self.stale = matches!(self.phase, Phase::Waiting(_));
                } else {
                    self.ask(at, effects);
                }
            }
            JourneyEvent::Resumed => match &self.phase {
                Phase::Leaving { path, .. } => effects.push(Effect::Navigate(path.clone())),
                _ => self.ask(at, effects),
            },
            // What is announced meanwhile must not take the browser elsewhere: to have another link
            // sent ends this one.
            JourneyEvent::FormSubmitted if self.start == StartMode::Mail => {
                self.call += 1;
                self.in_flight = false;
                self.due = NEVER;
                effects.push(Effect::Unsubscribe);
            }
            JourneyEvent::FormSubmitted => {}
            JourneyEvent::TimerFired => self.fall_due(at, effects),
        }
        std::mem::take(effects)
    }

    fn start(&mut self, at: Moment, effects: &mut Vec<Effect>) {
        let again = match self.phase {
            Phase::Ready => false,
            Phase::Unavailable | Phase::Cancelled => true,
            // The button is still there because nothing has answered yet: do not make them wait for
            // the next attempt.
            Phase::Beginning { .. } if !self.in_flight => return self.ask(at, effects),
            _ => return,
        };
        self.auto = false;
        self.phase = Phase::Beginning { again };
        self.since = at.now;
        self.seconds = 0;
        self.taken_within = TAKEN_WITHIN;
        // A later one gets a channel of its own, with the reply.
        effects.push(Effect::Subscribe(self.channel.take()));
        self.ask(at, effects);
    }

    /// Asks what the phase needs to know. An earlier call that has not been answered counts no
    /// more.
    fn ask(&mut self, at: Moment, effects: &mut Vec<Effect>) {
        let request = match self.phase {
            Phase::Beginning { again } => ApiCall::Begin(again),
            Phase::Waiting(_) => ApiCall::Status,
            Phase::Cancelling(_) => ApiCall::Cancel,
            _ => return,
        };
        self.call += 1;
        self.in_flight = true;
        self.stale = false;
        self.due = at.now + ANSWERED_WITHIN;
        effects.push(Effect::Call {
            call: self.call,
            request,
        });
    }

    /// The page's state may be out of date: ask now, or once the call in flight is answered.
    fn recheck(&mut self, at: Moment, effects: &mut Vec<Effect>) {
        self.stale = true;
        if !self.in_flight && matches!(self.phase, Phase::Waiting(_)) {
            self.ask(at, effects);
        }
    }

    fn answer(&mut self, report: Result<Report, CallError>, at: Moment, effects: &mut Vec<Effect>) {
        let Report { channel, progress } = match report {
            Ok(report) => report,
            // Asking again is useless: what is shown does not change until the page is opened
            // again.
            Err(CallError::NoCookie) => return self.settle(Phase::NoCookie, effects),
            Err(error) => return self.fail(error, at),
        };
        self.failures = 0;
        match progress {
            Progress::Waiting(step) => {
                // An announcement may have overtaken this answer.
                let step = self.step().map_or(step, |shown| shown.max(step));
                self.phase = Phase::Waiting(step);
                effects.push(Effect::Subscribe(channel));
                self.due = at.now + self.pause(step);
                if self.stale {
                    self.ask(at, effects);
                }
            }
            Progress::Done(outcome) => self.conclude(outcome, effects),
            // Gone: signed out in another tab, or long ago. Do not begin again.
            Progress::Unknown => self.settle(Phase::Ready, effects),
        }
    }

    /// The step that is shown.
    fn step(&self) -> Option<Step> {
        match self.phase {
            Phase::Waiting(step) | Phase::Cancelling(step) => Some(step),
            _ => None,
        }
    }

    /// How long to wait with the next question.
    fn pause(&mut self, step: Step) -> u64 {
        if step > Step::Queued {
            return self.poll;
        }
        let pause = self.taken_within.min(self.poll);
        self.taken_within = pause * 2;
        pause
    }

    fn announced(
        &mut self,
        announcement: Option<Announcement>,
        at: Moment,
        effects: &mut Vec<Effect>,
    ) {
        // A user who pressed Cancel wants its answer, not an outcome that crossed it on the way.
        if !matches!(self.phase, Phase::Beginning { .. } | Phase::Waiting(_)) {
            return;
        }
        match announcement {
            Some(Announcement::Outcome(outcome)) => self.conclude(outcome, effects),
            Some(Announcement::Progress(step)) => {
                if let Phase::Waiting(shown) = &mut self.phase {
                    // One that was overtaken on its way says nothing new.
                    *shown = step.max(*shown);
                }
            }
            None => self.recheck(at, effects),
        }
    }

    /// Takes the page to its outcome.
    fn conclude(&mut self, outcome: Outcome, effects: &mut Vec<Effect>) {
        let beginning = matches!(self.phase, Phase::Beginning { .. });
        let (path, sentence) = match outcome {
            Outcome::Unavailable => {
                return self.settle(Phase::Unavailable, effects);
            }
            // `begin` found one that was cancelled earlier. A user who opens the link again may
            // have changed their mind.
            Outcome::Rejected {
                reason: Rejection::Cancelled,
                ..
            } if beginning => {
                return self.settle(Phase::Cancelled, effects);
            }
            Outcome::Confirmed { redirect } => (redirect, sentence::CONFIRMED),
            Outcome::Rejected { redirect, .. } => (redirect, sentence::REJECTED),
        };
        self.settle(
            Phase::Leaving {
                path: path.clone(),
                sentence,
            },
            effects,
        );
        effects.push(Effect::Navigate(path));
    }

    /// Nothing more will happen by itself.
    fn settle(&mut self, phase: Phase, effects: &mut Vec<Effect>) {
        self.phase = phase;
        self.in_flight = false;
        self.failures = 0;
        self.seconds = 0;
        self.due = NEVER;
        effects.push(Effect::Unsubscribe);
    }

    fn fail(&mut self, error: CallError, at: Moment) {
        self.in_flight = false;
        self.failures += 1;
        self.error = error;
        let patience = match error {
            CallError::Lost | CallError::NoCookie => 0,
            CallError::Busy(seconds) | CallError::TooMany(seconds) => seconds.min(MAX_PATIENCE),
        };
        self.due = at.retry(self.failures) + u64::from(patience) * 1_000;
    }

    fn fall_due(&mut self, at: Moment, effects: &mut Vec<Effect>) {
        if self.next() == NEVER {
            return;
        }
        self.seconds = u32::try_from(at.now.saturating_sub(self.since) / 1_000).unwrap_or(u32::MAX);
        if at.now < self.due {
            return;
        }
        if self.in_flight {
            self.fail(CallError::Lost, at);
        } else {
            self.ask(at, effects);
        }
    }
}

#[cfg(test)]
mod tests;
