//! Confirmations in SQLite. Sessions live in the same file, so to begin, and to decide and settle, is one transaction.

use super::{SqliteStore, sessions, users};
use crate::{
    caps::{Admission, Capped},
    clock::Timestamp,
    confirmation::{Claim, Confirmation, ConfirmationId, Decided, Decider, Decision, Ending, State, Which, WorkerId},
    secret::SecretHash,
    session::{Followed, Session, SessionId},
    store::{
        BeginError, ConfirmationStore, Settlement, StoreError,
        row::{self, DecidedColumns, QueuedColumns},
    },
    user::User,
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
        self.write(move |connection| {
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
                update(connection, &confirmation).await?;
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
        let (decision, apart) = (decision.clone(), self.sessions_apart);
        self.write(move |connection| {
            let decision = decision.clone();
            Box::pin(async move {
                let Some(confirmation) = get(connection, id).await? else { return Ok(None) };
                if confirmation.clone().decide(decider, Ending::Unavailable, settlement.now).is_err() {
                    return Ok(Some(confirmation));
                }
                let ending = ending(connection, decision, settlement).await?;
                let mut next = confirmation.clone().decide(decider, ending, settlement.now).unwrap_or(confirmation);
                if !apart {
                    let what = Decided { ending, at: settlement.now };
                    settle_session(connection, next.session, what, settlement).await?;
                    next = next.settle();
                }
                update(connection, &next).await?;
                Ok(Some(next))
            })
        })
        .await
    }

    async fn revoke(&self, id: ConfirmationId, session: SessionId) -> Result<(), StoreError> {
        self.write(move |connection| {
            Box::pin(async move {
                let Some(confirmation) = get(connection, id).await? else { return Ok(()) };
                sessions::delete(connection, session).await?;
                update(connection, &confirmation.revoke()).await
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

/// Finds or creates the user of a valid decision.
async fn ending(
    connection: &mut SqliteConnection,
    decision: Decision,
    settlement: Settlement,
) -> Result<Ending, StoreError> {
    Ok(match decision {
        Decision::Valid(identity) => {
            let user = User { id: settlement.new_user, identity, since: settlement.now };
            Ending::Confirmed(users::put(connection, &user, None).await?)
        }
        Decision::Rejected(reason) => Ending::Rejected(reason),
        Decision::Unavailable => Ending::Unavailable,
    })
}

/// The session follows from the decision alone: rebound or deleted, and never made again.
async fn settle_session(
    connection: &mut SqliteConnection,
    id: SessionId,
    decided: Decided,
    settlement: Settlement,
) -> Result<(), StoreError> {
    let Some(session) = sessions::get(&mut *connection, id).await? else { return Ok(()) };
    match session.follow(decided, settlement.bound) {
        Followed::Bound(bound) => sessions::replace(connection, &bound).await.map(|_| ()),
        Followed::Gone => sessions::delete(connection, id).await,
        Followed::Already => Ok(()),
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

/// Writes the state. The transaction has read the confirmation, so nobody else has written it since.
async fn update(connection: &mut SqliteConnection, confirmation: &Confirmation) -> Result<(), StoreError> {
    let id = confirmation.id.as_bytes().as_slice();
    match &confirmation.state {
        State::Queued(queued) => {
            let columns = QueuedColumns::of(queued);
            sqlx::query(
                "update confirmations set failed = ?, due = ?, worker = ?, lease_until = ? where id = ? and fence = ?",
            )
            .bind(columns.failed)
            .bind(columns.due)
            .bind(columns.worker)
            .bind(columns.lease_until)
            .bind(id)
            .bind(columns.fence)
            .execute(connection)
            .await?;
        }
        State::Decided(decided) => write_decided(connection, id, "decided", *decided).await?,
        State::Settled(decided) => write_decided(connection, id, "settled", *decided).await?,
    }
    Ok(())
}

async fn write_decided(
    connection: &mut SqliteConnection,
    id: &[u8],
    state: &'static str,
    decided: Decided,
) -> Result<(), StoreError> {
    let columns = DecidedColumns::of(decided);
    sqlx::query(
        "update confirmations set state = ?, ending = ?, user_id = ?, decided = ?, token = null, token_key = null,
             due = null, worker = null, lease_until = null
         where id = ?",
    )
    .bind(state)
    .bind(columns.ending)
    .bind(columns.user)
    .bind(columns.decided)
    .bind(id)
    .execute(connection)
    .await?;
    Ok(())
}
