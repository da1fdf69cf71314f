//! Confirmations in SQLite. Sessions live in the same file, so to begin, and to decide and settle, is one transaction.

use super::{SqliteStore, decide, sessions};
use crate::{
    caps::{Admission, Capped},
    clock::Timestamp,
    confirmation::{Claim, Confirmation, ConfirmationId, Decider, Decision, State, Which, WorkerId},
    secret::SecretHash,
    session::{Session, SessionId},
    store::{
        BeginError, ConfirmationStore, Settlement, StoreError,
        decide::Decide,
        row::{self, QueuedColumns},
    },
};
use async_trait::async_trait;
use sqlx::SqliteConnection;

macro_rules! insert_confirmation {
    () => {
        "insert into confirmations
             (id, secret, token_tag, session, begun, deadline, state, token, token_key, due, client)
         select ?, ?, ?, ?, ?, ?, 'queued', ?, ?, ?, ?
         where (select count(*) from confirmations where client = ? and state = 'queued') < ?
         on conflict (secret) do nothing;"
    };
}

macro_rules! insert_session {
    () => {
        "insert into sessions (id, revision, state, secret, token_tag, since, expires)
         select ?, 0, 'pending', ?, ?, ?, ? where changes() = 1"
    };
}

#[async_trait]
impl ConfirmationStore for SqliteStore {
    async fn begin(
        &self,
        confirmation: &Confirmation,
        session: &Session,
        admission: Admission,
    ) -> Result<Confirmation, BeginError> {
        let (new, apart) = ((confirmation.clone(), session.clone()), self.sessions_apart);
        // To be refused is no failure: it undoes nothing of those who share the transaction.
        let begun = self.write(move |connection| {
            let (confirmation, session) = new.clone();
            Box::pin(async move {
                let session = (!apart).then_some(&session);
                if insert(connection, &confirmation, session, admission).await? {
                    return Ok(Ok(confirmation));
                }
                let known = sqlx::query("select * from confirmations where secret = ?");
                let known = known.bind(confirmation.secret.as_bytes().as_slice());
                match known.fetch_optional(&mut *connection).await? {
                    Some(row) => row::confirmation(&row).map(Ok),
                    None => Ok(Err(capped(connection, admission).await?)),
                }
            })
        });
        Ok(begun.await??)
    }

    async fn undecided(&self, at_most: u32) -> Result<u32, StoreError> {
        let count = "select count(*) from (select 1 from confirmations where state = 'queued' limit ?)";
        Ok(sqlx::query_scalar(count).bind(at_most).fetch_one(&self.readers).await?)
    }

    async fn confirmation_by_secret(&self, secret: &SecretHash) -> Result<Option<Confirmation>, StoreError> {
        let row = sqlx::query("select * from confirmations where secret = ?")
            .bind(secret.as_bytes().as_slice())
            .fetch_optional(&self.readers)
            .await?;
        row.map(|row| row::confirmation(&row)).transpose()
    }

