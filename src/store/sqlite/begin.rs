//! To begin: many confirmations with their sessions, each both or neither, and no more of one
//! client than it may have.

use super::{
    json::{hex, rows},
    writer::BatchJob,
};
use crate::{
    caps::Network,
    confirmation::ConfirmationId,
    path::LocalPath,
    session::Session,
    store::{
        StoreError,
        begin::{self, Begin, Begun, Kept, Undecided},
        row::{self, QueuedColumns, Reading, SessionColumns},
        statements::confirmation_columns,
    },
};
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use sqlx::{SqliteConnection, sqlite::SqliteRow};
use std::collections::HashSet;

/// Begins those that find room, and tells which.
///
/// The new ones of a network are numbered on from those it has, for the last to find no room: those
/// of a /64 first, then in its /56 those that have found room, then in its /48. What is there
/// already takes none. A network's turns go on from its last one.
const INSERT_CONFIRMATIONS: &str =
    "with new as materialized (
         select key as place, unhex(value ->> 0) as id, unhex(value ->> 1) as secret, unhex(value ->> 2) as token_tag,
             unhex(value ->> 3) as session, value ->> 4 as created_at, value ->> 5 as deadline,
             unhex(value ->> 6) as token, value ->> 7 as token_key, value ->> 8 as due_at,
             unhex(value ->> 9) as client, unhex(value ->> 10) as network_56, unhex(value ->> 11) as network_48,
             value ->> 12 as room_64, value ->> 13 as room_56, value ->> 14 as room_48, value ->> 15 as next
         from json_each($1)
         where not exists (select 1 from confirmations where secret = unhex(value ->> 1))),
     undecided as materialized (
         select client, network_56, network_48, count(*) as number,
             max(turn) filter (where turn < 9223372036854775807) as last
         from confirmations where state = 'queued' and network_48 in (select network_48 from new)
         group by network_48, network_56, client),
     in_64 as (
         select new.*, row_number() over (partition by client order by place)
             + coalesce((select sum(number) from undecided where client = new.client), 0) as number_64
         from new),
     in_56 as (
         select in_64.*, row_number() over (partition by network_56 order by place)
             + coalesce((select sum(number) from undecided where network_56 = in_64.network_56), 0) as number_56
         from in_64 where number_64 <= room_64),
     in_48 as (
         select in_56.*, row_number() over (partition by network_48 order by place) as place_48,
             coalesce((select sum(number) from undecided where network_48 = in_56.network_48), 0) as there_48,
             coalesce((select max(last) + 1 from undecided where network_48 = in_56.network_48), 0) as turn_48
         from in_56 where number_56 <= room_56),
     first as materialized (
         select coalesce(min(turn), 0) as turn from confirmations
         where state = 'queued' and turn < 9223372036854775807)
     insert into confirmations
         (id, secret, token_tag, session, created_at, deadline, state, token, token_key, due_at, client, network_56,
          network_48, turn, next)
     select id, secret, token_tag, session, created_at, deadline, 'queued', token, token_key, due_at, client,
         network_56, network_48,
         iif(due_at > created_at, 9223372036854775807, max(turn_48, first.turn) + place_48 - 1), next
     from in_48, first where there_48 + place_48 <= room_48
     returning id";

const INSERT_SESSIONS: &str =
    "insert into sessions (id, revision, state, secret, token_tag, created_at, expires_at)
     select unhex(value ->> 0), 0, 'pending', unhex(value ->> 1), unhex(value ->> 2), value ->> 3, value ->> 4
     from json_each($1)";

impl BatchJob for Begin {
    type Done = Begun;

    fn run<'c>(
        connection: &'c mut SqliteConnection,
        jobs: &'c [&'c Self],
    ) -> BoxFuture<'c, Result<Vec<Begun>, StoreError>> {
        Box::pin(run(connection, jobs))
    }
}

async fn run(connection: &mut SqliteConnection, jobs: &[&Begin]) -> Result<Vec<Begun>, StoreError> {
    // Of two with one pending secret, also where it is one request that came twice, the first one
    // begins.
    let mut secrets = HashSet::new();
    let is_first = |job: &&&Begin| secrets.insert(job.confirmation.secret);
    let mut new: Vec<&Begin> = jobs.iter().filter(is_first).copied().collect();
    let inserted = insert_confirmations(connection, &new).await?;
    new.retain(|job| inserted.contains(&job.confirmation.id));
    insert_sessions(connection, &new).await?;
    if new.len() == jobs.len() {
        let begun = |job: &&Begin| Ok(job.confirmation.clone());
        return Ok(jobs.iter().map(begun).collect());
    }
    let kept = kept(connection, jobs).await?;
    if let Some(all) = begin::all_kept(jobs, &kept) {
        return Ok(all);
    }
    let undecided = undecided(connection, jobs).await?;
    begin::ends(jobs, &kept, &undecided)
}

