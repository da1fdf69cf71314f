//! Confirmations in PostgreSQL.

mod claim;
mod queue;

use super::{PostgresStore, batch, connection::Failure, sessions};
use crate::{
    caps::Admission,
    clock::Timestamp,
    confirmation::{Confirmation, ConfirmationId, Decider, Decision, Noted, State, Wait},
    path::LocalPath,
    secret::SecretHash,
    session::{Session, SessionId},
    store::{
        BeginError, ConfirmationStore, Settlement, StoreError,
        begin::Begin,
        decide::Decide,
        row::{self, DecidedColumns, WaitColumns},
        statements::{
            CONFIRMATION_BY_ID, CONFIRMATION_BY_SECRET, MARK_CONFIRMATION_SETTLED,
            UNSETTLED_CONFIRMATIONS, WAIT, confirmation_columns,
        },
    },
};
use async_trait::async_trait;
use sqlx::PgConnection;
use std::collections::HashMap;

#[async_trait]
impl ConfirmationStore for PostgresStore {
    async fn begin(
        &self,
        confirmation: &Confirmation,
        session: &Session,
        admission: Admission,
    ) -> Result<Confirmation, BeginError> {
        let session = (!self.sessions_apart).then(|| session.clone());
        Ok(self
            .begins
            .add(Begin {
                confirmation: confirmation.clone(),
                session,
                admission,
            })
            .await??)
    }

    async fn confirmation_by_secret(
        &self,
        secret: &SecretHash,
    ) -> Result<Option<Confirmation>, StoreError> {
        let secret = *secret;
        self.run(move |connection| {
            Box::pin(async move {
                let select = sqlx::query(CONFIRMATION_BY_SECRET).bind(secret.as_slice());
                let row = select.fetch_optional(connection).await?;
                Ok(row.map(|row| row::confirmation(&row)).transpose()?)
            })
        })
        .await
    }

    async fn confirmation(&self, id: ConfirmationId) -> Result<Option<Confirmation>, StoreError> {
        self.run(move |connection| Box::pin(get(connection, id)))
            .await
    }

    async fn wait(
        &self,
        id: ConfirmationId,
        wait: Wait,
        now: Timestamp,
    ) -> Result<Noted, StoreError> {
        self.run(move |connection| {
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
                    .execute(&mut *connection)
                    .await?;
                if noted.rows_affected() == 1 {
                    return Ok(Noted::Stored);
                }
                // Another process may have decided it since it was read.
                let confirmation = get(connection, id).await?;
                Ok(match confirmation.map(|found| found.wait(wait, now)) {
                    Some(Ok(_)) => Noted::NoRoom,
                    Some(Err(_)) | None => Noted::TooLate,
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
        self.decisions
            .add(Decide {
                id,
                decider,
                decision,
                settlement,
                sessions_apart,
            })
            .await
    }

    async fn revoke(&self, id: ConfirmationId, session: SessionId) -> Result<(), StoreError> {
        batch::transaction(&self.pool, move |connection| {
            Box::pin(revoke(connection, id, session))
        })
        .await
    }

    async fn unsettled(&self, before: Timestamp) -> Result<Vec<Confirmation>, StoreError> {
        self.run(move |connection| {
            Box::pin(async move {
                let select = sqlx::query(UNSETTLED_CONFIRMATIONS).bind(before.as_millis());
                let rows = select.fetch_all(connection).await?;
                Ok(rows
                    .iter()
                    .map(|row| row::confirmation(row))
                    .collect::<Result<_, _>>()?)
            })
        })
        .await
    }

    async fn mark_settled(&self, id: ConfirmationId) -> Result<(), StoreError> {
        self.run(move |connection| {
            Box::pin(async move {
                let settled = sqlx::query(MARK_CONFIRMATION_SETTLED).bind(id.as_slice());
                settled.execute(connection).await?;
                Ok(())
            })
        })
        .await
    }
}

/// Revokes a sign-in that no browser has exchanged.
async fn revoke(
    connection: &mut PgConnection,
    id: ConfirmationId,
    session: SessionId,
) -> Result<(), Failure> {
    let Some(confirmation) = lock(connection, &[id]).await?.remove(&id) else {
        return Ok(());
    };
    sessions::delete(connection, &[session]).await?;
    write_decided(connection, &[&confirmation.revoke()]).await
}

/// Reads confirmations and locks them until the end of the transaction.
pub(super) async fn lock(
    connection: &mut PgConnection,
    ids: &[ConfirmationId],
) -> Result<HashMap<ConfirmationId, Confirmation>, Failure> {
    let ids: Vec<_> = ids.iter().map(ConfirmationId::as_slice).collect();
    let lock = concat!(
        "select ",
        confirmation_columns!(),
        " from confirmations where id = any($1) order by id for update"
    );
    let rows = sqlx::query(lock).bind(ids).fetch_all(connection).await?;
    let keyed = |confirmation: Confirmation| (confirmation.id, confirmation);
    Ok(rows
        .iter()
        .map(|row| row::confirmation(row).map(keyed))
        .collect::<Result<_, _>>()?)
}

/// Writes what confirmations came to, and wipes what they needed to come to it. Others than decided
/// ones stay as they are. The transaction has locked them.
pub(super) async fn write_decided(
    connection: &mut PgConnection,
    confirmations: &[&Confirmation],
) -> Result<(), Failure> {
    let decided = confirmations.iter().filter_map(|confirmation| {
        let (state, decided) = match &confirmation.state {
            State::Queued(_) => return None,
            State::Decided(decided) => ("decided", decided),
            State::Settled(decided) => ("settled", decided),
        };
        Some((*confirmation, state, DecidedColumns::of(*decided)))
    });
    let decided: Vec<_> = decided.collect();
    if decided.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "update confirmations set state = next.state, ending = next.ending, user_id = next.user_id,
             decided_at = next.decided_at, next = next.next, token = null, token_key = null, due_at = null,
             worker = null, lease_until = null
         from unnest($1::bytea[], $2::text[], $3::text[], $4::bytea[], $5::bigint[], $6::text[])
             as next (id, state, ending, user_id, decided_at, next)
         where confirmations.id = next.id",
    )
    .bind(decided.iter().map(|(confirmation, ..)| confirmation.id.as_slice()).collect::<Vec<_>>())
    .bind(decided.iter().map(|(_, state, _)| *state).collect::<Vec<_>>())
    .bind(decided.iter().map(|(.., columns)| columns.ending).collect::<Vec<_>>())
    .bind(decided.iter().map(|(.., columns)| columns.user.as_deref()).collect::<Vec<_>>())
    .bind(decided.iter().map(|(.., columns)| columns.decided_at).collect::<Vec<_>>())
    .bind(decided.iter().map(|(confirmation, ..)| confirmation.next.as_ref().map(LocalPath::to_string)).collect::<Vec<_>>())
    .execute(connection)
    .await?;
    Ok(())
}

async fn get(
    connection: &mut PgConnection,
    id: ConfirmationId,
) -> Result<Option<Confirmation>, Failure> {
    let select = sqlx::query(CONFIRMATION_BY_ID).bind(id.as_slice());
    let row = select.fetch_optional(connection).await?;
    Ok(row.map(|row| row::confirmation(&row)).transpose()?)
}
