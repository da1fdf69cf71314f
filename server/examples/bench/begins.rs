//! Landing and `begin`, durable in SQLite, each from a client of its own, beside a bare loop of the
//! same two inserts.

use crate::{
    MEASURE, client, client::Client, percentile, place::Place, row, settled::Bench, sign_in,
};
use sqlx::{
    ConnectOptions as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use std::{
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};
use tokio::time::Instant;

/// How many are there in one of two servers that are compared.
const UNDECIDED: usize = 100_000;
/// How often they are compared.
const TURNS: usize = 5;

static COUNT: AtomicU32 = AtomicU32::new(0);

/// The number of the next browser.
pub fn next_number() -> u32 {
    COUNT.fetch_add(1, Ordering::Relaxed)
}

/// More settings for servers in which all that begins stays undecided.
pub fn settings() -> [(&'static str, String); 2] {
    [
        // Nothing listens there.
        ("VALIDATOR_URL", "http://127.0.0.1:9/".into()),
        ("CONFIRM_UNDECIDED", u32::MAX.to_string()),
    ]
}

pub async fn measure() {
    // The worker would work at the same time: here it is the way in alone that is measured.
    let settings = [&sign_in::settings()[..], &settings()].concat();
    let place = Place::open_without_worker(&settings).await;
    let times = begin_all(&place).await;
    let bare = bare_inserts(place.data.path()).await;
    let rate = client::rate(&times);
    row(
        "landing + begin a second, durable",
        &format!("{rate:.0}"),
        "",
    );
    row(
        "landing + begin, p99, ms",
        &format!("{:.1}", percentile(&times, 0.99).as_secs_f64() * 1000.0),
        "",
    );
    row(
        "the same two inserts in a bare loop, a second",
        &format!("{bare:.0}"),
        "",
    );
    row(
        "landing + begin to bare inserts",
        &format!("{:.2}", rate / bare),
        "",
    );
    place.close().await;
    let ratio = beside_undecided(&settings).await;
    row(
        &format!("the same as often with {UNDECIDED} undecided beside"),
        &format!("{ratio:.2}"),
        "1.2",
    );
}

/// How many times as many begin a second where nothing is as where [`UNDECIDED`] are: the median of
/// [`TURNS`].
async fn beside_undecided(settings: &[(&str, String)]) -> f64 {
    let alone = Place::open_without_worker(settings).await;
    let beside = Place::open_without_worker(settings).await;
    let there = Bench::at(&beside.data.path().join("vestibule.db")).await;
    there.begin(UNDECIDED).await;
    let mut ratios = Vec::new();
    for _ in 0..TURNS {
        let rate = client::rate(&begin_all(&alone).await);
        ratios.push(rate / client::rate(&begin_all(&beside).await));
    }
    alone.close().await;
    beside.close().await;
    ratios.sort_unstable_by(f64::total_cmp);
    ratios[TURNS / 2]
}

/// Has as many begin as can, each from a client of its own.
async fn begin_all(place: &Place) -> Vec<Duration> {
    client::all(place.addr, async |mut client: Client| {
        sign_in::begin(&mut client, next_number()).await;
        client
    })
    .await
}

/// One connection, a transaction each time.
async fn bare_inserts(folder: &Path) -> f64 {
    let options = SqliteConnectOptions::new()
        .filename(folder.join("bare.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let mut connection = options.connect().await.expect("a new file");
    run(
        &mut connection,
        "create table a (id blob primary key, secret blob unique, rest blob)",
    )
    .await;
    run(
        &mut connection,
        "create table b (id blob primary key, secret blob unique, rest blob)",
    )
    .await;
    let start = Instant::now();
    let mut count = 0_u32;
    while start.elapsed() < MEASURE {
        run(&mut connection, "begin immediate").await;
        run(
            &mut connection,
            "insert into a values (randomblob(16), randomblob(32), randomblob(120))",
        )
        .await;
        run(
            &mut connection,
            "insert into b values (randomblob(16), randomblob(32), randomblob(60))",
        )
        .await;
        run(&mut connection, "commit").await;
        count += 1;
    }
    f64::from(count) / start.elapsed().as_secs_f64()
}

async fn run(connection: &mut SqliteConnection, statement: &'static str) {
    sqlx::query(statement)
        .execute(connection)
        .await
        .expect("a plain statement");
}