/// Keeps those whose pending secret has begun none and that find room, and returns their ids.
async fn insert_confirmations(
    connection: &mut SqliteConnection,
    jobs: &[&Begin],
) -> Result<HashSet<ConfirmationId>, StoreError> {
    let columns = |job: &&Begin| {
        let confirmation = &job.confirmation;
        let queued = QueuedColumns::of(job.queued()?);
        let [own, wider, widest] = job.admission.client.networks();
        let [of_64, of_56, of_48] = job.admission.limits();
        Ok(json!([
            hex(confirmation.id.as_slice()),
            hex(confirmation.secret.as_slice()),
            hex(confirmation.token_tag.as_slice()),
            hex(confirmation.session.as_slice()),
            confirmation.created_at.as_millis(),
            confirmation.deadline.as_millis(),
            hex(queued.token),
            queued.token_key,
            queued.due_at,
            hex(own),
            hex(wider),
            hex(widest),
            of_64,
            of_56,
            of_48,
            confirmation.next.as_ref().map(LocalPath::as_str),
        ]))
    };
    let new: Vec<Value> = jobs
        .iter()
        .map(columns)
        .collect::<Result<_, StoreError>>()?;
    let insert = sqlx::query(INSERT_CONFIRMATIONS).bind(rows(new));
    let id = |row: &SqliteRow| {
        let row = Reading::new("confirmations", row);
        row.bytes("id").map(ConfirmationId::from_bytes)
    };
    let inserted = insert.fetch_all(connection).await?;
    inserted.iter().map(id).collect()
}

/// Keeps the sessions of those of `jobs` that have one.
async fn insert_sessions(
    connection: &mut SqliteConnection,
    jobs: &[&Begin],
) -> Result<(), StoreError> {
    let columns = |session: &Session| {
        let columns = SessionColumns::of(session);
        json!([
            hex(columns.id),
            hex(columns.secret),
            columns.token_tag.map(hex),
            columns.created_at,
            columns.expires_at,
        ])
    };
    let sessions = jobs.iter().filter_map(|job| job.session.as_ref());
    if let Some(sessions) = rows(sessions.map(columns)) {
        let insert = sqlx::query(INSERT_SESSIONS).bind(sessions);
        insert.execute(connection).await?;
    }
    Ok(())
}

/// What is kept under the pending secrets of `jobs`.
async fn kept(connection: &mut SqliteConnection, jobs: &[&Begin]) -> Result<Kept, StoreError> {
    let secrets = jobs
        .iter()
        .map(|job| hex(job.confirmation.secret.as_slice()));
    let select = concat!(
        "select ",
        confirmation_columns!(),
        " from confirmations where secret in (select unhex(value) from json_each($1))"
    );
    let select = sqlx::query(select).bind(rows(secrets));
    let rows = select.fetch_all(connection).await?;
    let keyed = |row: &SqliteRow| {
        let confirmation = row::confirmation(row)?;
        Ok((confirmation.secret, confirmation))
    };
    rows.iter().map(keyed).collect()
}

/// How many undecided confirmations there are in the networks of `jobs`.
async fn undecided(
    connection: &mut SqliteConnection,
    jobs: &[&Begin],
) -> Result<Undecided, StoreError> {
    let networks = jobs
        .iter()
        .map(|job| hex(&job.admission.client.networks()[2]));
    let count = sqlx::query(
        "select client, network_56, network_48, count(*) as number from confirmations
         where state = 'queued' and network_48 in (select unhex(value) from json_each($1))
         group by network_48, network_56, client",
    );
    let rows = count.bind(rows(networks)).fetch_all(connection).await?;
    let counted = |row: &SqliteRow| {
        let row = Reading::new("confirmations", row);
        let networks: [Network; 3] = [
            row.bytes("client")?,
            row.bytes("network_56")?,
            row.bytes("network_48")?,
        ];
        Ok((networks, row.number("number")?))
    };
    let counted: Result<Vec<_>, StoreError> = rows.iter().map(counted).collect();
    counted.map(Undecided)
}
