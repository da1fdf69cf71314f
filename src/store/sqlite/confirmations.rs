//! Confirmations in SQLite. Sessions live in the same file, so to begin, and to decide and settle, is one transaction.

use super::{SqliteStore, row::Reading, sessions, users};
use crate::{
    clock::Timestamp,
    confirmation::{
        Claim, Confirmation, ConfirmationId, Decided, Decider, Decision, Ending, Lease, Queued, Rejection, State,
        WorkerId,
    },
    pending::TokenTag,
    secret::{SealedToken, SecretHash},
    session::{Session, SessionId, SessionState},
    store::{ConfirmationStore, Settlement, StoreError},
    user::{User, UserId},
};
use async_trait::async_trait;
use sqlx::{SqliteConnection, sqlite::SqliteRow};

#[async_trait]
impl ConfirmationStore for SqliteStore {
    async fn begin(&self, confirmation: &Confirmation, session: &Session) -> Result<Confirmation, StoreError> {
        let new = (confirmation.clone(), session.clone());
        self.write(move |connection| {
            let (confirmation, session) = new.clone();
            Box::pin(async move {
                if insert(connection, &confirmation, &session).await? {
                    return Ok(confirmation);
                }
                let row = sqlx::query("select * from confirmations where secret = ?")
                    .bind(confirmation.secret.as_bytes().as_slice())
                    .fetch_one(connection)
                    .await?;
                read(&row)
            })
        })
        .await
    }

    async fn confirmation_by_secret(&self, secret: &SecretHash) -> Result<Option<Confirmation>, StoreError> {
        let row = sqlx::query("select * from confirmations where secret = ?")
            .bind(secret.as_bytes().as_slice())
            .fetch_optional(&self.readers)
            .await?;
        row.map(|row| read(&row)).transpose()
    }

