//! To begin: many confirmations with their sessions, each both or neither, and no more of one
//! client than it may have.

use super::{
    json::{hex, rows, with_new},
    writer::BatchJob,
};
use crate::{
    path::LocalPath,
    session::Session,
    store::{
        StoreError,
        begin::{Begin, BeginResult, Census, StoredConfirmations},
        row::{self, QueuedColumns, SessionColumns},
        statements::confirmation_columns,
    },
};
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use sqlx::{SqliteConnection, sqlite::SqliteRow};

/// Counts what is there for these secrets and these networks.
const COUNT: &str =
    "select secret, null as client, null as network_56, null as network_48, 0 as number, 0 as turn
     from confirmations where secret in (select unhex(value) from json_each($1))
     union all
     select null, client, network_56, network_48, count(*),
         coalesce(max(turn) filter (where turn < 9223372036854775807) + 1, 0)
     from confirmations
     where state = 'queued' and network_48 in (select unhex(value) from json_each($2))
     group by network_48, network_56, client
     union all
     select null, null, null, null, 0, coalesce(min(turn), 0)
     from confirmations where state = 'queued' and turn < 9223372036854775807";

const INSERT_CONFIRMATIONS: &str = concat!(
    with_new!(),
    "insert into confirmations
         (id, secret, token_tag, session, created_at, deadline, state, token, token_key, due_at, client, network_56,
          network_48, turn, next, fence, worker, lease_until)
     select unhex(value ->> 0), unhex(value ->> 1), unhex(value ->> 2), unhex(value ->> 3), value ->> 4, value ->> 5,
         'queued', unhex(value ->> 6), value ->> 7, value ->> 8, unhex(value ->> 9), unhex(value ->> 10),
         unhex(value ->> 11), value ->> 12, value ->> 13, value ->> 14, unhex(value ->> 15), value ->> 16
     from new"
);

const INSERT_SESSIONS: &str = concat!(
    with_new!(),
    "insert into sessions (id, revision, state, secret, token_tag, created_at, expires_at)
     select unhex(value ->> 0), 0, 'pending', unhex(value ->> 1), unhex(value ->> 2), value ->> 3, value ->> 4
     from new"
);

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
    let mut census = count(connection, jobs).await?;
    let admitted = census.admit(jobs);
    insert_confirmations(connection, &admitted).await?;
    insert_sessions(connection, &admitted).await?;
    if admitted.len() == jobs.len() {
        let begun = |job: &&Begin| Ok(job.confirmation.clone());
        return Ok(jobs.iter().map(begun).collect());
    }
    let kept = kept(connection, jobs).await?;
    census.results(jobs, &kept)
}

async fn count(connection: &mut SqliteConnection, jobs: &[&Begin]) -> Result<Census, StoreError> {
    let networks = |job: &&Begin| hex(&job.admission.client.networks()[2]);
    let count = sqlx::query(COUNT)
        .bind(rows(secrets(jobs)))
        .bind(rows(jobs.iter().map(networks)));
    let rows = count.fetch_all(connection).await?;
    rows.iter().map(|row| row::counted(row)).collect()
}

/// Keeps those that were let in, each with its turn.
async fn insert_confirmations(
    connection: &mut SqliteConnection,
    admitted: &[(&Begin, i64)],
) -> Result<(), StoreError> {
    let columns = |(job, turn): &(&Begin, i64)| {
        let confirmation = &job.confirmation;
        let queued = QueuedColumns::of(job.queued()?);
        let [own, wider, widest] = job.admission.client.networks();
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
            turn,
            confirmation.next.as_ref().map(LocalPath::as_str),
            queued.fence,
            queued.worker.map(hex),
            queued.lease_until,
        ]))
    };
    let new: Result<Vec<Value>, StoreError> = admitted.iter().map(columns).collect();
    if let Some(new) = rows(new?) {
        let insert = sqlx::query(INSERT_CONFIRMATIONS).bind(new);
        insert.execute(connection).await?;
    }
    Ok(())
}

/// Keeps the sessions of those that have one.
async fn insert_sessions(
    connection: &mut SqliteConnection,
    admitted: &[(&Begin, i64)],
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
    let sessions = admitted.iter().filter_map(|(job, _)| job.session.as_ref());
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
    let select = concat!(
        "select ",
        confirmation_columns!(),
        " from confirmations where secret in (select unhex(value) from json_each($1))"
    );
    let select = sqlx::query(select).bind(rows(secrets(jobs)));
    let rows = select.fetch_all(connection).await?;
    let keyed = |row: &SqliteRow| {
        let confirmation = row::confirmation(row)?;
        Ok((confirmation.secret, confirmation))
    };
    rows.iter().map(keyed).collect()
}

/// The pending secrets of `jobs`.
fn secrets(jobs: &[&Begin]) -> impl Iterator<Item = Value> {
    jobs.iter()
        .map(|job| hex(job.confirmation.secret.as_slice()))
}
