//! To begin: many confirmations with their sessions, each both or neither, and no more of one
//! client than it may have.

use super::{
    json::{hex, rows},
    writer::BatchJob,
};
use crate::{
    confirmation::ConfirmationId,
    path::LocalPath,
    session::Session,
    store::{
        StoreError,
        begin::{self, Begin, BeginResult, StoredConfirmations, UndecidedByNetwork},
        row::{self, QueuedColumns, Reading, SessionColumns},
        statements::confirmation_columns,
    },
};
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use sqlx::{SqliteConnection, sqlite::SqliteRow};
use std::collections::HashSet;

/// Begins those that find room, and tells which. A network's turns go on from its last one.
const INSERT_CONFIRMATIONS: &str =
    "with new as materialized (
         select key as place, unhex(value ->> 0) as id, unhex(value ->> 1) as secret, unhex(value ->> 2) as token_tag,
             unhex(value ->> 3) as session, value ->> 4 as created_at, value ->> 5 as deadline,
             unhex(value ->> 6) as token, value ->> 7 as token_key, value ->> 8 as due_at,
             unhex(value ->> 9) as client, unhex(value ->> 10) as network_56, unhex(value ->> 11) as network_48,
             value ->> 12 as room_64, value ->> 13 as room_56, value ->> 14 as room_48, value ->> 15 as next,
             value ->> 16 as fence, unhex(value ->> 17) as worker, value ->> 18 as lease_until
         from json_each($1)
         where not exists (select 1 from confirmations where secret = unhex(value ->> 1))),
     undecided as materialized (
         select client, network_56, network_48, count(*) as number,
             max(turn) filter (where turn < 9223372036854775807) as last
         from confirmations where state = 'queued' and network_48 in (select network_48 from new)
         group by network_48, network_56, client),
     in_64 as (
         select new.*, coalesce(number, 0)
             + row_number() over (partition by client order by room_64 desc, place) as rank_64
         from new left join (select client, sum(number) as number from undecided group by client) using (client)),
     in_56 as (
         select in_64.*, coalesce(number, 0)
             + row_number() over (partition by network_56 order by room_64 desc, place) as rank_56
         from in_64
         left join (select network_56, sum(number) as number from undecided group by network_56) using (network_56)
         where rank_64 <= room_64),
     in_48 as (
         select in_56.*, coalesce(last + 1, 0) as turn_48, coalesce(number, 0)
             + row_number() over (partition by network_48 order by room_64 desc, place) as rank_48
         from in_56
         left join (select network_48, sum(number) as number, max(last) as last from undecided group by network_48)
             using (network_48)
         where rank_56 <= room_56),
     admitted as (
         select in_48.*, due_at > created_at as waits,
             row_number() over (partition by network_48, due_at > created_at order by place) as nth
         from in_48 where rank_48 <= room_48),
     first as materialized (
         select coalesce(min(turn), 0) as turn from confirmations
         where state = 'queued' and turn < 9223372036854775807)
     insert into confirmations
         (id, secret, token_tag, session, created_at, deadline, state, token, token_key, due_at, client, network_56,
          network_48, turn, next, fence, worker, lease_until)
     select id, secret, token_tag, session, created_at, deadline, 'queued', token, token_key, due_at, client,
         network_56, network_48,
         iif(waits, 9223372036854775807, max(turn_48, first.turn) + nth - 1), next,
         fence, worker, lease_until
     from admitted, first
     returning id";

const INSERT_SESSIONS: &str =
    "insert into sessions (id, revision, state, secret, token_tag, created_at, expires_at)
     select unhex(value ->> 0), 0, 'pending', unhex(value ->> 1), unhex(value ->> 2), value ->> 3, value ->> 4
     from json_each($1)";

impl BatchJob for Begin {
    type Done = BeginResult;

    fn run<'c>(
        connection: &'c mut SqliteConnection,
        jobs: &'c [&'c Self],
    ) -> BoxFuture<'c, Result<Vec<BeginResult>, StoreError>> {
        Box::pin(run(connection, jobs))
    }
}

