//! The log is copied back to the file, by the writer or beside it.

use crate::support::{Harness, Sample, soon};
use sqlx::SqliteConnection;
use vestibule::store::SessionStore as _;

/// With so many pages in the log, the writer itself copies it back.
const WAL_PAGES: i64 = 16_000;

/// How many pages are in the log, and how many of them have been copied back. Copies nothing.
async fn log(raw: &mut SqliteConnection) -> (i64, i64) {
    let asked = sqlx::query_as("pragma wal_checkpoint(noop)");
    let (_, pages, copied): (i64, i64, i64) = asked.fetch_one(raw).await.unwrap();
    (pages, copied)
}

#[tokio::test]
async fn the_log_is_copied_back_while_it_is_short() {
    let harness = Harness::open().await;
    let session = Sample::new(1).session;
    for _ in 0..512 {
        harness.store.insert_session(&session).await.unwrap();
        harness.store.delete_session(session.id).await.unwrap();
    }
    let mut raw = harness.raw().await;
    let copied_back = async {
        loop {
            let (pages, copied) = log(&mut raw).await;
            assert!(pages < WAL_PAGES);
            if copied > 0 {
                break;
            }
        }
    };
    soon("the log to be copied back", copied_back).await;
}

#[tokio::test]
async fn a_log_that_is_too_long_begins_anew() {
    let harness = Harness::open().await;
    let mut raw = harness.raw().await;
    for statement in [
        "pragma wal_autocheckpoint = 0",
        "create table ballast (bytes blob)",
        "insert into ballast values (zeroblob(16000 * 4096))",
    ] {
        sqlx::query(statement).execute(&mut raw).await.unwrap();
    }
    let (pages, copied) = log(&mut raw).await;
    assert!(pages > WAL_PAGES && copied == 0, "{pages} {copied}");
    for number in 1..=2 {
        let session = Sample::new(number).session;
        harness.store.insert_session(&session).await.unwrap();
    }
    let (pages, _) = log(&mut raw).await;
    assert!(pages < 100, "{pages}");
}

/// <https://www.sqlite.org/wal.html#walresetbug>: before, two connections that copy the log back
/// could corrupt the file.
#[tokio::test]
async fn sqlite_can_have_its_log_copied_back_by_two_connections() {
    let harness = Harness::open().await;
    let mut raw = harness.raw().await;
    let version = sqlx::query_scalar("select sqlite_version()");
    let version: String = version.fetch_one(&mut raw).await.unwrap();
    let numbers: Vec<u32> = version
        .split('.')
        .map(|part| part.parse().unwrap())
        .collect();
    assert!(numbers >= vec![3, 51, 3], "{version}");
}
