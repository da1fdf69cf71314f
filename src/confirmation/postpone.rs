//! To give a claim back, and to wait for a validator that answers later.

use super::{CannotDecide, Confirmation, Later, State};
use crate::{caps::Shares, clock::Timestamp};

/// Why a claim is given back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Postponement {
    /// The attempt was not made, or was broken off. It does not count.
    HandedBack,
    /// The attempt failed.
    Failed,
    /// The validator has understood the question and answers later.
    Later(Wait),
}

/// What becomes of a confirmation whose validator answers later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// What the validator says.
    pub later: Later,
    /// The deadline from now on, unless it is later already.
    pub deadline: Timestamp,
    /// How many such confirmations there may be in the networks of its client, with this one. One
    /// that waits already needs no room.
    pub room: Shares,
}

/// Whether something was noted of a confirmation that is undecided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noted {
    /// It is stored.
    Stored,
    /// There is no [room](Wait::room) for it: the deadline stays what it is.
    NoRoom,
    /// It is decided, past its deadline, claimed by another worker, or deleted: nothing was
    /// changed.
    TooLate,
}

impl Confirmation {
    /// Gives a claim back: the next attempt is due at `due`, or at the deadline if that is earlier.
    /// A deadline never becomes earlier.
    ///
    /// # Errors
    /// [`CannotDecide`] if the claim is not the last one or the confirmation is decided.
    pub fn postpone(
        mut self,
        fence: u64,
        due: Timestamp,
        why: Postponement,
    ) -> Result<Self, CannotDecide> {
        match &mut self.state {
            State::Queued(queued) if queued.fence == fence => {
                match why {
                    Postponement::HandedBack => {}
                    Postponement::Failed => queued.failed += 1,
                    Postponement::Later(wait) => {
                        self.deadline = self.deadline.max(wait.deadline);
                        queued.later = queued.later.max(Some(wait.later));
                    }
                }
                queued.due_at = due.min(self.deadline);
                queued.lease = None;
                Ok(self)
            }
            State::Queued(_) => Err(CannotDecide::Superseded),
            State::Decided(_) | State::Settled(_) => Err(CannotDecide::Already),
        }
    }

    /// Has it wait for a validator that answers later, under any worker's claim. Its deadline and its
    /// stage only grow.
    ///
    /// # Errors
    /// [`CannotDecide`] if it is decided, or past its deadline.
    pub fn wait(mut self, wait: Wait, now: Timestamp) -> Result<Self, CannotDecide> {
        match &mut self.state {
            State::Queued(_) if now >= self.deadline => Err(CannotDecide::TooLate),
            State::Queued(queued) => {
                queued.later = queued.later.max(Some(wait.later));
                self.deadline = self.deadline.max(wait.deadline);
                Ok(self)
            }
            State::Decided(_) | State::Settled(_) => Err(CannotDecide::Already),
        }
    }
}