    async fn claim(
        &self,
        worker: WorkerId,
        which: Which,
        limit: u32,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Claim>, StoreError> {
        // Looking first keeps a worker that finds nothing from writing.
        let next = if which == Which::Overdue { self.next_overdue() } else { self.next_due() };
        if next.await?.is_none_or(|next| next > now) {
            return Ok(Vec::new());
        }
        let deadlines = which.deadlines(now);
        let (from, to) = (deadlines.start().as_millis(), deadlines.end().as_millis());
        // Behind all the decisions that wait, it would have the validator wait for the disk.
        self.write_next(move |connection| {
            Box::pin(async move {
                let rows = sqlx::query(
                    "update confirmations set fence = fence + 1, worker = ?1, lease_until = ?2
                     where id in (
                         select id from confirmations indexed by confirmations_waiting
                         where state = 'queued' and max(due, coalesce(lease_until, 0)) <= ?3
                             and max(deadline, coalesce(lease_until, 0)) between ?5 and ?6
                         order by max(deadline, coalesce(lease_until, 0)), max(due, coalesce(lease_until, 0)) limit ?4)
                     returning *",
                )
                .bind(worker.as_bytes().as_slice())
                .bind(until.as_millis())
                .bind(now.as_millis())
                .bind(limit)
                .bind(from)
                .bind(to)
                .fetch_all(connection)
                .await?;
                Ok(row::claims(&rows))
            })
        })
        .await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let due: Option<i64> = sqlx::query_scalar(
            "select max(due, coalesce(lease_until, 0)) from confirmations where state = 'queued'
             order by max(due, coalesce(lease_until, 0)) limit 1",
        )
        .fetch_optional(&self.readers)
        .await?;
        Ok(due.map(Timestamp::from_millis))
    }

    async fn next_overdue(&self) -> Result<Option<Timestamp>, StoreError> {
        let overdue: Option<i64> = sqlx::query_scalar(
            "select max(deadline, coalesce(lease_until, 0)) from confirmations where state = 'queued'
             order by max(deadline, coalesce(lease_until, 0)) limit 1",
        )
        .fetch_optional(&self.readers)
        .await?;
        Ok(overdue.map(Timestamp::from_millis))
    }

    async fn postpone(&self, claim: &Claim, due: Timestamp, failed: bool) -> Result<bool, StoreError> {
        let (id, fence) = (claim.id, claim.fence);
        self.write(move |connection| {
            Box::pin(async move {
                let Some(confirmation) = get(connection, id).await? else { return Ok(false) };
                let Ok(confirmation) = confirmation.postpone(fence, due, failed) else { return Ok(false) };
                write_postponed(connection, &confirmation).await?;
                Ok(true)
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
        let (decision, sessions_apart) = (decision.clone(), self.sessions_apart);
        self.writer.decide(Decide { id, decider, decision, settlement, sessions_apart }).await
    }

    async fn revoke(&self, id: ConfirmationId, session: SessionId) -> Result<(), StoreError> {
        self.write(move |connection| {
            Box::pin(async move {
                let Some(confirmation) = get(connection, id).await? else { return Ok(()) };
                sessions::delete(connection, session).await?;
                decide::write_decided(connection, [&confirmation.revoke()]).await
            })
        })
        .await
    }

    async fn unsettled(&self, before: Timestamp) -> Result<Vec<Confirmation>, StoreError> {
        let rows = sqlx::query("select * from confirmations where state = 'decided' and decided < ? limit 100")
            .bind(before.as_millis())
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(|row| row::confirmation(row)).collect()
    }

    async fn mark_settled(&self, id: ConfirmationId) -> Result<(), StoreError> {
        self.write(move |connection| {
            Box::pin(async move {
                let settled =
                    sqlx::query("update confirmations set state = 'settled' where id = ? and state = 'decided'");
                settled.bind(id.as_bytes().as_slice()).execute(connection).await?;
                Ok(())
            })
        })
        .await
    }

    async fn sweep_confirmations(&self, before: Timestamp) -> Result<u64, StoreError> {
        let sweep = "delete from confirmations where id in (
                         select id from confirmations where state = 'settled' and decided < ? order by decided limit ?)";
        self.sweep(sweep, before).await
    }
}

async fn get(connection: &mut SqliteConnection, id: ConfirmationId) -> Result<Option<Confirmation>, StoreError> {
    let select = sqlx::query("select * from confirmations where id = ?");
    let row = select.bind(id.as_bytes().as_slice()).fetch_optional(connection).await?;
    row.map(|row| row::confirmation(&row)).transpose()
}

/// Why there was no room, within the transaction that found none.
async fn capped(connection: &mut SqliteConnection, admission: Admission) -> Result<Capped, StoreError> {
    let count = "select count(*) from confirmations where client = ? and state = 'queued'";
    let count = sqlx::query_scalar(count).bind(admission.client.as_bytes().as_slice()).fetch_one(connection).await?;
    Ok(admission.capped(count).unwrap_or(Capped::Client))
}

/// Keeps both, or neither and `false` if the pending secret has begun one already or there is no room.
///
/// In one call: most of what a begin costs is handing statements over to the driver's thread.
async fn insert(
    connection: &mut SqliteConnection,
    confirmation: &Confirmation,
    session: Option<&Session>,
    admission: Admission,
) -> Result<bool, StoreError> {
    let State::Queued(queued) = &confirmation.state else {
        return Err(StoreError::Unavailable("only a queued confirmation can be begun".into()));
    };
    let columns = QueuedColumns::of(queued);
    let insert = sqlx::query(match session {
        Some(_) => concat!(insert_confirmation!(), insert_session!()),
        None => insert_confirmation!(),
    })
    .bind(confirmation.id.as_bytes().as_slice())
    .bind(confirmation.secret.as_bytes().as_slice())
    .bind(confirmation.token_tag.as_bytes().as_slice())
    .bind(confirmation.session.as_bytes().as_slice())
    .bind(confirmation.begun.as_millis())
    .bind(confirmation.deadline.as_millis())
    .bind(columns.token)
    .bind(columns.token_key)
    .bind(columns.due)
    .bind(admission.client.as_bytes().as_slice())
    .bind(admission.client.as_bytes().as_slice())
    .bind(admission.room());
    let insert = match session {
        Some(session) => insert
            .bind(session.id.as_bytes().as_slice())
            .bind(confirmation.secret.as_bytes().as_slice())
            .bind(confirmation.token_tag.as_bytes().as_slice())
            .bind(session.since.as_millis())
            .bind(session.expires.as_millis()),
        None => insert,
    };
    Ok(insert.execute(connection).await?.rows_affected() > 0)
}

/// Writes that it is free again. The transaction has read the confirmation, so nobody else has written it since.
async fn write_postponed(connection: &mut SqliteConnection, confirmation: &Confirmation) -> Result<(), StoreError> {
    let State::Queued(queued) = &confirmation.state else { return Ok(()) };
    let columns = QueuedColumns::of(queued);
    sqlx::query("update confirmations set failed = ?, due = ?, worker = ?, lease_until = ? where id = ? and fence = ?")
        .bind(columns.failed)
        .bind(columns.due)
        .bind(columns.worker)
        .bind(columns.lease_until)
        .bind(confirmation.id.as_bytes().as_slice())
        .bind(columns.fence)
        .execute(connection)
        .await?;
    Ok(())
}
