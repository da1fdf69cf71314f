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
    /// The validator has said that it answers later, perhaps in minutes.
    Later {
        /// How far the check has come, if the validator says so.
        stage: Option<Stage>,
    },
}

/// How far a check has come that takes longer. It never goes back to a lesser one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The validator has what it needs.
    Received,
    /// It is being checked.
    Reviewing,
    /// It is almost decided.
    Almost,
}

impl Stage {
    /// All of them, in order.
    pub const ALL: [Self; 3] = [Self::Received, Self::Reviewing, Self::Almost];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Reviewing => "reviewing",
            Self::Almost => "almost",
        }
    }

    /// The stage with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.as_str() == name)
    }
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
            "later" => Self::Later {
                stage: json.text("stage").and_then(|name| Stage::from_name(&name)),
            },
            _ => return None,
        })
    }
}
