//! The queue: confirmations that wait for a worker.

use crate::{
    clock::Timestamp,
    confirmation::{Claim, ClaimLimits, Confirmation, Noted, Postponement, Which, WorkerId},
    id::ConfirmationId,
    store::StoreError,
};
use async_trait::async_trait;

/// The confirmations that wait for a worker, and the removal of old ones. No session depends on it.
#[async_trait]
pub trait ConfirmationQueue: Send + Sync + 'static {
    /// How many confirmations are undecided; `at_most` if there are more.
    async fn undecided(&self, at_most: u32) -> Result<u32, StoreError>;

    /// How many of them wait for a validator that answers later; `at_most` if there are more.
    async fn answered_later(&self, at_most: u32) -> Result<u32, StoreError>;

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

    /// Gives a claim back until `due`, as [`Confirmation::postpone`] says. Where there is no
    /// room for one whose validator answers later, nothing is changed.
    async fn postpone(
        &self,
        claim: &Claim,
        due: Timestamp,
        why: Postponement,
    ) -> Result<Noted, StoreError>;

    /// Up to `limit` undecided confirmations, the oldest first, and of equal age by id: those that
    /// come after the confirmation `after`.
    async fn list_undecided(
        &self,
        after: Option<&Confirmation>,
        limit: u32,
    ) -> Result<Vec<Confirmation>, StoreError>;

    /// Makes the next attempt due at `now`, as [`Confirmation::ask_again`] says, and wakes the
    /// workers of all processes where it can. `false`: there is nothing to make due, and nothing
    /// was changed.
    async fn ask_again(&self, id: ConfirmationId, now: Timestamp) -> Result<bool, StoreError>;

    /// Deletes confirmations settled before `before`, and returns how many.
    async fn sweep_confirmations(&self, before: Timestamp) -> Result<u64, StoreError>;
}
