//! To claim: confirmations that are due, under a worker's lease.

use crate::{
    caps::Network,
    clock::Timestamp,
    confirmation::{Claim, ClaimLimits, Which, WorkerId},
    store::{StoreError, row, statements::claim_columns},
};
use sqlx::SqliteConnection;

/// Those past their deadline, by their deadlines.
const CLAIM_OVERDUE: &str = concat!(
    "update confirmations set fence = fence + 1, worker = $1, lease_until = $2
     where id in (
         select id from confirmations indexed by confirmations_waiting
         where state = 'queued' and max(due_at, coalesce(lease_until, 0)) <= $3
             and max(deadline, coalesce(lease_until, 0)) between $5 and $6
         order by max(deadline, coalesce(lease_until, 0)), max(due_at, coalesce(lease_until, 0)) limit $4)
     returning ",
    claim_columns!()
);

/// By turns, of each network no more than it may have, found by an index: the turns' own, which
/// passes over all that are not due, or that of those that are.
macro_rules! claim_by_turns {
    ($index:literal) => {
        concat!(
            "with exceptions (network, room) as materialized (
                 select unhex(key), value from json_each($8)),
             due as materialized (
                 select id, coalesce(network_48, x'') as network, turn, deadline
                 from confirmations indexed by ",
            $index,
            "
                 where state = 'queued' and max(due_at, coalesce(lease_until, 0)) <= $3
                     and deadline between $5 and $6
                     and coalesce(network_48, x'') not in (select network from exceptions where room = 0)
                 order by turn, deadline, max(due_at, coalesce(lease_until, 0)) limit $4),
             placed as (
                 select id, network, row_number() over (partition by network order by turn, deadline) as place
                 from due)
             update confirmations set fence = fence + 1, worker = $1, lease_until = $2
             where id in (
                 select id from placed left join exceptions using (network) where place <= coalesce(room, $7))
             returning ",
            claim_columns!()
        )
    };
}

/// How many are due. `$1`: the present moment; `$2`: the most that are counted.
const COUNT_DUE: &str = "select count(*) from (
         select 1 from confirmations indexed by confirmations_due
         where state = 'queued' and max(due_at, coalesce(lease_until, 0)) <= $1 limit $2)";

/// What a worker asks for.
pub(super) struct ClaimRequest {
    pub worker: WorkerId,
    pub which: Which,
    pub limits: ClaimLimits,
    pub now: Timestamp,
    /// When the lease ends.
    pub until: Timestamp,
}

/// Claims what may be claimed, within the transaction of `connection`.
pub(super) async fn claim(
    connection: &mut SqliteConnection,
    request: &ClaimRequest,
) -> Result<Vec<Claim>, StoreError> {
    let deadlines = request.which.deadlines(request.now);
    let is_overdue = request.which == Which::Overdue;
    let statement = if is_overdue {
        CLAIM_OVERDUE
    } else if all_fit(connection, request).await? {
        claim_by_turns!("confirmations_due")
    } else {
        claim_by_turns!("confirmations_turn")
    };
    let claim = sqlx::query(statement)
        .bind(request.worker.as_slice())
        .bind(request.until.as_millis())
        .bind(request.now.as_millis())
        .bind(request.limits.in_all)
        .bind(deadlines.start().as_millis())
        .bind(deadlines.end().as_millis());
    let claim = if is_overdue {
        claim
    } else {
        claim
            .bind(request.limits.of_each)
            .bind(exceptions(&request.limits))
    };
    Ok(row::claims(&claim.fetch_all(connection).await?))
}

/// Whether the worker may claim all that are due, so that their turns need not be looked for among
/// those that wait.
async fn all_fit(
    connection: &mut SqliteConnection,
    request: &ClaimRequest,
) -> Result<bool, StoreError> {
    let limit = request.limits.in_all;
    let due: u32 = sqlx::query_scalar(COUNT_DUE)
        .bind(request.now.as_millis())
        .bind(i64::from(limit) + 1)
        .fetch_one(connection)
        .await?;
    Ok(due <= limit)
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
