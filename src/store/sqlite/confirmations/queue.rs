//! The queue: confirmations that wait for a worker.

use super::{
    claim::{self, ClaimRequest},
    get,
};
use crate::{
    caps::Shares,
    clock::Timestamp,
    confirmation::{
        Claim, ClaimLimits, Confirmation, ConfirmationId, Noted, Postponement, State, Which,
        WorkerId,
    },
    store::{
        ConfirmationQueue, StoreError,
        row::{self, QueuedColumns, WaitColumns, key_of_undecided},
        sqlite::SqliteStore,
        statements::{
            ASK_AGAIN, COUNT_ANSWERED_LATER, COUNT_UNDECIDED, POSTPONE_CONFIRMATION,
            POSTPONE_TO_LATER, UNDECIDED_AFTER,
        },
    },
};
use async_trait::async_trait;
use sqlx::SqliteConnection;

#[async_trait]
impl ConfirmationQueue for SqliteStore {
    async fn undecided(&self, at_most: u32) -> Result<u32, StoreError> {
        Ok(sqlx::query_scalar(COUNT_UNDECIDED)
            .bind(at_most)
            .fetch_one(&self.readers)
            .await?)
    }

    async fn answered_later(&self, at_most: u32) -> Result<u32, StoreError> {
        Ok(sqlx::query_scalar(COUNT_ANSWERED_LATER)
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
        // A worker looks for what is due before it claims, but not for what is overdue. Looking
        // first keeps one that finds nothing from writing.
        if which == Which::Overdue && self.next_overdue().await?.is_none_or(|next| next > now) {
            return Ok(Vec::new());
        }
        let request = ClaimRequest {
            worker,
            which,
            limits: limits.clone(),
            now,
            until,
        };
        // Behind all the decisions that wait, it would have the validator wait for the disk.
        self.write_next(request, |connection, request| {
            Box::pin(claim::claim(connection, request))
        })
        .await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let due: Option<i64> = sqlx::query_scalar(
            "select max(due_at, coalesce(lease_until, 0)) from confirmations where state = 'queued'
             order by max(due_at, coalesce(lease_until, 0)) limit 1",
        )
        .fetch_optional(&self.readers)
        .await?;
        Ok(due.map(Timestamp::from_millis))
    }

    async fn next_due_after(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let due: Option<i64> = sqlx::query_scalar(
            "select max(due_at, coalesce(lease_until, 0)) from confirmations
             where state = 'queued' and max(due_at, coalesce(lease_until, 0)) > $1
             order by max(due_at, coalesce(lease_until, 0)) limit 1",
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
        why: Postponement,
    ) -> Result<Noted, StoreError> {
        let claim = (claim.id, claim.fence, due, why);
        self.write(claim, |connection, &(id, fence, due, why)| {
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
        let rows = sqlx::query(UNDECIDED_AFTER)
            .bind(created_at)
            .bind(id)
            .bind(limit)
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(|row| row::confirmation(row)).collect()
    }

    async fn ask_again(&self, id: ConfirmationId, now: Timestamp) -> Result<bool, StoreError> {
        self.write((id, now), |connection, &(id, now)| {
            Box::pin(async move {
                let asked = sqlx::query(ASK_AGAIN)
                    .bind(id.as_slice())
                    .bind(now.as_millis())
                    .execute(connection)
                    .await?;
                Ok(asked.rows_affected() == 1)
            })
        })
        .await
    }

    async fn sweep_confirmations(&self, before: Timestamp) -> Result<u64, StoreError> {
        let sweep = "delete from confirmations where id in (
                         select id from confirmations where state = 'settled' and decided_at < $1 order by decided_at limit $2)";
        self.sweep(sweep, before).await
    }
}

/// Writes that it is free again, if the claim is still the last one.
async fn write_postponed(
    connection: &mut SqliteConnection,
    next: &Confirmation,
) -> Result<Noted, StoreError> {
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
    connection: &mut SqliteConnection,
    next: &Confirmation,
    room: Shares,
) -> Result<Noted, StoreError> {
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
    Ok(if postponed.rows_affected() == 1 {
        Noted::Stored
    } else {
        Noted::NoRoom
    })
}
