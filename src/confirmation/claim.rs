//! A worker's claim to a confirmation, under a lease and a fresh fencing number.

use super::{Confirmation, Later, State};
use crate::{
    caps::Network,
    clock::Timestamp,
    id::{ConfirmationId, id},
    secret::{SealedToken, SecretHash},
};
use std::{ops::RangeInclusive, time::Duration};

id! {
    /// Who claims: fresh at each start of a worker.
    WorkerId
}

/// A worker's exclusive right to a confirmation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// Whose it is.
    pub worker: WorkerId,
    /// When it passes.
    pub until: Timestamp,
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
}
