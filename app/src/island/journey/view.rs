//! What a journey looks like from outside.

use super::{CallError, Journey, Stage};
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
        let (state, steps, sentence) = match self.stage {
            Stage::Ready => ("ready", 0, fixed(sentence::READY)),
            Stage::Beginning { .. } => ("waiting", 0, fixed(sentence::QUEUED)),
            Stage::Waiting(_) if self.start == StartMode::Mail => {
                ("mailed", 0, fixed(sentence::MAILED))
            }
            Stage::Waiting(step) | Stage::Cancelling(step) => (
                "waiting",
                usize::from(step != Step::Queued),
                Sentence::Waiting(step),
            ),
            Stage::Unavailable => ("unavailable", 0, fixed(sentence::UNAVAILABLE)),
            Stage::Cancelled => ("cancelled", 0, fixed(sentence::CANCELLED)),
            Stage::NoCookie => ("unavailable", 0, fixed(sentence::NO_COOKIES)),
            Stage::Leaving { sentence, .. } => ("done", 3, fixed(sentence)),
        };
        let waiting = matches!(self.stage, Stage::Waiting(_) | Stage::Cancelling(_));
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
            start: !waiting && state != "done" && !matches!(self.stage, Stage::NoCookie),
            again: matches!(
                self.stage,
                Stage::Unavailable | Stage::Cancelled | Stage::Beginning { again: true }
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
