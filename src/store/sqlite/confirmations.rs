//! Confirmations in SQLite. Sessions live in the same file, so to begin, and to decide and settle,
//! is one transaction.

use super::{SqliteStore, decide, sessions};
use crate::{
    caps::{Admission, Capped, Network},
    clock::Timestamp,
    confirmation::{
        Claim, ClaimLimits, Confirmation, ConfirmationId, Decider, Decision, State, Which, WorkerId,
    },
    secret::SecretHash,
    session::{Session, SessionId},
    store::{
        BeginError, ConfirmationQueue, ConfirmationStore, Settlement, StoreError,
        decide::Decide,
        row::{self, QueuedColumns},
    },
};
use async_trait::async_trait;
use sqlx::SqliteConnection;

// In one pass over what its network has undecided: whether there is room, and which turn comes
// next.
macro_rules! insert_confirmation {
    () => {
        "insert into confirmations
             (id, secret, token_tag, session, begun, deadline, state, token, token_key, due, client, network_56,
              network_48, turn)
         select ?1, ?2, ?3, ?4, ?5, ?6, 'queued', ?7, ?8, ?9, ?10, ?11, ?12,
             case when ?9 > ?5 then 9223372036854775807 else
                 max(coalesce(own.last + 1, 0),
                     coalesce((select min(turn) from confirmations
                               where state = 'queued' and turn < 9223372036854775807), 0))
             end
         from (select count(*) filter (where client = ?10) as of_64,
                      count(*) filter (where network_56 = ?11) as of_56,
                      count(*) as of_48,
                      max(turn) filter (where turn < 9223372036854775807) as last
               from confirmations where network_48 = ?12 and state = 'queued') as own
         where own.of_64 < ?13 and own.of_56 < ?14 and own.of_48 < ?15
         on conflict (secret) do nothing;"
    };
}

macro_rules! insert_session {
    () => {
        "insert into sessions (id, revision, state, secret, token_tag, since, expires)
         select ?16, 0, 'pending', ?2, ?3, ?17, ?18 where changes() = 1"
    };
}

/// Those past their deadline, by their deadlines.
const CLAIM_OVERDUE: &str = "update confirmations set fence = fence + 1, worker = ?1, lease_until = ?2
     where id in (
         select id from confirmations indexed by confirmations_waiting
         where state = 'queued' and max(due, coalesce(lease_until, 0)) <= ?3
             and max(deadline, coalesce(lease_until, 0)) between ?5 and ?6
         order by max(deadline, coalesce(lease_until, 0)), max(due, coalesce(lease_until, 0)) limit ?4)
     returning *";

/// By turns, of each network no more than it may have.
const CLAIM_BY_TURNS: &str = "with exceptions (network, room) as materialized (
         select unhex(key), value from json_each(?8)),
     due as materialized (
         select id, coalesce(network_48, x'') as network, turn, deadline
         from confirmations indexed by confirmations_turn
         where state = 'queued' and max(due, coalesce(lease_until, 0)) <= ?3 and deadline between ?5 and ?6
             and coalesce(network_48, x'') not in (select network from exceptions where room = 0)
         order by turn, deadline, max(due, coalesce(lease_until, 0)) limit ?4),
     placed as (
         select id, network, row_number() over (partition by network order by turn, deadline) as place from due)
     update confirmations set fence = fence + 1, worker = ?1, lease_until = ?2
     where id in (
         select id from placed left join exceptions using (network) where place <= coalesce(room, ?7))
     returning *";

