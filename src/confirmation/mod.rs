//! Confirmations: one browser's attempt with one token.
//!
//! `Queued` (perhaps under a worker's lease: then it is being validated), `Decided`, `Settled`. To
//! *decide* is the one write that fixes what a confirmation comes to; whatever follows from it can
//! be repeated by anyone at any time. All of this is pure: a store keeps what comes out of a
//! transition, and nothing else changes a confirmation; a claim alone is a store's own statement
//! where it takes many rows at once.

mod ask_again;
mod claim;
mod decide;
mod ending;
mod later;
mod limits;
mod postpone;
mod step;

pub use ask_again::CannotAskAgain;
pub use claim::{Claim, Lease, Which, WorkerId};
pub use decide::{CannotDecide, Decider};
pub use ending::{Decision, Ending, Rejection};
pub use later::Later;
pub use limits::ClaimLimits;
pub use postpone::{Noted, Postponement, Wait};
pub use vestibule_protocol::Stage;

pub use crate::id::{ConfirmationId, InvalidId};

use crate::{
    clock::Timestamp,
    id::SessionId,
    path::LocalPath,
    pending::TokenTag,
    secret::{SealedToken, SecretHash},
};

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

/// What a confirmation came to, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decided {
    /// What it came to.
    pub ending: Ending,
    /// When it was decided.
    pub at: Timestamp,
}

#[cfg(test)]
mod tests;
