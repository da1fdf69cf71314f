//! To claim: confirmations that are due, under a worker's lease.
//!
//! Rows that another worker is claiming or another process is deciding are skipped, not waited for.

use crate::{
    clock::Timestamp,
    confirmation::{Claim, ClaimLimits, Which, WorkerId},
    store::{postgres::connection::Failure, row, statements::claim_columns},
};
use sqlx::PgConnection;

/// Those past their deadline, by their deadlines.
const CLAIM_OVERDUE: &str = concat!(
    "with due (claimed) as (
         select id from confirmations
         where state = 'queued' and greatest(due_at, lease_until) <= $3
             and greatest(deadline, lease_until) between $5 and $6
         order by greatest(deadline, lease_until), greatest(due_at, lease_until)
         limit $4 for update skip locked)
     update confirmations set fence = fence + 1, worker = $1, lease_until = $2
     from due where id = claimed
     returning ",
    claim_columns!()
);

/// By turns, of each network no more than it may have, looked for in an order that an index has:
/// that of the turns, which passes over all that are not due, or that in which they are due.
macro_rules! claim_by_turns {
    ($order:literal) => {
        concat!(
            "with exceptions as (
                 select network, room from unnest($8::bytea[], $9::bigint[]) as exceptions (network, room)),
             due as (
                 select id, network_48 as network, turn, deadline from confirmations
                 where state = 'queued' and greatest(due_at, lease_until) <= $3 and deadline between $5 and $6
                     and (network_48 is null or network_48 <> all ($10::bytea[]))
                 order by ",
            $order,
            "
                 limit $4 for update skip locked),
             placed as (
                 select id as claimed, network,
                     row_number() over (partition by network order by turn, deadline) as place
                 from due)
             update confirmations set fence = fence + 1, worker = $1, lease_until = $2
             from placed left join exceptions using (network)
             where id = claimed and place <= coalesce(room, $7)
             returning ",
            claim_columns!()
        )
    };
}

/// How many are due. `$1`: the present moment; `$2`: the most that are counted.
const COUNT_DUE: &str = "select count(*) from (
         select 1 from confirmations
         where state = 'queued' and greatest(due_at, lease_until) <= $1
         order by greatest(due_at, lease_until) limit $2) as counted";

/// Claims what may be claimed, in one statement.
pub(super) async fn claim(
    connection: &mut PgConnection,
    worker: WorkerId,
    which: Which,
    limits: &ClaimLimits,
    [now, until]: [Timestamp; 2],
) -> Result<Vec<Claim>, Failure> {
    let deadlines = which.deadlines(now);
    let is_overdue = which == Which::Overdue;
    let statement = if is_overdue {
        CLAIM_OVERDUE
    } else if all_fit(connection, limits.in_all, now).await? {
        claim_by_turns!("greatest(due_at, lease_until)")
    } else {
        claim_by_turns!("turn, deadline, greatest(due_at, lease_until)")
    };
    let claim = sqlx::query(statement)
        .bind(worker.as_slice())
        .bind(until.as_millis())
        .bind(now.as_millis())
        .bind(i64::from(limits.in_all))
        .bind(deadlines.start().as_millis())
        .bind(deadlines.end().as_millis());
    if is_overdue {
        return Ok(row::claims(&claim.fetch_all(connection).await?));
    }
    let networks = limits.exceptions.keys().map(<[u8; 16]>::as_slice);
    let rooms = limits.exceptions.values().map(|limit| i64::from(*limit));
    let left_out = limits.left_out().map(<[u8; 16]>::as_slice);
    let claim = claim
        .bind(i64::from(limits.of_each))
        .bind(networks.collect::<Vec<_>>())
        .bind(rooms.collect::<Vec<_>>())
        .bind(left_out.collect::<Vec<_>>());
    Ok(row::claims(&claim.fetch_all(connection).await?))
}

/// Whether a worker that may claim so many may claim all that are due, so that their turns need not
/// be looked for among those that wait.
async fn all_fit(
    connection: &mut PgConnection,
    limit: u32,
    now: Timestamp,
) -> Result<bool, Failure> {
    let due: i64 = sqlx::query_scalar(COUNT_DUE)
        .bind(now.as_millis())
        .bind(i64::from(limit) + 1)
        .fetch_one(connection)
        .await?;
    Ok(due <= i64::from(limit))
}