#[async_trait]
impl ConfirmationStore for SqliteStore {
    async fn begin(
        &self,
        confirmation: &Confirmation,
        session: &Session,
        admission: Admission,
    ) -> Result<Confirmation, BeginError> {
        let new = (confirmation.clone(), session.clone());
        let apart = self.sessions_apart;
        // To be refused is no failure: it undoes nothing of those who share the transaction.
        let begun = self.write(move |connection| {
            let (confirmation, session) = new.clone();
            Box::pin(async move {
                let session = (!apart).then_some(&session);
                if insert(connection, &confirmation, session, admission).await? {
                    return Ok(Ok(confirmation));
                }
                let known = sqlx::query("select * from confirmations where secret = ?");
                let known = known.bind(confirmation.secret.as_slice());
                match known.fetch_optional(&mut *connection).await? {
                    Some(row) => row::confirmation(&row).map(Ok),
                    None => Ok(Err(capped(connection, admission).await?)),
                }
            })
        });
        Ok(begun.await??)
    }

    async fn confirmation_by_secret(
        &self,
        secret: &SecretHash,
    ) -> Result<Option<Confirmation>, StoreError> {
        let row = sqlx::query("select * from confirmations where secret = ?")
            .bind(secret.as_slice())
            .fetch_optional(&self.readers)
            .await?;
        row.map(|row| row::confirmation(&row)).transpose()
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
        self.write(move |connection| {
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
        let rows = sqlx::query(
            "select * from confirmations where state = 'decided' and decided < ? limit 100",
        )
        .bind(before.as_millis())
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(|row| row::confirmation(row)).collect()
    }

    async fn mark_settled(&self, id: ConfirmationId) -> Result<(), StoreError> {
        self.write(move |connection| {
            Box::pin(async move {
                let settled = sqlx::query(
                    "update confirmations set state = 'settled' where id = ? and state = 'decided'",
                );
                settled.bind(id.as_slice()).execute(connection).await?;
                Ok(())
            })
        })
        .await
    }
}

#[async_trait]
impl ConfirmationQueue for SqliteStore {
    async fn undecided(&self, at_most: u32) -> Result<u32, StoreError> {
        let count =
            "select count(*) from (select 1 from confirmations where state = 'queued' limit ?)";
        Ok(sqlx::query_scalar(count)
            .bind(at_most)
            .fetch_one(&self.readers)
            .await?)
    }

    async fn claim(
        &self,
        worker: WorkerId,
        which: Which,
        limits: &ClaimLimits,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Claim>, StoreError> {
        // Looking first keeps a worker that finds nothing from writing.
        let next = if which == Which::Overdue {
            self.next_overdue()
        } else {
            self.next_due()
        };
        if next.await?.is_none_or(|next| next > now) {
            return Ok(Vec::new());
        }
        let deadlines = which.deadlines(now);
        let from = deadlines.start().as_millis();
        let to = deadlines.end().as_millis();
        let in_all = limits.in_all;
        let of_each = limits.of_each;
        let exceptions = exceptions(limits);
        // Behind all the decisions that wait, it would have the validator wait for the disk.
        self.write_next(move |connection| {
            let exceptions = exceptions.clone();
            Box::pin(async move {
                let claim = sqlx::query(if which == Which::Overdue {
                    CLAIM_OVERDUE
                } else {
                    CLAIM_BY_TURNS
                })
                .bind(worker.as_slice())
                .bind(until.as_millis())
                .bind(now.as_millis())
                .bind(in_all)
                .bind(from)
                .bind(to);
                let claim = if which == Which::Overdue {
                    claim
                } else {
                    claim.bind(of_each).bind(exceptions)
                };
                Ok(row::claims(&claim.fetch_all(connection).await?))
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

    async fn next_due_after(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let due: Option<i64> = sqlx::query_scalar(
            "select max(due, coalesce(lease_until, 0)) from confirmations
             where state = 'queued' and max(due, coalesce(lease_until, 0)) > ?
             order by max(due, coalesce(lease_until, 0)) limit 1",
        )
        .bind(now.as_millis())
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

    async fn postpone(
        &self,
        claim: &Claim,
        due: Timestamp,
        failed: bool,
    ) -> Result<bool, StoreError> {
        let id = claim.id;
        let fence = claim.fence;
        self.write(move |connection| {
            Box::pin(async move {
                let Some(confirmation) = get(connection, id).await? else {
                    return Ok(false);
                };
                let Ok(confirmation) = confirmation.postpone(fence, due, failed) else {
                    return Ok(false);
                };
                write_postponed(connection, &confirmation).await?;
                Ok(true)
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

async fn get(
    connection: &mut SqliteConnection,
    id: ConfirmationId,
) -> Result<Option<Confirmation>, StoreError> {
    let select = sqlx::query("select * from confirmations where id = ?");
    let row = select
        .bind(id.as_slice())
        .fetch_optional(connection)
        .await?;
    row.map(|row| row::confirmation(&row)).transpose()
}

/// The exceptions as the argument of a statement.
fn exceptions(limits: &ClaimLimits) -> String {
    let name = |network: &Network| format!("{:032x}", u128::from_be_bytes(*network));
    let exceptions = limits
        .exceptions
        .iter()
        .map(|(network, limit)| (name(network), (*limit).into()));
    serde_json::Value::Object(exceptions.collect()).to_string()
}

/// Why there was no room, within the transaction that found none.
async fn capped(
    connection: &mut SqliteConnection,
    admission: Admission,
) -> Result<Capped, StoreError> {
    let [own, wider, widest] = admission.client.networks();
    let counts: (u32, u32, u32) = sqlx::query_as(
        "select count(*) filter (where client = ?), count(*) filter (where network_56 = ?), count(*)
         from confirmations where network_48 = ? and state = 'queued'",
    )
    .bind(own.as_slice())
    .bind(wider.as_slice())
    .bind(widest.as_slice())
    .fetch_one(connection)
    .await?;
    Ok(admission.capped(counts.into()).unwrap_or(Capped::Client))
}

/// Keeps both, or neither and `false` if the pending secret has begun one already or there is no
/// room.
///
/// In one call: most of what a begin costs is handing statements over to the driver's thread.
async fn insert(
    connection: &mut SqliteConnection,
    confirmation: &Confirmation,
    session: Option<&Session>,
    admission: Admission,
) -> Result<bool, StoreError> {
    let State::Queued(queued) = &confirmation.state else {
        return Err(StoreError::Unavailable(
            "only a queued confirmation can be begun".into(),
        ));
    };
    let columns = QueuedColumns::of(queued);
    let [own, wider, widest] = admission.client.networks();
    let [of_64, of_56, of_48] = admission.limits();
    let insert = sqlx::query(match session {
        Some(_) => concat!(insert_confirmation!(), insert_session!()),
        None => insert_confirmation!(),
    })
    .bind(confirmation.id.as_slice())
    .bind(confirmation.secret.as_slice())
    .bind(confirmation.token_tag.as_slice())
    .bind(confirmation.session.as_slice())
    .bind(confirmation.begun.as_millis())
    .bind(confirmation.deadline.as_millis())
    .bind(columns.token)
    .bind(columns.token_key)
    .bind(columns.due)
    .bind(own.as_slice())
    .bind(wider.as_slice())
    .bind(widest.as_slice())
    .bind(of_64)
    .bind(of_56)
    .bind(of_48);
    let insert = match session {
        Some(session) => insert
            .bind(session.id.as_slice())
            .bind(session.since.as_millis())
            .bind(session.expires.as_millis()),
        None => insert,
    };
    Ok(insert.execute(connection).await?.rows_affected() > 0)
}

/// Writes that it is free again. This transaction has read the confirmation, so no other has
/// written it since.
async fn write_postponed(
    connection: &mut SqliteConnection,
    confirmation: &Confirmation,
) -> Result<(), StoreError> {
    let State::Queued(queued) = &confirmation.state else {
        return Ok(());
    };
    let columns = QueuedColumns::of(queued);
    sqlx::query("update confirmations set failed = ?, due = ?, worker = ?, lease_until = ? where id = ? and fence = ?")
        .bind(columns.failed)
        .bind(columns.due)
        .bind(columns.worker)
        .bind(columns.lease_until)
        .bind(confirmation.id.as_slice())
        .bind(columns.fence)
        .execute(connection)
        .await?;
    Ok(())
}
