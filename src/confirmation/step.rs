//! How far an undecided confirmation has come, in the words that pages and operators read.

use super::Queued;
use vestibule_protocol::Step;

impl Queued {
    /// How far it has come. `is_later`: the deadline
    /// [shows](crate::timing::Timing::is_later) that the validator answers later.
    #[must_use]
    pub const fn step(&self, is_later: bool) -> Step {
        match self {
            Self { stage, .. } if stage.is_some() || is_later => Step::Later { stage: *stage },
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
