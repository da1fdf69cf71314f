//! Confirmations, each one by its id or its pending secret.

use super::{LAST_TURN, MemoryDatabase};
use crate::{
    caps::{Admission, in_networks},
    clock::Timestamp,
    confirmation::{
        Confirmation, ConfirmationId, Decider, Decision, Ending, Noted, Rejection, State, Wait,
    },
    secret::SecretHash,
    session::{Session, SessionId},
    store::{BeginError, ConfirmationStore, Settlement, StoreError},
    user::User,
};
use async_trait::async_trait;

#[async_trait]
impl ConfirmationStore for MemoryDatabase {
    async fn begin(
        &self,
        confirmation: &Confirmation,
        _: &Session,
        admission: Admission,
    ) -> Result<Confirmation, BeginError> {
        let mut tables = self.lock();
        if let Some(known) = tables.by_secret(&confirmation.secret) {
            return Ok(known.clone());
        }
        let client = admission.client;
        if let Some(cap) = admission.capped(in_networks(
            client,
            tables.undecided().map(|(client, _)| client),
        )) {
            return Err(cap.into());
        }
        let is_due = confirmation.is_due(confirmation.created_at);
        let turn = if is_due {
            tables.next_turn(client)
        } else {
            LAST_TURN
        };
        tables
            .confirmations
            .insert(confirmation.id, confirmation.clone());
        tables.begun.insert(confirmation.id, (client, turn));
        Ok(confirmation.clone())
    }

    async fn confirmation_by_secret(
        &self,
        secret: &SecretHash,
    ) -> Result<Option<Confirmation>, StoreError> {
        Ok(self.lock().by_secret(secret).cloned())
    }

    async fn confirmation(&self, id: ConfirmationId) -> Result<Option<Confirmation>, StoreError> {
        Ok(self.lock().confirmations.get(&id).cloned())
    }

    async fn wait(
        &self,
        id: ConfirmationId,
        wait: Wait,
        now: Timestamp,
    ) -> Result<Noted, StoreError> {
        let mut tables = self.lock();
        let Some(confirmation) = tables.confirmations.get(&id).cloned() else {
            return Ok(Noted::TooLate);
        };
        let has_room = tables.has_room(&confirmation, wait.room);
        let Ok(next) = confirmation.wait(wait, now) else {
            return Ok(Noted::TooLate);
        };
        if !has_room {
            return Ok(Noted::NoRoom);
        }
        tables.confirmations.insert(id, next);
        Ok(Noted::Stored)
    }

    async fn decide(
        &self,
        id: ConfirmationId,
        decider: Decider,
        decision: &Decision,
        settlement: Settlement,
    ) -> Result<Option<Confirmation>, StoreError> {
        let mut tables = self.lock();
        let Some(confirmation) = tables.confirmations.get(&id).cloned() else {
            return Ok(None);
        };
        if confirmation
            .clone()
            .decide(decider, Ending::Unavailable, settlement.now)
            .is_err()
        {
            return Ok(Some(confirmation));
        }
        let ending = match decision {
            Decision::Valid(identity, _) => {
                let id = settlement.new_user;
                let since = settlement.now;
                let id = tables.put_user(&User::new(id, identity.clone(), since), None);
                if tables.is_disabled(id) {
                    Ending::Rejected(Rejection::Invalid)
                } else {
                    Ending::Confirmed(id)
                }
            }
            Decision::Known(id, _) => {
                let is_there = tables
                    .users
                    .values()
                    .any(|(user, _)| user.id == *id && !user.disabled);
                if is_there {
                    Ending::Confirmed(*id)
                } else {
                    Ending::Rejected(Rejection::Expired)
                }
            }
            Decision::Rejected(reason) => Ending::Rejected(*reason),
            Decision::Unavailable => Ending::Unavailable,
        };
        let next = confirmation
            .clone()
            .decide(decider, ending, settlement.now)
            .map_or(confirmation, |decided| decided.leading_to(decision.next()));
        tables.confirmations.insert(id, next.clone());
        Ok(Some(next))
    }

    async fn revoke(&self, id: ConfirmationId, _: SessionId) -> Result<(), StoreError> {
        if let Some(confirmation) = self.lock().confirmations.get_mut(&id) {
            *confirmation = confirmation.clone().revoke();
        }
        Ok(())
    }

    async fn unsettled(&self, before: Timestamp) -> Result<Vec<Confirmation>, StoreError> {
        let abandoned = |confirmation: &&Confirmation| matches!(&confirmation.state, State::Decided(decided) if decided.at < before);
        Ok(self
            .lock()
            .confirmations
            .values()
            .filter(abandoned)
            .cloned()
            .collect())
    }

    async fn mark_settled(&self, id: ConfirmationId) -> Result<(), StoreError> {
        if let Some(confirmation) = self.lock().confirmations.get_mut(&id) {
            *confirmation = confirmation.clone().settle();
        }
        Ok(())
    }
}
