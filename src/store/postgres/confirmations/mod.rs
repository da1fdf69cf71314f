//! Confirmations in PostgreSQL.

mod claim;

use super::{PostgresStore, batch, connection::Failure, listen, sessions};
use crate::{
    caps::{Admission, Shares},
    clock::Timestamp,
    confirmation::{
        Claim, ClaimLimits, Confirmation, ConfirmationId, Decider, Decision, Noted, Postponement,
        State, Wait, Which, WorkerId,
    },
    path::LocalPath,
    secret::SecretHash,
    session::{Session, SessionId},
    store::{
        BeginError, ConfirmationQueue, ConfirmationStore, Settlement, StoreError,
        begin::Begin,
        decide::Decide,
        row::{self, DecidedColumns, QueuedColumns, WaitColumns, key_of_undecided},
        statements::{
            ASK_AGAIN, CONFIRMATION_BY_ID, CONFIRMATION_BY_SECRET, COUNT_ANSWERED_LATER,
            COUNT_UNDECIDED, MARK_CONFIRMATION_SETTLED, POSTPONE_CONFIRMATION, POSTPONE_TO_LATER,
            UNDECIDED_AFTER, UNSETTLED_CONFIRMATIONS, WAIT, confirmation_columns,
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

#[async_trait]
impl ConfirmationQueue for PostgresStore {
    async fn undecided(&self, at_most: u32) -> Result<u32, StoreError> {
        self.run(move |connection| {
            Box::pin(async move {
                let count = sqlx::query_scalar(COUNT_UNDECIDED).bind(i64::from(at_most));
                let count: i64 = count.fetch_one(connection).await?;
                Ok(u32::try_from(count).unwrap_or(at_most))
            })
        })
        .await
    }

    async fn answered_later(&self, at_most: u32) -> Result<u32, StoreError> {
        self.run(move |connection| {
            Box::pin(async move {
                let count = sqlx::query_scalar(COUNT_ANSWERED_LATER).bind(i64::from(at_most));
                let count: i64 = count.fetch_one(connection).await?;
                Ok(u32::try_from(count).unwrap_or(at_most))
            })
        })
        .await
    }

    async fn claim(
        &self,
        worker: WorkerId,
        which: Which,
        limits: &ClaimLimits,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Claim>, StoreError> {
        let limits = limits.clone();
        self.run(move |connection| {
            Box::pin(
                async move { claim::claim(connection, worker, which, &limits, [now, until]).await },
            )
        })
        .await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.run(|connection| {
            Box::pin(async move {
                let due: Option<Option<i64>> = sqlx::query_scalar(
                    "select greatest(due_at, lease_until) from confirmations where state = 'queued'
                     order by greatest(due_at, lease_until) limit 1",
                )
                .fetch_optional(connection)
                .await?;
                Ok(due.flatten().map(Timestamp::from_millis))
            })
        })
        .await
    }

    async fn next_due_after(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        self.run(move |connection| {
            Box::pin(async move {
                let due: Option<Option<i64>> = sqlx::query_scalar(
                    "select greatest(due_at, lease_until) from confirmations
                     where state = 'queued' and greatest(due_at, lease_until) > $1
                     order by greatest(due_at, lease_until) limit 1",
                )
                .bind(now.as_millis())
                .fetch_optional(connection)
                .await?;
                Ok(due.flatten().map(Timestamp::from_millis))
            })
        })
        .await
    }

    async fn next_overdue(&self) -> Result<Option<Timestamp>, StoreError> {
        self.run(|connection| {
            Box::pin(async move {
                let overdue: Option<i64> = sqlx::query_scalar(
                    "select greatest(deadline, lease_until) from confirmations where state = 'queued'
                     order by greatest(deadline, lease_until) limit 1",
                )
                .fetch_optional(connection)
                .await?;
                Ok(overdue.map(Timestamp::from_millis))
            })
        })
        .await
    }

    async fn postpone(
        &self,
        claim: &Claim,
        due: Timestamp,
        why: Postponement,
    ) -> Result<Noted, StoreError> {
        let id = claim.id;
        let fence = claim.fence;
        self.run(move |connection| {
            Box::pin(async move {
                let Some(confirmation) = get(connection, id).await? else {
                    return Ok(Noted::TooLate);
                };
                let Ok(next) = confirmation.clone().postpone(fence, due, why) else {
                    return Ok(Noted::TooLate);
                };
                let Postponement::Later(wait) = why else {
                    return write_postponed(connection, &next, Noted::Stored).await;
                };
                if write_waiting(connection, &next, wait.room).await? {
                    return Ok(Noted::Stored);
                }
                match confirmation.postpone(fence, due, Postponement::HandedBack) {
                    Ok(next) => write_postponed(connection, &next, Noted::NoRoom).await,
                    Err(_) => Ok(Noted::TooLate),
                }
            })
        })
        .await
    }

    async fn list_undecided(
        &self,
        after: Option<&Confirmation>,
        limit: u32,
    ) -> Result<Vec<Confirmation>, StoreError> {
        let (created_at, id) = key_of_undecided(after);
        self.run(move |connection| {
            Box::pin(async move {
                let rows = sqlx::query(UNDECIDED_AFTER)
                    .bind(created_at)
                    .bind(id)
                    .bind(i64::from(limit))
                    .fetch_all(connection)
                    .await?;
                Ok(rows
                    .iter()
                    .map(|row| row::confirmation(row))
                    .collect::<Result<_, _>>()?)
            })
        })
        .await
    }

    async fn ask_again(&self, id: ConfirmationId, now: Timestamp) -> Result<bool, StoreError> {
        self.run(move |connection| {
            Box::pin(async move {
                let asked = sqlx::query(ASK_AGAIN)
                    .bind(id.as_slice())
                    .bind(now.as_millis())
                    .execute(&mut *connection)
                    .await?;
                let is_due = asked.rows_affected() == 1;
                if is_due {
                    // Not left to the `Notifier`: a command ends as soon as it has its answer.
                    listen::notify(connection).await;
                }
                Ok(is_due)
            })
        })
        .await
    }

    async fn sweep_confirmations(&self, before: Timestamp) -> Result<u64, StoreError> {
        let sweep = "delete from confirmations where id in (
                         select id from confirmations where state = 'settled' and decided_at < $1
                         order by decided_at limit $2 for update skip locked)";
        self.sweep(sweep, before).await
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

/// Writes that it is free again, which comes to `noted`, if the claim is still the last one.
async fn write_postponed(
    connection: &mut PgConnection,
    next: &Confirmation,
    noted: Noted,
) -> Result<Noted, Failure> {
    let State::Queued(queued) = &next.state else {
        return Ok(Noted::TooLate);
    };
    let columns = QueuedColumns::of(queued);
    let postponed = sqlx::query(POSTPONE_CONFIRMATION)
        .bind(columns.failed)
        .bind(columns.due_at)
        .bind(next.id.as_slice())
        .bind(columns.fence)
        .execute(connection)
        .await?;
    Ok(if postponed.rows_affected() == 1 {
        noted
    } else {
        Noted::TooLate
    })
}

/// The same for one whose validator answers later. `false`: there is no room, or it is too late.
async fn write_waiting(
    connection: &mut PgConnection,
    next: &Confirmation,
    room: Shares,
) -> Result<bool, Failure> {
    let State::Queued(queued) = &next.state else {
        return Ok(false);
    };
    let (columns, queued) = (WaitColumns::of(next, room), QueuedColumns::of(queued));
    let postponed = sqlx::query(POSTPONE_TO_LATER)
        .bind(columns.deadline)
        .bind(columns.stage)
        .bind(columns.room[0])
        .bind(columns.room[1])
        .bind(columns.room[2])
        .bind(next.id.as_slice())
        .bind(queued.fence)
        .bind(queued.due_at)
        .execute(connection)
        .await?;
    Ok(postponed.rows_affected() == 1)
}
