//! What a validator says while its check goes on.

use super::{Confirmation, Stage, State};

/// The validator answers later. Of two, the greater one is what it has said later.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Later {
    /// How far its check has come, if it says so.
    pub stage: Option<Stage>,
}

impl Confirmation {
    /// What its validator has said, if it is undecided and that answers later.
    #[must_use]
    pub const fn later(&self) -> Option<Later> {
        match &self.state {
            State::Queued(queued) => queued.later,
            State::Decided(_) | State::Settled(_) => None,
        }
    }
}
