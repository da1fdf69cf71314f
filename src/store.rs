//! Keeping confirmations, sessions and users.
//!
//! A store only keeps: what a confirmation or a session may become is decided by their own
//! transitions. All methods are safe to repeat. Sessions are in the same database as everything
//! else, or kept [`apart`].

pub mod apart;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod decide;
pub mod memory;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod open;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "redis")]
pub mod redis;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "redis"))]
mod row;
#[cfg(feature = "sqlite")]
pub mod sqlite;

use crate::{
    caps::{Admission, Capped},
    clock::Timestamp,
    confirmation::{
        Claim, ClaimLimits, Confirmation, ConfirmationId, Decider, Decision, Which, WorkerId,
    },
    secret::SecretHash,
    session::{Session, SessionId, SessionStore},
    user::{UserId, UserStore},
};
use async_trait::async_trait;
use std::time::Duration;

/// A store could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store cannot be reached or is full or locked: the same call may succeed later. Mostly
    /// nothing was changed, but over a network the answer may have been lost after the change;
    /// every call is safe to repeat.
    #[error("the database cannot be used just now: {0}")]
    Unavailable(String),
    /// A row fits no state. It is left as it is.
    #[error("the row {row} of {table} is corrupt: {what}")]
    Corrupt {
        /// The row's table.
        table: &'static str,
        /// The row's id.
        row: String,
        /// What is wrong with it.
        what: &'static str,
    },
}

/// A confirmation was not begun: nothing was stored.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// A cap was met.
    #[error(transparent)]
    Capped(#[from] Capped),
    /// The store could not do its work.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An error of a driver says what the database says; it never holds a bound value.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// What settling needs in addition to the decision.
#[derive(Clone, Copy, Debug)]
pub struct Settlement {
    /// The present moment.
    pub now: Timestamp,
    /// The id of the user if it turns out to be a new one.
    pub new_user: UserId,
    /// How long a bound session waits for its browser.
    pub bound: Duration,
}

/// Keeps confirmations.
#[async_trait]
pub trait ConfirmationStore: Send + Sync + 'static {
    /// Keeps a new confirmation with its pending session, both or neither. If there is one with the
    /// same pending secret already, keeps nothing and returns that one, whatever the caps; else the
    /// `admission` must have room for it, which never lets in more of one client, or of a wider
    /// network, than it may have, however many begin at once.
    ///
    /// It is kept with its *turn*: one more than the last one that its network has, but none before
    /// the first one that any network has. So the first ones of all networks have one turn, their
    /// second ones the next. What is not due yet has the last turn of all.
    async fn begin(
        &self,
        confirmation: &Confirmation,
        session: &Session,
        admission: Admission,
    ) -> Result<Confirmation, BeginError>;

    /// How many confirmations are undecided; `at_most` if there are more.
    async fn undecided(&self, at_most: u32) -> Result<u32, StoreError>;

    /// The confirmation begun with this pending secret.
    async fn confirmation_by_secret(
        &self,
        secret: &SecretHash,
    ) -> Result<Option<Confirmation>, StoreError>;

    /// Claims due confirmations for `worker` until `until`, as many as `limits` allow, by turns: of
    /// each network one, before any has another. Of one turn, those that must be decided first come
    /// before others, which are mostly those that have waited longest; of equal ones, those that
    /// are due first. Overdue ones are ordered by deadline alone, not by network.
    async fn claim(
        &self,
        worker: WorkerId,
        which: Which,
        limits: &ClaimLimits,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Claim>, StoreError>;

    /// When the next confirmation is due or a lease passes.
    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError>;

    /// The same, but only of those that are not due yet at `now`.
    async fn next_due_after(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError>;

    /// When the next confirmation that is under no lease then is past its deadline.
    async fn next_overdue(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Gives a claim back until `due`; `failed` counts it as a failed attempt. `false`: the claim
    /// was not the last one or the confirmation is decided, and nothing was changed.
    async fn postpone(
        &self,
        claim: &Claim,
        due: Timestamp,
        failed: bool,
    ) -> Result<bool, StoreError>;

    /// Decides the confirmation if nothing has decided it and `decider` may, and settles whatever
    /// decision is then stored: a pending session is rebound to the user or deleted, and the token
    /// wiped. Returns the confirmation as it is stored now, decided by this call or before it, or
    /// still queued if a worker decides whose claim is not the last one. `None`: there is no such
    /// confirmation.
    async fn decide(
        &self,
        id: ConfirmationId,
        decider: Decider,
        decision: &Decision,
        settlement: Settlement,
    ) -> Result<Option<Confirmation>, StoreError>;

    /// Revokes a valid decision, for a user who cancels before the exchange: deletes the session,
    /// and the outcome becomes `cancelled`.
    async fn revoke(&self, id: ConfirmationId, session: SessionId) -> Result<(), StoreError>;

    /// Confirmations that were decided before `before` and whose sessions do not show it yet. None
    /// where both are written in one transaction.
    async fn unsettled(&self, before: Timestamp) -> Result<Vec<Confirmation>, StoreError>;

    /// Marks that the session shows the decision.
    async fn mark_settled(&self, id: ConfirmationId) -> Result<(), StoreError>;

    /// Deletes confirmations settled before `before`, and returns how many.
    async fn sweep_confirmations(&self, before: Timestamp) -> Result<u64, StoreError>;
}

/// A database of confirmations and users.
pub trait Database: ConfirmationStore + UserStore {}

impl<S: ConfirmationStore + UserStore> Database for S {}

/// Everything that is kept, in one database or in two stores.
pub trait Store: ConfirmationStore + SessionStore + UserStore {}

impl<S: ConfirmationStore + SessionStore + UserStore> Store for S {}