    async fn claim(
        &self,
        worker: WorkerId,
        limit: u32,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Claim>, StoreError> {
        // Looking first keeps an idle worker from writing.
        if self.next_due().await?.is_none_or(|due| due > now) {
            return Ok(Vec::new());
        }
        self.write(move |connection| {
            Box::pin(async move {
                let rows = sqlx::query(
                    "update confirmations set fence = fence + 1, worker = ?1, lease_until = ?2
                     where id in (
                         select id from confirmations
                         where state = 'queued' and max(due, coalesce(lease_until, 0)) <= ?3
                         order by max(due, coalesce(lease_until, 0)) limit ?4)
                     returning *",
                )
                .bind(worker.as_bytes().as_slice())
                .bind(until.as_millis())
                .bind(now.as_millis())
                .bind(limit)
                .fetch_all(connection)
                .await?;
                // A row that cannot be read stops itself and nothing else: its lease keeps it out of the way.
                let (claims, corrupt): (Vec<_>, Vec<_>) = rows.iter().map(claimed).partition(Result::is_ok);
                for error in corrupt.into_iter().filter_map(Result::err) {
                    tracing::error!(%error, "a confirmation cannot be worked on");
                }
                Ok(claims.into_iter().filter_map(Result::ok).collect())
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
        let decision = decision.clone();
        self.write(move |connection| {
            let decision = decision.clone();
            Box::pin(async move {
                let Some(confirmation) = get(connection, id).await? else { return Ok(None) };
                if confirmation.clone().decide(decider, Ending::Unavailable, settlement.now).is_err() {
                    return Ok(Some(confirmation));
                }
                let ending = ending(connection, decision, settlement).await?;
                let settled =
                    confirmation.clone().decide(decider, ending, settlement.now).unwrap_or(confirmation).settle();
                settle_session(connection, settled.session, ending, settlement).await?;
                update(connection, &settled).await?;
                Ok(Some(settled))
            })
        })
        .await
    }

    async fn sweep_confirmations(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.write(move |connection| {
            Box::pin(async move {
                let sweep = sqlx::query("delete from confirmations where state = 'settled' and decided < ?");
                Ok(sweep.bind(before.as_millis()).execute(connection).await?.rows_affected())
            })
        })
        .await
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
    ending: Ending,
    settlement: Settlement,
) -> Result<(), StoreError> {
    let Some(session) = sessions::get(&mut *connection, id).await? else { return Ok(()) };
    match (ending, &session.state) {
        (Ending::Confirmed(user), SessionState::Pending { .. }) => {
            if let Ok(bound) = session.rebind(user, settlement.now + settlement.bound) {
                sessions::replace(connection, &bound).await?;
            }
            Ok(())
        }
        (Ending::Rejected(_) | Ending::Unavailable, SessionState::Pending { .. }) => {
            sessions::delete(connection, id).await
        }
        _ => Ok(()),
    }
}

async fn get(connection: &mut SqliteConnection, id: ConfirmationId) -> Result<Option<Confirmation>, StoreError> {
    let select = sqlx::query("select * from confirmations where id = ?");
    let row = select.bind(id.as_bytes().as_slice()).fetch_optional(connection).await?;
    row.map(|row| read(&row)).transpose()
}

/// Keeps both, or neither and `false` if the pending secret has begun one already.
///
/// In one call: most of what a begin costs is handing statements over to the driver's thread.
async fn insert(
    connection: &mut SqliteConnection,
    confirmation: &Confirmation,
    session: &Session,
) -> Result<bool, StoreError> {
    let State::Queued(queued) = &confirmation.state else {
        return Err(StoreError::Unavailable("only a queued confirmation can be begun".into()));
    };
    let inserted = sqlx::query(
        "insert into confirmations (id, secret, token_tag, session, begun, deadline, state, token, token_key, due)
         values (?, ?, ?, ?, ?, ?, 'queued', ?, ?, ?) on conflict (secret) do nothing;
         insert into sessions (id, revision, state, secret, token_tag, since, expires)
         select ?, 0, 'pending', ?, ?, ?, ? where changes() = 1",
    )
    .bind(confirmation.id.as_bytes().as_slice())
    .bind(confirmation.secret.as_bytes().as_slice())
    .bind(confirmation.token_tag.as_bytes().as_slice())
    .bind(confirmation.session.as_bytes().as_slice())
    .bind(confirmation.begun.as_millis())
    .bind(confirmation.deadline.as_millis())
    .bind(&queued.token.bytes)
    .bind(queued.token.key_id)
    .bind(queued.due.as_millis())
    .bind(session.id.as_bytes().as_slice())
    .bind(confirmation.secret.as_bytes().as_slice())
    .bind(confirmation.token_tag.as_bytes().as_slice())
    .bind(session.since.as_millis())
    .bind(session.expires.as_millis())
    .execute(connection)
    .await?;
    Ok(inserted.rows_affected() > 0)
}

/// Writes the state. The transaction has read the confirmation, so nobody else has written it since.
async fn update(connection: &mut SqliteConnection, confirmation: &Confirmation) -> Result<(), StoreError> {
    let id = confirmation.id.as_bytes().as_slice();
    let decided = |state: &'static str, decided: Decided| {
        let (ending, user) = ending_columns(decided.ending);
        sqlx::query(
            "update confirmations set state = ?, ending = ?, user = ?, decided = ?, token = null, token_key = null,
                 due = null, worker = null, lease_until = null
             where id = ?",
        )
        .bind(state)
        .bind(ending)
        .bind(user.map(|user| user.as_bytes().to_vec()))
        .bind(decided.at.as_millis())
    };
    let update = match &confirmation.state {
        State::Queued(Queued { failed, due, fence, lease, .. }) => sqlx::query(
            "update confirmations set failed = ?, due = ?, worker = ?, lease_until = ? where id = ? and fence = ?",
        )
        .bind(failed)
        .bind(due.as_millis())
        .bind(lease.map(|lease| lease.worker.as_bytes().to_vec()))
        .bind(lease.map(|lease| lease.until.as_millis()))
        .bind(id)
        .bind(i64::try_from(*fence).unwrap_or(i64::MAX)),
        State::Decided(how) => decided("decided", *how).bind(id),
        State::Settled(how) => decided("settled", *how).bind(id),
    };
    update.execute(connection).await?;
    Ok(())
}

const fn ending_columns(ending: Ending) -> (&'static str, Option<UserId>) {
    match ending {
        Ending::Confirmed(user) => ("confirmed", Some(user)),
        Ending::Rejected(reason) => (reason.as_str(), None),
        Ending::Unavailable => ("unavailable", None),
    }
}

fn claimed(row: &SqliteRow) -> Result<Claim, StoreError> {
    let confirmation = read(row)?;
    let State::Queued(Queued { token, failed, fence, .. }) = confirmation.state else {
        return Err(Reading::new("confirmations", row).corrupt("claimed, but not queued"));
    };
    let Confirmation { id, secret, begun, deadline, .. } = confirmation;
    Ok(Claim { id, fence, secret, token, failed, begun, deadline })
}

fn read(row: &SqliteRow) -> Result<Confirmation, StoreError> {
    let row = Reading::new("confirmations", row);
    let state = match row.get("state")? {
        "queued" => State::Queued(queued(&row)?),
        "decided" => State::Decided(decided(&row)?),
        "settled" => State::Settled(decided(&row)?),
        _ => return Err(row.corrupt("state")),
    };
    Ok(Confirmation {
        id: ConfirmationId::from_bytes(row.bytes("id")?),
        secret: SecretHash::from_bytes(row.bytes("secret")?),
        token_tag: TokenTag::from_bytes(row.bytes("token_tag")?),
        session: SessionId::from_bytes(row.bytes("session")?),
        begun: row.time("begun")?,
        deadline: row.time("deadline")?,
        state,
    })
}

fn queued(row: &Reading<'_>) -> Result<Queued, StoreError> {
    let lease = match row.optional_bytes("worker")? {
        Some(worker) => Some(Lease { worker: WorkerId::from_bytes(worker), until: row.time("lease_until")? }),
        None => None,
    };
    Ok(Queued {
        token: SealedToken { key_id: row.number("token_key")?, bytes: row.get("token")? },
        failed: row.number("failed")?,
        due: row.time("due")?,
        fence: row.number("fence")?,
        lease,
    })
}

fn decided(row: &Reading<'_>) -> Result<Decided, StoreError> {
    let user = row.optional_bytes("user")?.map(UserId::from_bytes);
    let ending = match (row.get("ending")?, user) {
        ("confirmed", Some(user)) => Ending::Confirmed(user),
        ("unavailable", None) => Ending::Unavailable,
        (reason, None) => Ending::Rejected(Rejection::from_name(reason).ok_or_else(|| row.corrupt("ending"))?),
        _ => return Err(row.corrupt("ending and user fit no state")),
    };
    Ok(Decided { ending, at: row.time("decided")? })
}
