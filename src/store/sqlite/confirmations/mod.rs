//! Confirmations in SQLite. Sessions live in the same file, so to begin, and to decide and settle,
//! is one transaction.

mod claim;
mod queue;

use super::{SqliteStore, decide, sessions};
use crate::{
    caps::Admission,
    clock::Timestamp,
    confirmation::{Confirmation, ConfirmationId, Decider, Decision, Noted, Wait},
    secret::SecretHash,
    session::{Session, SessionId},
    store::{
        BeginError, ConfirmationStore, Settlement, StoreError,
        begin::Begin,
        decide::Decide,
        row::{self, WaitColumns},
        statements::{
            CONFIRMATION_BY_ID, CONFIRMATION_BY_SECRET, MARK_CONFIRMATION_SETTLED,
            UNSETTLED_CONFIRMATIONS, WAIT,
        },
    },
};
use async_trait::async_trait;
use sqlx::SqliteConnection;

#[async_trait]
impl ConfirmationStore for SqliteStore {
    async fn begin(
        &self,
        confirmation: &Confirmation,
        session: &Session,
        admission: Admission,
    ) -> Result<Confirmation, BeginError> {
        let session = (!self.sessions_apart).then(|| session.clone());
        let begin = Begin {
            confirmation: confirmation.clone(),
            session,
            admission,
        };
        Ok(self.writer.begin(begin).await??)
    }

    async fn confirmation_by_secret(
        &self,
        secret: &SecretHash,
    ) -> Result<Option<Confirmation>, StoreError> {
        let select = sqlx::query(CONFIRMATION_BY_SECRET).bind(secret.as_slice());
        let row = select.fetch_optional(&self.readers).await?;
        row.map(|row| row::confirmation(&row)).transpose()
    }

    async fn confirmation(&self, id: ConfirmationId) -> Result<Option<Confirmation>, StoreError> {
        let select = sqlx::query(CONFIRMATION_BY_ID).bind(id.as_slice());
        let row = select.fetch_optional(&self.readers).await?;
        row.map(|row| row::confirmation(&row)).transpose()
    }

    async fn wait(
        &self,
        id: ConfirmationId,
        wait: Wait,
        now: Timestamp,
    ) -> Result<Noted, StoreError> {
        self.write((id, wait, now), |connection, &(id, wait, now)| {
            Box::pin(async move {
                let confirmation = get(connection, id).await?;
                let Some(Ok(next)) = confirmation.map(|found| found.wait(wait, now)) else {
                    return Ok(Noted::TooLate);
                };
                let columns = WaitColumns::of(&next, wait.room);
                let noted = sqlx::query(WAIT)
                    .bind(columns.deadline)
                    .bind(columns.stage)
                    .bind(columns.room[0])
                    .bind(columns.room[1])
                    .bind(columns.room[2])
                    .bind(id.as_slice())
                    .bind(now.as_millis())
                    .execute(connection)
                    .await?;
                Ok(if noted.rows_affected() == 1 {
                    Noted::Stored
                } else {
                    Noted::NoRoom
                })
            })
        })
        .await
    }

    async fn decide(
        &self,
        id: ConfirmationId,
        decider: Decider,
        decision: &Decision,
        settlement: Settlement,
    ) -> Result<Option<Confirmation>, StoreError> {
        let decision = decision.clone();
        let sessions_apart = self.sessions_apart;
        self.writer
            .decide(Decide {
                id,
                decider,
                decision,
                settlement,
                sessions_apart,
            })
            .await
    }

    async fn revoke(&self, id: ConfirmationId, session: SessionId) -> Result<(), StoreError> {
        self.write((id, session), |connection, &(id, session)| {
            Box::pin(async move {
                let Some(confirmation) = get(connection, id).await? else {
                    return Ok(());
                };
                sessions::delete(connection, session).await?;
                decide::write_decided(connection, [&confirmation.revoke()]).await
            })
        })
        .await
    }

    async fn unsettled(&self, before: Timestamp) -> Result<Vec<Confirmation>, StoreError> {
        let rows = sqlx::query(UNSETTLED_CONFIRMATIONS)
            .bind(before.as_millis())
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(|row| row::confirmation(row)).collect()
    }

    async fn mark_settled(&self, id: ConfirmationId) -> Result<(), StoreError> {
        self.write(id, |connection, id| {
            Box::pin(async move {
                let settled = sqlx::query(MARK_CONFIRMATION_SETTLED).bind(id.as_slice());
                settled.execute(connection).await?;
                Ok(())
            })
        })
        .await
    }
}

async fn get(
    connection: &mut SqliteConnection,
    id: ConfirmationId,
) -> Result<Option<Confirmation>, StoreError> {
    let select = sqlx::query(CONFIRMATION_BY_ID).bind(id.as_slice());
    let row = select.fetch_optional(connection).await?;
    row.map(|row| row::confirmation(&row)).transpose()
}
