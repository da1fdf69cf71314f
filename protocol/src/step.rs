//! How far a confirmation that is not decided has come.

use crate::JsonObject;

/// A step of a confirmation on its way.
///
/// A confirmation never goes back to a lesser one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// No worker has taken it yet.
    Queued,
    /// The validator is being asked for the first time.
    Contacting,
    /// The validator could not answer; it is being asked again.
    Retrying {
        /// Which attempt is next or under way, from 2.
        attempt: u32,
    },
    /// The validator has said that it answers later, perhaps in minutes; it is asked again until
    /// it does.
    Later,
}

impl Step {
    /// Reads a step.
    #[must_use]
    pub fn read(json: &impl JsonObject) -> Option<Self> {
        Some(match json.text("step")?.as_str() {
            "queued" => Self::Queued,
            "contacting" => Self::Contacting,
            "retrying" => Self::Retrying {
                attempt: json.number("attempt")?,
            },
            "later" => Self::Later,
            _ => return None,
        })
    }
}
