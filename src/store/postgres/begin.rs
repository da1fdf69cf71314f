//! To begin: many confirmations with their sessions, each both or neither, and no more of one
//! client than it may have.

use super::{batch::BatchJob, connection::Failure, sessions};
use crate::{
    confirmation::{Confirmation, ConfirmationId},
    path::LocalPath,
    store::{
        StoreError,
        begin::{Begin, BeginResult, Census, StoredConfirmations},
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
            let mut census = count(connection, jobs).await?;
            let admitted = census.admit(jobs);
            let inserted = insert(connection, &admitted).await?;
            let (new, others): (Vec<&Self>, Vec<&Self>) = admitted
                .iter()
                .map(|(job, _)| *job)
                .partition(|job| inserted.contains(&job.confirmation.id));
            for job in others {
                census.give_back(job);
            }
            let pending: Vec<_> = new.iter().filter_map(|job| job.session.as_ref()).collect();
            if sessions::insert(connection, &pending).await? < pending.len() as u64 {
                return Err(StoreError::Unavailable(
                    "another session has this one's id or secret".into(),
                )
                .into());
            }
            if inserted.len() == jobs.len() {
                let begun = |job: &&Self| Ok(job.confirmation.clone());
                return Ok(jobs.iter().map(begun).collect());
            }
            let kept = kept(&mut *connection, jobs).await?;
            Ok(census.results(jobs, &kept)?)
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

/// Counts what is there. In plain parts, because each statement is planned anew. Each network is
/// looked up once and by itself: for all at once, a planner without statistics reads all that are
/// undecided.
async fn count(connection: &mut PgConnection, jobs: &[&Begin]) -> Result<Census, Failure> {
    let networks: BTreeSet<_> = jobs
        .iter()
        .map(|job| job.admission.client.networks()[2].as_slice())
        .collect();
    let secrets = |job: &&Begin| job.confirmation.secret.as_slice().to_vec();
    let rows = sqlx::query(
        "select secret, null::bytea as client, null::bytea as network_56, null::bytea as network_48,
             0::bigint as number, 0::bigint as turn
         from confirmations where secret = any($1)
         union all
         select null, undecided.*
         from unnest($2::bytea[]) as asked (network), lateral (
             select client, network_56, network_48, count(*),
                 coalesce(max(turn) filter (where turn < 9223372036854775807) + 1, 0)
             from confirmations where state = 'queued' and network_48 = asked.network
             group by client, network_56, network_48) as undecided
         union all
         select null, null, null, null, 0, coalesce(min(turn), 0)
         from confirmations where state = 'queued' and turn < 9223372036854775807",
    )
    .bind(jobs.iter().map(secrets).collect::<Vec<_>>())
    .bind(networks.into_iter().collect::<Vec<_>>())
    .fetch_all(connection)
    .await?;
    let census: Result<_, StoreError> = rows.iter().map(|row| row::counted(row)).collect();
    Ok(census?)
}

/// Keeps those that were let in, each with its turn, whose pending secret has begun none meanwhile
/// from another network, and returns their ids.
async fn insert(
    connection: &mut PgConnection,
    admitted: &[(&Begin, i64)],
) -> Result<HashSet<ConfirmationId>, Failure> {
    if admitted.is_empty() {
        return Ok(HashSet::new());
    }
    let queued = admitted.iter().map(|(job, _)| job.queued());
    let queued = queued.collect::<Result<Vec<_>, _>>()?;
    let queued: Vec<_> = queued.into_iter().map(QueuedColumns::of).collect();
    let new = || admitted.iter().map(|(job, _)| &job.confirmation);
    let network = |place: usize| {
        move |(job, _): &(&Begin, i64)| job.admission.client.networks()[place].to_vec()
    };
    // In the order of the secrets, for which others that begin the same wait.
    let rows = sqlx::query(
        "insert into confirmations
             (id, secret, token_tag, session, created_at, deadline, state, token, token_key, due_at, client, network_56,
              network_48, turn, next, fence, worker, lease_until)
         select id, secret, token_tag, session, created_at, deadline, 'queued', token, token_key, due_at, client,
             network_56, network_48, turn, next, fence, worker, lease_until
         from unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::bytea[], $5::bigint[], $6::bigint[], $7::bytea[],
                     $8::bigint[], $9::bigint[], $10::bytea[], $11::bytea[], $12::bytea[], $13::bigint[],
                     $14::text[], $15::bigint[], $16::bytea[], $17::bigint[])
             as new (id, secret, token_tag, session, created_at, deadline, token, token_key, due_at, client, network_56,
                     network_48, turn, next, fence, worker, lease_until)
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
    .bind(admitted.iter().map(network(0)).collect::<Vec<_>>())
    .bind(admitted.iter().map(network(1)).collect::<Vec<_>>())
    .bind(admitted.iter().map(network(2)).collect::<Vec<_>>())
    .bind(admitted.iter().map(|(_, turn)| *turn).collect::<Vec<_>>())
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
