//! The queue: confirmations that wait for a worker.

use super::{claim, get};
use crate::{
    caps::Shares,
    clock::Timestamp,
    confirmation::{
        Claim, ClaimLimits, Confirmation, ConfirmationId, Noted, Postponement, State, Which,
        WorkerId,
    },
    store::{
        ConfirmationQueue, StoreError,
        postgres::{PostgresStore, connection::Failure, listen},
        row::{self, QueuedColumns, WaitColumns, key_of_undecided},
        statements::{
            ASK_AGAIN, COUNT_ANSWERED_LATER, COUNT_UNDECIDED, POSTPONE_CONFIRMATION,
            POSTPONE_TO_LATER, UNDECIDED_AFTER,
        },
    },
};
use async_trait::async_trait;
use sqlx::PgConnection;

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
                let Ok(next) = confirmation.postpone(fence, due, why) else {
                    return Ok(Noted::TooLate);
                };
                match why {
                    Postponement::Later(wait) => write_waiting(connection, &next, wait.room).await,
                    Postponement::HandedBack | Postponement::Failed => {
                        write_postponed(connection, &next).await
                    }
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

/// Writes that it is free again, if the claim is still the last one.
async fn write_postponed(
    connection: &mut PgConnection,
    next: &Confirmation,
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
        Noted::Stored
    } else {
        Noted::TooLate
    })
}

/// The same for one whose validator answers later, if there is room.
async fn write_waiting(
    connection: &mut PgConnection,
    next: &Confirmation,
    room: Shares,
) -> Result<Noted, Failure> {
    let State::Queued(queued) = &next.state else {
        return Ok(Noted::TooLate);
    };
    let columns = WaitColumns::of(next, room);
    let queued = QueuedColumns::of(queued);
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
    // Another process may have claimed or decided it since it was read: the worker hands back
    // what has no room, and learns it then.
    Ok(if postponed.rows_affected() == 1 {
        Noted::Stored
    } else {
        Noted::NoRoom
    })
}
