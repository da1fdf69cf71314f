//! How far an undecided confirmation has come, in the words that pages and operators read.

use super::Queued;
use vestibule_protocol::Step;

impl Queued {
    /// How far it has come.
    #[must_use]
    pub const fn step(&self) -> Step {
        match self {
            Self {
                later: Some(later), ..
            } => Step::Later { stage: later.stage },
            Self {
                failed: 0,
                lease: None,
                ..
            } => Step::Queued,
            Self { failed: 0, .. } => Step::Contacting,
            Self { failed, .. } => Step::Retrying {
                attempt: *failed + 1,
            },
        }
    }
}
