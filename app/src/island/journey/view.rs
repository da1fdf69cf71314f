//! What a journey looks like from outside.

use super::{CallError, Journey, Phase};
use crate::island::{
    sentence::{self, Sentence},
    settings::StartMode,
};
use vestibule_protocol::Step;

/// What the page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// The page's state in one word, for its style.
    pub state: &'static str,
    /// What is happening.
    pub sentence: Sentence,
    /// How many of the steps lie behind.
    pub steps: usize,
    /// How many seconds this has taken.
    pub seconds: u32,
    /// Whether the button that starts is there.
    pub start: bool,
    /// Whether that button starts afresh.
    pub again: bool,
    /// Whether there is something to cancel.
    pub cancel: bool,
}

impl Journey {
    /// What the page shows now.
    pub fn view(&self) -> View {
        let fixed = Sentence::Fixed;
        let (state, steps, sentence) = match self.phase {
            Phase::Ready => ("ready", 0, fixed(sentence::READY)),
            Phase::Beginning { .. } => ("waiting", 0, fixed(sentence::QUEUED)),
            Phase::Waiting(_) if self.start == StartMode::Mail => {
                ("mailed", 0, fixed(sentence::MAILED))
            }
            Phase::Waiting(step) | Phase::Cancelling(step) => (
                "waiting",
                usize::from(step != Step::Queued),
                Sentence::Waiting(step),
            ),
            Phase::Unavailable => ("unavailable", 0, fixed(sentence::UNAVAILABLE)),
            Phase::Cancelled => ("cancelled", 0, fixed(sentence::CANCELLED)),
            Phase::NoCookie => ("unavailable", 0, fixed(sentence::NO_COOKIES)),
            Phase::Leaving { sentence, .. } => ("done", 3, fixed(sentence)),
        };
        let waiting = matches!(self.phase, Phase::Waiting(_) | Phase::Cancelling(_));
        View {
            state,
            sentence: if self.failures > 0 {
                fixed(self.error.sentence())
            } else {
                sentence
            },
            steps,
            seconds: if self.start == StartMode::Mail {
                0
            } else {
                self.seconds
            },
            start: !waiting && state != "done" && !matches!(self.phase, Phase::NoCookie),
            again: matches!(
                self.phase,
                Phase::Unavailable | Phase::Cancelled | Phase::Beginning { again: true }
            ),
            cancel: waiting,
        }
    }
}

impl CallError {
    fn sentence(self) -> &'static str {
        match self {
            Self::Lost | Self::NoCookie => sentence::INTERRUPTED,
            Self::Busy(_) => sentence::BUSY,
            Self::TooMany(_) => sentence::TOO_MANY,
        }
    }
}
