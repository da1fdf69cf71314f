//! To begin: many confirmations with their sessions, each both or neither, and no more of one
//! client than it may have.

use super::{batch::BatchJob, connection::Failure, sessions};
use crate::{
    confirmation::{Confirmation, ConfirmationId},
    path::LocalPath,
    store::{
        StoreError,
        begin::{self, Begin, BeginResult, StoredConfirmations, UndecidedByNetwork},
        row::{self, QueuedColumns, Reading},
        statements::confirmation_columns,
    },
};
use futures_util::future::BoxFuture;
use sqlx::{PgConnection, postgres::PgRow};
use std::collections::{BTreeSet, HashSet};

impl BatchJob for Begin {
    type Done = BeginResult;

    fn run<'c>(
        connection: &'c mut PgConnection,
        jobs: &'c [&'c Self],
    ) -> BoxFuture<'c, Result<Vec<Self::Done>, Failure>> {
        Box::pin(async move {
            take_turns(connection, jobs).await?;
            let mut new = begin::first_of_each_secret(jobs);
            let inserted = insert(connection, &new).await?;
            new.retain(|job| inserted.contains(&job.confirmation.id));
            let pending: Vec<_> = new.iter().filter_map(|job| job.session.as_ref()).collect();
            if sessions::insert(connection, &pending).await? < pending.len() as u64 {
                return Err(StoreError::Unavailable(
                    "another session has this one's id or secret".into(),
                )
                .into());
            }
            if new.len() == jobs.len() {
                let begun = |job: &&Self| Ok(job.confirmation.clone());
                return Ok(jobs.iter().map(begun).collect());
            }
            let kept = kept(&mut *connection, jobs).await?;
            if let Some(all) = begin::all_stored(jobs, &kept) {
                return Ok(all);
            }
            let undecided = undecided(connection, jobs).await?;
            Ok(begin::results(jobs, &kept, &undecided)?)
        })
    }
}

