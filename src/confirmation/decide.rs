//! The one write that fixes what a confirmation comes to, and what follows from it.

use super::{Confirmation, Decided, Ending, Rejection, State};
use crate::{clock::Timestamp, path::LocalPath};

/// Who decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decider {
    /// The worker whose claim had this fencing number.
    Worker {
        /// The claim's number.
        fence: u64,
    },
    /// The deadline, for the worker whose claim had this fencing number. The write checks again that
    /// it has passed: a callback may have moved it.
    Deadline {
        /// The claim's number.
        fence: u64,
    },
    /// The validator, which calls back, under any worker's claim; before the deadline alone.
    Validator,
    /// The user, whose browser holds the pending secret, or who has let it in with one of our
    /// links.
    User,
}

/// The confirmation cannot be decided (any more) by this decider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotDecide {
    /// It is decided already, perhaps by the same decider.
    #[error("the confirmation is decided already")]
    Already,
    /// Another worker has claimed it since.
    #[error("another worker has claimed the confirmation since")]
    Superseded,
    /// The validator is too late.
    #[error("the confirmation is past its deadline")]
    TooLate,
    /// The deadline has not passed, or has moved since.
    #[error("the confirmation is not past its deadline")]
    TooEarly,
}

impl Confirmation {
    /// Fixes what the confirmation comes to. This is the only deciding write.
    ///
    /// # Errors
    /// [`CannotDecide`] if it is decided already, a worker decides whose claim is not the last one,
    /// the validator does after the deadline, or the deadline before it.
    pub fn decide(
        self,
        decider: Decider,
        ending: Ending,
        now: Timestamp,
    ) -> Result<Self, CannotDecide> {
        match (&self.state, decider) {
            (State::Queued(queued), Decider::Worker { fence } | Decider::Deadline { fence })
                if queued.fence != fence =>
            {
                Err(CannotDecide::Superseded)
            }
            (State::Queued(_), Decider::Deadline { .. }) if now < self.deadline => {
                Err(CannotDecide::TooEarly)
            }
            (State::Queued(_), Decider::Validator) if now >= self.deadline => {
                Err(CannotDecide::TooLate)
            }
            (State::Queued(_), _) => Ok(Self {
                state: State::Decided(Decided { ending, at: now }),
                ..self
            }),
            (State::Decided(_) | State::Settled(_), _) => Err(CannotDecide::Already),
        }
    }

    /// The same, leading to `next` if there is one: the verdict counts before the link.
    #[must_use]
    pub fn leading_to(self, next: Option<&LocalPath>) -> Self {
        Self {
            next: next.cloned().or(self.next),
            ..self
        }
    }

    /// Marks that the session shows the decision. A replay changes nothing.
    #[must_use]
    pub fn settle(self) -> Self {
        match self.state {
            State::Decided(decided) => Self {
                state: State::Settled(decided),
                ..self
            },
            State::Queued(_) | State::Settled(_) => self,
        }
    }

    /// Revokes a sign-in that was not exchanged: its outcome becomes `cancelled`, for good. Any
    /// other state stays as it is.
    #[must_use]
    pub fn revoke(self) -> Self {
        match self.state {
            State::Decided(Decided {
                ending: Ending::Confirmed(_),
                at,
            })
            | State::Settled(Decided {
                ending: Ending::Confirmed(_),
                at,
            }) => {
                let ending = Ending::Rejected(Rejection::Cancelled);
                Self {
                    state: State::Settled(Decided { ending, at }),
                    ..self
                }
            }
            _ => self,
        }
    }

    /// What it came to, if it is decided.
    #[must_use]
    pub const fn ending(&self) -> Option<Ending> {
        match &self.state {
            State::Queued(_) => None,
            State::Decided(decided) | State::Settled(decided) => Some(decided.ending),
        }
    }
}
