//! What a claim takes beside millions of old confirmations, and beside none.

use crate::{database::Database, percentile, row, settled::Bench};
use futures_util::{StreamExt as _, stream};
use sqlx::{
    ConnectOptions as _, Connection as _, PgConnection, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteSynchronous},
};
use std::{env, time::Duration};
use tokio::time::Instant;
use vestibule::{
    clock::{Clock as _, SystemClock},
    confirmation::{Claim, Decider, Decision, Which, WorkerId},
    secret::SystemEntropy,
    store::{Settlement, Stores},
    user::UserId,
    worker::IN_FLIGHT,
};

/// How many are claimed at once, and how often.
const AT_ONCE: usize = 20;
const CLAIMS: usize = 200;

/// How many old ones there are: `VESTIBULE_BENCH_OLD`, or ten million, which take up 4 GB in each
/// database.
fn old() -> u32 {
    env::var("VESTIBULE_BENCH_OLD")
        .ok()
        .and_then(|old| old.parse().ok())
        .unwrap_or(10_000_000)
}

pub async fn measure() {
    for database in Database::all().await {
        compare(&database).await;
        database.close().await;
    }
}

async fn compare(database: &Database) {
    let name = database.name();
    // The validator is never asked.
    let bench = Bench::new(database.stores().await, "http://127.0.0.1:9/");
    let alone = median(&bench).await;
    match database {
        Database::Sqlite(_) => fill_sqlite(&database.url()).await,
        Database::Postgres(_) => fill_postgres(&database.url()).await,
    }
    let beside = median(&bench).await;
    let alone = alone.as_secs_f64();
    let beside = beside.as_secs_f64();
    row(
        &format!("claim of {AT_ONCE}, median, ms, {name}"),
        &format!("{:.2}", alone * 1000.0),
        "",
    );
    row(
        &format!("the same beside {} old ones, ms, {name}", old()),
        &format!("{:.2}", beside * 1000.0),
        "",
    );
    row(
        &format!("beside old ones to alone, {name}"),
        &format!("{:.2}", beside / alone),
        "2",
    );
}

/// Claims and settles all that is due.
pub async fn clear(bench: &Bench) {
    let worker = WorkerId::generate(&SystemEntropy);
    loop {
        let now = SystemClock.now();
        let until = now + Duration::from_secs(30);
        let claims = bench
            .stores
            .queue
            .claim(worker, Which::Any, &2_048.into(), now, until)
            .await
            .expect("the store can be used");
        if claims.is_empty() {
            return;
        }
        settle(&bench.stores, claims).await;
    }
}

/// How long a claim of [`AT_ONCE`] takes.
pub async fn median(bench: &Bench) -> Duration {
    let worker = WorkerId::generate(&SystemEntropy);
    let mut times = Vec::with_capacity(CLAIMS);
    for _ in 0..CLAIMS {
        bench.begin(AT_ONCE).await;
        let start = Instant::now();
        let now = SystemClock.now();
        let limit = u32::try_from(IN_FLIGHT).expect("some thousands");
        let claims = bench
            .stores
            .queue
            .claim(
                worker,
                Which::Any,
                &limit.into(),
                now,
                now + Duration::from_secs(30),
            )
            .await;
        times.push(start.elapsed());
        let claims = claims.expect("the store can be used");
        assert_eq!(claims.len(), AT_ONCE, "those that have begun are due");
        settle(&bench.stores, claims).await;
    }
    times.sort_unstable();
    percentile(&times, 0.5)
}

async fn settle(stores: &Stores, claims: Vec<Claim>) {
    let settle = |claim: Claim| async move {
        let new_user = UserId::generate(&SystemEntropy);
        let settlement = Settlement {
            now: SystemClock.now(),
            new_user,
            bound: Duration::from_mins(15),
            tells: false,
        };
        let decider = Decider::Worker { fence: claim.fence };
        stores
            .confirmations
            .decide(claim.id, decider, &Decision::Unavailable, settlement)
            .await
            .expect("the store can be used");
    };
    stream::iter(claims)
        .map(settle)
        .buffer_unordered(256)
        .collect::<Vec<()>>()
        .await;
}

/// How many rows one statement adds.
const PART: u32 = 250_000;

/// The parts that make up all old ones: the first number of each, and the one after its last.
fn parts() -> impl Iterator<Item = (u32, u32)> {
    (0..old())
        .step_by(PART as usize)
        .map(|first| (first, old().min(first + PART)))
}

/// How far apart the ids of two old ones are, of 32 bits: over all that there are, so that new ones
/// fall between them.
fn step() -> u32 {
    u32::MAX / old().max(1)
}

async fn fill_sqlite(url: &str) {
    let options: SqliteConnectOptions = url.parse().expect("the address of a file");
    let options = options.synchronous(SqliteSynchronous::Off);
    let mut connection = options.connect().await.expect("the store has made it");
    for (first, end) in parts() {
        let insert = sqlx::query(
            "with recursive numbers (n) as (select ?1 union all select n + 1 from numbers where n + 1 < ?2)
             insert into confirmations
                 (id, secret, token_tag, session, created_at, deadline, state, fence, ending, user_id, decided_at, client)
             select unhex(printf('%08x%024x', n * ?3, n)), unhex(printf('%08x%056x', n * ?3, n)), randomblob(8),
                 randomblob(16), ?4 - n, ?4 - n + 60000, 'settled', 1, 'confirmed', randomblob(16), ?4 - n + 200,
                 randomblob(16)
             from numbers",
        );
        let insert = insert
            .bind(first)
            .bind(end)
            .bind(step())
            .bind(SystemClock.now().as_millis());
        insert
            .execute(&mut connection)
            .await
            .expect("there is room on the disk");
    }
    run_sqlite(&mut connection, "pragma wal_checkpoint(truncate)").await;
    connection.close().await.expect("all is written");
}

async fn run_sqlite(connection: &mut SqliteConnection, statement: &'static str) {
    sqlx::query(statement)
        .execute(connection)
        .await
        .expect("a plain statement");
}

async fn fill_postgres(url: &str) {
    let mut connection = PgConnection::connect(url).await.expect("the store is open");
    sqlx::query("set synchronous_commit = off")
        .execute(&mut connection)
        .await
        .expect("a plain statement");
    for (first, end) in parts() {
        let insert = sqlx::query(
            "insert into confirmations
                 (id, secret, token_tag, session, created_at, deadline, state, fence, ending, user_id, decided_at, client)
             select decode(lpad(to_hex(n * $3), 8, '0') || lpad(to_hex(n), 24, '0'), 'hex'),
                 decode(lpad(to_hex(n * $3), 8, '0') || lpad(to_hex(n), 56, '0'), 'hex'),
                 int8send(n), uuid_send(gen_random_uuid()), $4 - n, $4 - n + 60000, 'settled', 1, 'confirmed',
                 uuid_send(gen_random_uuid()), $4 - n + 200, uuid_send(gen_random_uuid())
             from generate_series($1::bigint, $2::bigint - 1) as numbers (n)",
        );
        let insert = insert
            .bind(i64::from(first))
            .bind(i64::from(end))
            .bind(i64::from(step()));
        insert
            .bind(SystemClock.now().as_millis())
            .execute(&mut connection)
            .await
            .expect("there is room on the disk");
    }
    // What the server does by itself, sooner or later.
    for statement in ["vacuum (analyze) confirmations", "checkpoint"] {
        sqlx::query(statement)
            .execute(&mut connection)
            .await
            .expect("a plain statement");
    }
}