async fn run(
    connection: &mut SqliteConnection,
    jobs: &[&Begin],
) -> Result<Vec<BeginResult>, StoreError> {
    let mut new = begin::first_of_each_secret(jobs);
    let inserted = insert_confirmations(connection, &new).await?;
    new.retain(|job| inserted.contains(&job.confirmation.id));
    insert_sessions(connection, &new).await?;
    if new.len() == jobs.len() {
        let begun = |job: &&Begin| Ok(job.confirmation.clone());
        return Ok(jobs.iter().map(begun).collect());
    }
    let kept = kept(connection, jobs).await?;
    if let Some(all) = begin::all_stored(jobs, &kept) {
        return Ok(all);
    }
    let undecided = undecided(connection, jobs).await?;
    begin::results(jobs, &kept, &undecided)
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
            queued.fence,
            queued.worker.map(hex),
            queued.lease_until,
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
async fn kept(
    connection: &mut SqliteConnection,
    jobs: &[&Begin],
) -> Result<StoredConfirmations, StoreError> {
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
) -> Result<UndecidedByNetwork, StoreError> {
    let networks = jobs
        .iter()
        .map(|job| hex(&job.admission.client.networks()[2]));
    let count = sqlx::query(
        "select client, network_56, network_48, count(*) as number from confirmations
         where state = 'queued' and network_48 in (select unhex(value) from json_each($1))
         group by network_48, network_56, client",
    );
    let rows = count.bind(rows(networks)).fetch_all(connection).await?;
    rows.iter().map(|row| row::undecided(row)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        caps::{Admission, Capped, Client, Shares, Usage},
        clock::Timestamp,
        confirmation::{Confirmation, Queued, State},
        id::SessionId,
        pending::TokenTag,
        secret::{Keys, SealedToken, SecretHash, SystemEntropy},
        store::sqlite::SqliteStore,
        token::Token,
    };
    use sqlx::{Connection as _, sqlite::SqliteConnectOptions};
    use tempfile::TempDir;

    /// One that a client with these networks wants to begin, who may have so many.
    fn begin(number: u8, networks: [u8; 3], of_client: u32) -> Begin {
        let keys = Keys::from_secret(&[7; 32]);
        let token: Token = "a-token".parse().unwrap();
        let id = ConfirmationId::from_bytes([number; 16]);
        let queued = Queued {
            token: SealedToken::seal(&keys, &SystemEntropy, id, &token),
            failed: 0,
            later: None,
            due_at: Timestamp::from_millis(0),
            fence: 0,
            lease: None,
        };
        Begin {
            confirmation: Confirmation {
                id,
                secret: SecretHash::from_bytes([number; 32]),
                token_tag: TokenTag::of(&keys, &token),
                session: SessionId::from_bytes([number; 16]),
                created_at: Timestamp::from_millis(0),
                deadline: Timestamp::from_millis(60_000),
                next: None,
                state: State::Queued(queued),
            },
            session: None,
            admission: Admission {
                client: Client::in_networks(networks.map(|name| [name; 16])),
                shares: Shares::new(of_client),
                usage: Usage::Free,
            },
        }
    }

    /// A connection to a database that is deleted with its folder.
    async fn connect() -> (TempDir, SqliteConnection) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("vestibule.db");
        let keys = Keys::from_secret(&[7; 32]);
        SqliteStore::open(&file, &keys).await.unwrap();
        let options = SqliteConnectOptions::new().filename(&file);
        let connection = SqliteConnection::connect_with(&options).await.unwrap();
        (folder, connection)
    }

    #[tokio::test]
    async fn one_that_is_repeated_is_not_refused_beside_one_that_is() {
        let (_folder, mut connection) = connect().await;
        let [first, second] = [0, 1].map(|number| begin(number, [1, 11, 111], 1));
        let begun = run(&mut connection, &[&first]).await.unwrap();
        let ends = run(&mut connection, &[&second, &first]).await.unwrap();
        assert_eq!(ends, [Err(Capped::Client), begun[0].clone()]);
    }

    #[tokio::test]
    async fn one_that_is_refused_takes_no_room_from_one_that_may_begin() {
        // Within their /64, and within a /56 that they share.
        for clients in [[0; 10], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]] {
            let (_folder, mut connection) = connect().await;
            let jobs = |range: std::ops::Range<u8>, of_client| {
                let name = |number: u8| clients[usize::from(number)];
                let job = |number| begin(number, [name(number), 11, 111], of_client);
                range.map(job).collect::<Vec<_>>()
            };
            for there in jobs(0..3, 4) {
                let begun = run(&mut connection, &[&there]).await.unwrap();
                assert!(begun[0].is_ok());
            }
            let mixed = [jobs(3..9, 1), jobs(9..10, 4)].concat();
            let mixed: Vec<_> = mixed.iter().collect();
            let ends = run(&mut connection, &mixed).await.unwrap();
            let (last, refused) = ends.split_last().unwrap();
            assert!(last.is_ok());
            assert!(refused.iter().all(|end| *end == Err(Capped::Client)));
        }
    }
}
