//! Landing and `begin`, durable in SQLite, each from a client of its own, beside a bare loop of the
//! same two inserts.

use crate::{MEASURE, client, percentile, place::Place, row};
use sqlx::{
    ConnectOptions as _, SqliteConnection,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use std::{
    path::Path,
    sync::atomic::{AtomicU32, Ordering},
};
use tokio::time::Instant;

const HOST: &str = "app.example";
const SECRET: &str = "Y1ZtJ0vW8n3qkRu5xTgB2yLhPzXo7mEaQ9dKfCs4wUI=";

static COUNT: AtomicU32 = AtomicU32::new(0);

pub async fn measure() {
    // The worker would work at the same time: here it is the way in alone that is measured.
    let place = Place::open(&[
        ("CONFIRM_IN_FLIGHT", "1".into()),
        ("TRUSTED_PROXIES", "127.0.0.1".into()),
        ("PUBLIC_URL", format!("https://{HOST}")),
        // Nothing listens there.
        ("VALIDATOR_URL", "http://127.0.0.1:9/".into()),
        ("VESTIBULE_SECRET", SECRET.into()),
        ("RUST_LOG", "off".into()),
    ])
    .await;
    let times = client::all(place.addr, async |mut client| {
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        client.come_from(number, HOST);
        let token = format!("down-{number}");
        let landing = client.get(&format!("/confirm/{token}")).await;
        let begun = client
            .post(
                "/api/begin",
                &landing.cookies(),
                &format!("token={token}&again=false"),
            )
            .await;
        assert!(begun.head.starts_with("HTTP/1.1 200"), "{}", begun.head);
        client
    });
    let times = times.await;
    let bare = bare_inserts(place.data.path()).await;
    place.close().await;
    let rate = client::rate(&times);
    row(
        "landing + begin a second, durable",
        &format!("{rate:.0}"),
        "4904",
    );
    row(
        "landing + begin, p99, ms",
        &format!("{:.1}", percentile(&times, 0.99).as_secs_f64() * 1000.0),
        "31",
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
