//! To begin: many confirmations with their sessions, each both or neither, and no more of one
//! client than it may have.

use super::{batch::BatchJob, connection::Failure, sessions};
use crate::{
    confirmation::Confirmation,
    path::LocalPath,
    session::Session,
    store::{
        StoreError,
        begin::{self, Begin, Begun, Kept, Undecided},
        row::{self, QueuedColumns},
        statements::confirmation_columns,
    },
};
use futures_util::future::BoxFuture;
use sqlx::{PgConnection, Row as _, postgres::PgRow};
use std::collections::{BTreeSet, HashSet};

impl BatchJob for Begin {
    type Done = Begun;

    fn run<'c>(
        jobs: &'c [Self],
        connection: &'c mut PgConnection,
    ) -> BoxFuture<'c, Result<Vec<Self::Done>, Failure>> {
        Box::pin(async move {
            take_turns(connection, jobs).await?;
            let mut inserted = insert(connection, jobs).await?;
            // Of two jobs with one pending secret, also where it is one request that came twice,
            // the first one begins.
            let is_new: Vec<bool> = jobs
                .iter()
                .map(|job| inserted.remove(job.confirmation.id.as_bytes()))
                .collect();
            let new = jobs.iter().zip(&is_new).filter(|(_, is_new)| **is_new);
            let pending: Vec<&Session> = new.filter_map(|(job, _)| job.session.as_ref()).collect();
            if sessions::insert(connection, &pending).await? < pending.len() as u64 {
                return Err(StoreError::Unavailable(
                    "another session has this one's id or secret".into(),
                )
                .into());
            }
            if is_new.iter().all(|is_new| *is_new) {
                return Ok(jobs
                    .iter()
                    .map(|job| Ok(job.confirmation.clone()))
                    .collect());
            }
            let kept = kept(&mut *connection, jobs).await?;
            let jobs: Vec<&Self> = jobs.iter().collect();
            if let Some(all) = begin::all_kept(&jobs, &kept) {
                return Ok(all);
            }
            let undecided = undecided(connection, &jobs).await?;
            Ok(begin::ends(&jobs, &kept, &undecided)?)
        })
    }
}

/// Locks the counts of these clients until the end of the transaction: two transactions that count
/// at once would each find room for the last one. Locks in one order, so that there is no deadlock,
/// and before anything else. A client's widest network stands for all of its networks.
async fn take_turns(connection: &mut PgConnection, jobs: &[Begin]) -> Result<(), Failure> {
    let turn = |job: &Begin| {
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
    jobs: &[Begin],
) -> Result<HashSet<[u8; 16]>, Failure> {
    let columns = |job| Ok::<_, StoreError>(QueuedColumns::of(Begin::queued(job)?));
    let queued = jobs.iter().map(columns).collect::<Result<Vec<_>, _>>()?;
    let new = || jobs.iter().map(|job| &job.confirmation);
    let network =
        |place: usize| move |job: &'_ Begin| job.admission.client.networks()[place].to_vec();
    let limit = |place: usize| move |job: &Begin| i64::from(job.admission.limits()[place]);
    // The new ones of a network are numbered on from those it has, for the last to find no room:
    // those of a /64 first, then in its /56 those that have found room, then in its /48. What is
    // there already takes none. In the order of the secrets, for which others that begin the same
    // wait.
    let rows = sqlx::query(
        "with new as (
             select distinct on (secret) *
             from unnest($1::bytea[], $2::bytea[], $3::bytea[], $4::bytea[], $5::bigint[], $6::bigint[], $7::bytea[],
                         $8::bigint[], $9::bigint[], $10::bytea[], $11::bytea[], $12::bytea[], $13::bigint[],
                         $14::bigint[], $15::bigint[], $16::text[])
                 with ordinality
                 as new (id, secret, token_tag, session, created_at, deadline, token, token_key, due_at, client, network_56,
                         network_48, room_64, room_56, room_48, next, place)
             where not exists (select from confirmations where confirmations.secret = new.secret)
             order by secret, place),
         undecided as (
             select client, network_56, network_48, count(*) as number,
                 max(turn) filter (where turn < 9223372036854775807) as last
             from confirmations where state = 'queued' and network_48 = any($12)
             group by client, network_56, network_48),
         in_64 as (
             select new.*, coalesce(number, 0) + row_number() over (partition by client order by place) as number_64
             from new
             left join (select client, sum(number) as number from undecided group by client) as there using (client)),
         in_56 as (
             select in_64.*,
                 coalesce(number, 0) + row_number() over (partition by network_56 order by place) as number_56
             from in_64
             left join (select network_56, sum(number) as number from undecided group by network_56) as there
                 using (network_56)
             where number_64 <= room_64),
         in_48 as (
             select in_56.*, coalesce(number, 0) as there_48, coalesce(last + 1, 0) as turn_48,
                 row_number() over (partition by network_48 order by place) as place_48
             from in_56
             left join (select network_48, sum(number) as number, max(last) as last from undecided group by network_48)
                 as there using (network_48)
             where number_56 <= room_56),
         first as (
             select coalesce(min(turn), 0) as turn from confirmations
             where state = 'queued' and turn < 9223372036854775807)
         insert into confirmations
             (id, secret, token_tag, session, created_at, deadline, state, token, token_key, due_at, client, network_56,
              network_48, turn, next)
         select id, secret, token_tag, session, created_at, deadline, 'queued', token, token_key, due_at, client, network_56,
             network_48,
             case when due_at > created_at then 9223372036854775807 else greatest(turn_48, first.turn) + place_48 - 1 end,
             next
         from in_48, first where there_48 + place_48 <= room_48
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
    .fetch_all(connection)
    .await?;
    Ok(rows
        .iter()
        .map(|row| row.try_get("id"))
        .collect::<Result<_, _>>()?)
}

/// What is kept under the pending secrets of `jobs`.
async fn kept(connection: &mut PgConnection, jobs: &[Begin]) -> Result<Kept, Failure> {
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
async fn undecided(connection: &mut PgConnection, jobs: &[&Begin]) -> Result<Undecided, Failure> {
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
    let counted = |row: &PgRow| {
        let networks = [
            row.try_get("client")?,
            row.try_get("network_56")?,
            row.try_get("network_48")?,
        ];
        let number: i64 = row.try_get("number")?;
        Ok::<_, sqlx::Error>((networks, u32::try_from(number).unwrap_or(u32::MAX)))
    };
    Ok(Undecided(
        rows.iter().map(counted).collect::<Result<_, _>>()?,
    ))
}