/// Locks the counts of these clients until the end of the transaction: two transactions that count
/// at once would each find room for the last one. Locks in one order, so that there is no deadlock,
/// and before anything else. A client's widest network stands for all of its networks.
async fn take_turns(connection: &mut PgConnection, jobs: &[&Begin]) -> Result<(), Failure> {
    let turn = |job: &&Begin| {
        i64::from_be_bytes(std::array::from_fn(|place| {
            job.admission.client.networks()[2][place]
        }))
    };
    let turns: BTreeSet<i64> = jobs.iter().map(turn).collect();
    sqlx::query("select pg_advisory_xact_lock(turn) from unnest($1::bigint[]) as turns (turn)")
        .bind(turns.into_iter().collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}

/// Keeps those whose pending secret has begun none, and returns their ids.
async fn insert(
    connection: &mut PgConnection,
    jobs: &[&Begin],
) -> Result<HashSet<ConfirmationId>, Failure> {
    let queued = jobs.iter().map(|job| job.queued());
    let queued = queued.collect::<Result<Vec<_>, _>>()?;
    let queued: Vec<_> = queued.into_iter().map(QueuedColumns::of).collect();
    let new = || jobs.iter().map(|job| &job.confirmation);
    let network =
        |place: usize| move |job: &&Begin| job.admission.client.networks()[place].to_vec();
    let limit = |place: usize| move |job: &&Begin| i64::from(job.admission.limits()[place]);
    // In the order of the secrets, for which others that begin the same wait.
    let rows = sqlx::query(
        "with new as (
             select *
             from unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::bytea[], $5::bigint[], $6::bigint[], $7::bytea[],
                         $8::bigint[], $9::bigint[], $10::bytea[], $11::bytea[], $12::bytea[], $13::bigint[],
                         $14::bigint[], $15::bigint[], $16::text[], $17::bigint[], $18::bytea[], $19::bigint[])
                 with ordinality
                 as new (id, secret, token_tag, session, created_at, deadline, token, token_key, due_at, client, network_56,
                         network_48, room_64, room_56, room_48, next, fence, worker, lease_until, place)
             where not exists (select from confirmations where confirmations.secret = new.secret)),
         undecided as (
             select client, network_56, network_48, count(*) as number,
                 max(turn) filter (where turn < 9223372036854775807) as last
             from confirmations where state = 'queued' and network_48 = any($12)
             group by client, network_56, network_48),
         in_64 as (
             select new.*, coalesce(number, 0)
                 + row_number() over (partition by client order by room_64 desc, place) as rank_64
             from new
             left join (select client, sum(number) as number from undecided group by client) as there using (client)),
         in_56 as (
             select in_64.*, coalesce(number, 0)
                 + row_number() over (partition by network_56 order by room_64 desc, place) as rank_56
             from in_64
             left join (select network_56, sum(number) as number from undecided group by network_56) as there
                 using (network_56)
             where rank_64 <= room_64),
         in_48 as (
             select in_56.*, coalesce(last + 1, 0) as turn_48, coalesce(number, 0)
                 + row_number() over (partition by network_48 order by room_64 desc, place) as rank_48
             from in_56
             left join (select network_48, sum(number) as number, max(last) as last from undecided group by network_48)
                 as there using (network_48)
             where rank_56 <= room_56),
         admitted as (
             select in_48.*, due_at > created_at as waits,
                 row_number() over (partition by network_48, due_at > created_at order by place) as nth
             from in_48 where rank_48 <= room_48),
         first as (
             select coalesce(min(turn), 0) as turn from confirmations
             where state = 'queued' and turn < 9223372036854775807)
         insert into confirmations
             (id, secret, token_tag, session, created_at, deadline, state, token, token_key, due_at, client, network_56,
              network_48, turn, next, fence, worker, lease_until)
         select id, secret, token_tag, session, created_at, deadline, 'queued', token, token_key, due_at, client, network_56,
             network_48,
             case when waits then 9223372036854775807 else greatest(turn_48, first.turn) + nth - 1 end, next,
             fence, worker, lease_until
         from admitted, first
         order by secret
         on conflict (secret) do nothing returning id",
    )
    .bind(new().map(|new| new.id.as_slice()).collect::<Vec<_>>())
    .bind(new().map(|new| new.secret.as_slice()).collect::<Vec<_>>())
    .bind(new().map(|new| new.token_tag.as_slice()).collect::<Vec<_>>())
    .bind(new().map(|new| new.session.as_slice()).collect::<Vec<_>>())
    .bind(new().map(|new| new.created_at.as_millis()).collect::<Vec<_>>())
    .bind(new().map(|new| new.deadline.as_millis()).collect::<Vec<_>>())
    .bind(queued.iter().map(|queued| queued.token).collect::<Vec<_>>())
    .bind(queued.iter().map(|queued| queued.token_key).collect::<Vec<_>>())
    .bind(queued.iter().map(|queued| queued.due_at).collect::<Vec<_>>())
    .bind(jobs.iter().map(network(0)).collect::<Vec<_>>())
    .bind(jobs.iter().map(network(1)).collect::<Vec<_>>())
    .bind(jobs.iter().map(network(2)).collect::<Vec<_>>())
    .bind(jobs.iter().map(limit(0)).collect::<Vec<_>>())
    .bind(jobs.iter().map(limit(1)).collect::<Vec<_>>())
    .bind(jobs.iter().map(limit(2)).collect::<Vec<_>>())
    .bind(new().map(|new| new.next.as_ref().map(LocalPath::as_str)).collect::<Vec<_>>())
    .bind(queued.iter().map(|queued| queued.fence).collect::<Vec<_>>())
    .bind(queued.iter().map(|queued| queued.worker).collect::<Vec<_>>())
    .bind(queued.iter().map(|queued| queued.lease_until).collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    let id = |row: &PgRow| {
        let row = Reading::new("confirmations", row);
        row.bytes("id").map(ConfirmationId::from_bytes)
    };
    Ok(rows.iter().map(id).collect::<Result<_, _>>()?)
}

/// What is kept under the pending secrets of `jobs`.
async fn kept(
    connection: &mut PgConnection,
    jobs: &[&Begin],
) -> Result<StoredConfirmations, Failure> {
    let secrets: Vec<_> = jobs
        .iter()
        .map(|job| job.confirmation.secret.as_slice())
        .collect();
    let select = concat!(
        "select ",
        confirmation_columns!(),
        " from confirmations where secret = any($1)"
    );
    let rows = sqlx::query(select)
        .bind(secrets)
        .fetch_all(connection)
        .await?;
    let keyed = |confirmation: Confirmation| (confirmation.secret, confirmation);
    Ok(rows
        .iter()
        .map(|row| row::confirmation(row).map(keyed))
        .collect::<Result<_, _>>()?)
}

/// How many undecided confirmations there are in the networks of `jobs`.
async fn undecided(
    connection: &mut PgConnection,
    jobs: &[&Begin],
) -> Result<UndecidedByNetwork, Failure> {
    let networks: Vec<_> = jobs
        .iter()
        .map(|job| job.admission.client.networks()[2].as_slice())
        .collect();
    let rows = sqlx::query(
        "select client, network_56, network_48, count(*) as number from confirmations
         where state = 'queued' and network_48 = any($1) group by client, network_56, network_48",
    )
    .bind(networks)
    .fetch_all(connection)
    .await?;
    let counted: Result<_, StoreError> = rows.iter().map(|row| row::undecided(row)).collect();
    Ok(counted?)
}
