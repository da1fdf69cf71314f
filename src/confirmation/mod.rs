//! Confirmations: one browser's attempt with one token.
//!
//! `Queued` (perhaps under a worker's lease: then it is being validated), `Decided`, `Settled`. To
//! *decide* is the one write that fixes what a confirmation comes to; whatever follows from it can
//! be repeated by anyone at any time. All of this is pure: a store keeps what comes out of a
//! transition, and nothing else changes a confirmation; a claim alone is a store's own statement
//! where it takes many rows at once.

mod ask_again;
mod ending;
mod later;
mod limits;
mod step;

pub use ask_again::CannotAskAgain;
pub use ending::{Decision, Ending, Rejection};
pub use later::Later;
pub use limits::ClaimLimits;
pub use vestibule_protocol::Stage;

pub use crate::{id::InvalidId, ids::ConfirmationId};

use crate::{
    caps::{Network, Shares},
    clock::Timestamp,
    id::id,
    ids::SessionId,
    path::LocalPath,
    pending::TokenTag,
    secret::{SealedToken, SecretHash},
};
use std::{ops::RangeInclusive, time::Duration};

id! {
    /// Who claims: fresh at each start of a worker.
    WorkerId
}

/// One browser's attempt with one token: the job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmation {
    /// The confirmation's id.
    pub id: ConfirmationId,
    /// The hash of the pending secret: whose attempt it is.
    pub secret: SecretHash,
    /// The token's tag.
    pub token_tag: TokenTag,
    /// The session that it will rebind or delete.
    pub session: SessionId,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When it is decided `Unavailable` if nothing else has decided it.
    pub deadline: Timestamp,
    /// Where the sign-in leads, if not to where all do.
    pub next: Option<LocalPath>,
    /// How far it has come.
    pub state: State,
}

/// How far a confirmation has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Waiting to be validated, or being validated under a lease.
    Queued(Queued),
    /// Fixed, but the session does not show it yet.
    Decided(Decided),
    /// Fixed, the session rebound or deleted, the token wiped.
    Settled(Decided),
}

/// Waiting to be validated, or being validated under a lease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    /// The token, sealed.
    pub token: SealedToken,
    /// How many attempts have failed.
    pub failed: u32,
    /// What the validator has said, if it answers later.
    pub later: Option<Later>,
    /// When the next attempt is due.
    pub due_at: Timestamp,
    /// The number of the last claim; each claim has a fresh one.
    pub fence: u64,
    /// Which worker is validating it, and until when no other may.
    pub lease: Option<Lease>,
}

/// A worker's exclusive right to a confirmation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Whose it is.
    pub worker: WorkerId,
    /// When it passes.
    pub until: Timestamp,
}

/// What a confirmation came to, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decided {
    /// What it came to.
    pub ending: Ending,
    /// When it was decided.
    pub at: Timestamp,
}

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

/// Which of the confirmations that are due a worker claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Any.
    Any,
    /// Those past their deadline: the validator is no longer asked about them.
    Overdue,
    /// Those that have at least so much time left.
    WithTime(Duration),
}

impl Which {
    /// The deadlines that those meant have at `now`.
    #[must_use]
    pub fn deadlines(self, now: Timestamp) -> RangeInclusive<Timestamp> {
        let first = Timestamp::from_millis(i64::MIN);
        let last = Timestamp::from_millis(i64::MAX);
        match self {
            Self::Any => first..=last,
            Self::Overdue => first..=now,
            Self::WithTime(left) => now + left..=last,
        }
    }
}

/// A worker's claim to one confirmation: what it needs for an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Which confirmation.
    pub id: ConfirmationId,
    /// The claim's fencing number.
    pub fence: u64,
    /// The widest network that the client is in who began it.
    pub network: Network,
    /// The hash of the pending secret, for the channel.
    pub secret: SecretHash,
    /// The token, sealed.
    pub token: SealedToken,
    /// How many attempts have failed before.
    pub failed: u32,
    /// What the validator has said, if it answers later.
    pub later: Option<Later>,
    /// When the confirmation was begun.
    pub created_at: Timestamp,
    /// When it must be decided.
    pub deadline: Timestamp,
}

impl Confirmation {
    /// Whether a worker may claim it now.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        match &self.state {
            State::Queued(queued) => {
                queued.due_at <= now && queued.lease.is_none_or(|lease| lease.until <= now)
            }
            State::Decided(_) | State::Settled(_) => false,
        }
    }

    /// Gives the confirmation, which was begun from `network`, to `worker` until `until`, under a
    /// fresh fencing number. `None` if it is not due.
    #[must_use]
    pub fn claim(
        mut self,
        worker: WorkerId,
        network: Network,
        now: Timestamp,
        until: Timestamp,
    ) -> Option<(Self, Claim)> {
        if !self.is_due(now) {
            return None;
        }
        let State::Queued(queued) = &mut self.state else {
            return None;
        };
        queued.fence += 1;
        queued.lease = Some(Lease { worker, until });
        let claim = Claim {
            id: self.id,
            fence: queued.fence,
            network,
            secret: self.secret,
            token: queued.token.clone(),
            failed: queued.failed,
            later: queued.later,
            created_at: self.created_at,
            deadline: self.deadline,
        };
        Some((self, claim))
    }

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

#[cfg(test)]
mod tests;
