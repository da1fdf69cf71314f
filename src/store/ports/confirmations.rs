//! Confirmations, each one by its id or its pending secret.

use crate::{
    caps::Admission,
    clock::Timestamp,
    confirmation::{Confirmation, Decider, Decision, Noted, Wait},
    id::{ConfirmationId, SessionId},
    secret::SecretHash,
    session::Session,
    store::{BeginError, Settlement, StoreError},
};
use async_trait::async_trait;

/// Stores confirmations together with the sessions that follow them.
#[async_trait]
pub trait ConfirmationStore: Send + Sync + 'static {
    /// Stores a new confirmation with its pending session, both or neither. If there is one with
    /// the same pending secret already, keeps nothing and returns that one, whatever the caps; else
    /// the `admission` must have room for it, which never lets in more of one client, or of a wider
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

    /// The confirmation begun with this pending secret.
    async fn confirmation_by_secret(
        &self,
        secret: &SecretHash,
    ) -> Result<Option<Confirmation>, StoreError>;

    /// The confirmation with this id.
    async fn confirmation(&self, id: ConfirmationId) -> Result<Option<Confirmation>, StoreError>;

    /// Has it wait for a validator that answers later, as [`Confirmation::wait`] says, if there is
    /// room for one more that does. Without room, nothing is changed.
    async fn wait(
        &self,
        id: ConfirmationId,
        wait: Wait,
        now: Timestamp,
    ) -> Result<Noted, StoreError>;

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

    /// Has the session follow of what was decided a while before `now` and not settled: a process
    /// was killed in between. Nothing to do where both are written in one transaction.
    async fn settle_abandoned(&self, _now: Timestamp) -> Result<(), StoreError> {
        Ok(())
    }

    /// Confirmations that were decided before `before` and are not settled, because their sessions
    /// are stored elsewhere. None where both are written in one transaction.
    async fn unsettled(&self, _before: Timestamp) -> Result<Vec<Confirmation>, StoreError> {
        Ok(Vec::new())
    }

    /// Marks that the session, which is stored elsewhere, follows the decision.
    async fn mark_settled(&self, _id: ConfirmationId) -> Result<(), StoreError> {
        Ok(())
    }
}
