//! What the worker pushes to a page that waits.

use crate::{JsonObject, Outcome, Step};

/// A hint from the worker, pushed on the page's channel. The database is the truth.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Announcement {
    /// The confirmation is decided.
    Outcome(Outcome),
    /// The confirmation is at this step.
    Progress(Step),
}

const OUTCOME: &str = "outcome";
const PROGRESS: &str = "progress";

impl Announcement {
    /// The names of the events that are announcements.
    pub const EVENTS: [&str; 2] = [OUTCOME, PROGRESS];

    /// The event's name.
    #[must_use]
    pub const fn event(&self) -> &'static str {
        match self {
            Self::Outcome(_) => OUTCOME,
            Self::Progress(_) => PROGRESS,
        }
    }

    /// Reads the announcement that is the data of an event called `event`.
    #[must_use]
    pub fn read(event: &str, data: &impl JsonObject) -> Option<Self> {
        match event {
            OUTCOME => Outcome::read(data).map(Self::Outcome),
            PROGRESS => Step::read(data).map(Self::Progress),
            _ => None,
        }
    }
}
