//! `kill -9` at every step and at any moment: nothing is lost, nothing is done twice.

use crate::support::{Browser, Database, Process, Validator, free_port};
use std::{env, time::Duration};
use tokio::task::JoinSet;

/// The places at which a process halts, and whether there is such a step where sessions are in the same database.
const PLACES: [(&str, bool); 10] = [
    ("begin", true),
    ("begun", true),
    ("claimed", true),
    ("answered", true),
    ("decided", true),
    ("announced", true),
    ("settling", false),
    ("followed", false),
    ("exchange", true),
    ("exchanged", true),
];

async fn survives_a_kill_at(place: &str, database: &Database) {
    let (port, validator) = (free_port(), Validator::taking(Duration::ZERO).await);
    let mut process = Process::serving(port, database, &validator, &[("VESTIBULE_HALT_AT", place)]).await;
    let browser = Browser::at(port);
    let signing_in = tokio::spawn(async move { browser.sign_in("link").await });
    process.halted(1).await;
    process.kill().await;
    let _process = Process::serving(port, database, &validator, &[]).await;
    signing_in.await.unwrap_or_else(|_| panic!("the sign-in is lost by a kill at {place}"));
    let calls = validator.calls();
    assert!(calls.len() == 1 && calls[0] <= 2, "{place}: the validator was asked {calls:?} times");
    let settled = [("settled".to_owned(), Some("confirmed".to_owned()), 1)];
    assert_eq!(database.endings().await, settled, "{place}");
    let sessions = database.sessions().await;
    let here = [("established".to_owned(), None, 1)];
    assert!(sessions == here || (sessions.is_empty() && matches!(database, Database::Postgres { redis: Some(_), .. })));
}

#[tokio::test]
async fn a_sign_in_on_sqlite_survives_a_kill_at_each_step() {
    for (place, _) in PLACES.into_iter().filter(|(_, together)| *together) {
        survives_a_kill_at(place, &Database::sqlite()).await;
    }
}

#[tokio::test]
async fn a_sign_in_on_postgres_survives_a_kill_at_each_step() {
    for (place, _) in PLACES.into_iter().filter(|(_, together)| *together) {
        let Some(database) = Database::postgres(false).await else { return };
        survives_a_kill_at(place, &database).await;
    }
}

#[tokio::test]
async fn a_sign_in_with_its_session_in_redis_survives_a_kill_at_each_step() {
    for (place, _) in PLACES {
        let Some(database) = Database::postgres(true).await else { return };
        survives_a_kill_at(place, &database).await;
    }
}

/// Kills the server again and again while links are opened. `VESTIBULE_KILLS=1000` kills more often.
async fn survives_kills_at_any_moment(database: Database) {
    let kills: u32 = env::var("VESTIBULE_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(10);
    let links = kills * 10;
    let (port, validator) = (free_port(), Validator::taking(Duration::from_millis(20)).await);
    let mut process = Process::serving(port, &database, &validator, &[]).await;
    let mut browsers = JoinSet::new();
    let mut next = 0;
    for kill in 1..=kills {
        while next < links * kill / kills {
            browsers.spawn(async move { Browser::at(port).sign_in(&format!("link-{next}")).await });
            next += 1;
        }
        // Somewhere in the middle of them, never twice at the same moment.
        let moment = Duration::from_micros(u64::from(kill.wrapping_mul(2_654_435_761) % 120_000));
        tokio::time::sleep(moment).await;
        process.kill().await;
        process = Process::serving(port, &database, &validator, &[]).await;
    }
    while let Some(signed_in) = browsers.join_next().await {
        signed_in.expect("no sign-in is lost");
    }
    let settled = [("settled".to_owned(), Some("confirmed".to_owned()), i64::from(links))];
    assert_eq!(database.endings().await, settled);
    let established = [("established".to_owned(), None, i64::from(links))];
    assert_eq!(database.sessions().await, established);
    let calls: usize = validator.calls().iter().sum();
    let extra = calls - usize::try_from(links).expect("a small number");
    println!("{kills} kills over {links} sign-ins: none lost, one session each, {extra} extra calls of the validator");
}

#[tokio::test]
async fn sign_ins_on_sqlite_survive_kills_at_any_moment() {
    survives_kills_at_any_moment(Database::sqlite()).await;
}

#[tokio::test]
async fn sign_ins_on_postgres_survive_kills_at_any_moment() {
    let Some(database) = Database::postgres(false).await else { return };
    survives_kills_at_any_moment(database).await;
}
