//! The validator goes away, or the database, and comes back: nothing that has begun is lost, no
//! browser is told a wrong outcome, and no process of ours has to be restarted.

use crate::support::{Browser, Database, Postgres, Process, Validator, free_port, size, until};
use futures_util::{StreamExt as _, future::join_all, stream};
use reqwest::StatusCode;
use std::time::Duration;
use tokio::{task::JoinSet, time::Instant};

/// How many begin at once while the database is away: more than there are connections to it.
const AT_ONCE: usize = 16;

/// How many questions are open when it goes away.
const BEGUN: usize = 100;

/// For how many seconds something is away. `VESTIBULE_AWAY=60` is longer.
fn away() -> Duration {
    Duration::from_secs(size("VESTIBULE_AWAY", 2) as u64)
}

/// Tries to begin some links, which must fail, and returns how many.
async fn refused(port: u16) -> usize {
    let begins = (0..AT_ONCE).map(|number| async move {
        let browser = Browser::at(port);
        let token = format!("refused-{number}");
        browser.open(&token).await;
        browser.begin(&token).await
    });
    for begin in join_all(begins).await {
        assert_eq!(
            begin,
            (StatusCode::SERVICE_UNAVAILABLE, true),
            "to begin without a database"
        );
    }
    AT_ONCE
}

#[tokio::test]
async fn a_database_that_dies_and_comes_back_loses_nothing_and_poisons_no_connection() {
    let Some(mut postgres) = Postgres::start().await else {
        return;
    };
    let database = Database::Postgres {
        url: postgres.url(),
        redis: None,
    };
    let port = free_port();
    let validator = Validator::holding(|_| true).await;
    // Time enough for all to begin before the first question is given up.
    let settings = [
        ("CONFIRM_DEADLINE", "10min"),
        ("CONFIRM_ATTEMPT", "8s"),
        ("CONFIRM_LEASE", "9s"),
    ];
    let server = Process::serving(port, &database, &validator, &settings).await;
    let mut browsers = JoinSet::new();
    for link in 0..BEGUN {
        browsers.spawn(async move { Browser::at(port).sign_in(&format!("link-{link}")).await });
    }
    validator.open(BEGUN).await;

    let since = Instant::now();
    postgres.fall_silent().await;
    let down = (
        503,
        "database: down\nsessions: down\nworker: ok\n".to_owned(),
    );
    let visitor = Browser::at(port);
    let (mut refusals, ()) = tokio::join!(refused(port), async {
        assert_eq!(visitor.look("/readyz").await, down, "silent");
        postgres.die().await;
        // Whatever the answers are, they cannot be written down.
        validator.release(Duration::ZERO);
    });
    while since.elapsed() < away() {
        assert_eq!(visitor.look("/readyz").await, down, "dead");
        assert_eq!(visitor.look("/healthz").await.0, 200);
        assert_eq!(
            visitor.look("/confirm/link").await.0,
            200,
            "a landing needs no database"
        );
        refusals += refused(port).await;
    }
    let was_away = since.elapsed();
    postgres.come_back().await;

    let back = Instant::now();
    until("the server to be ready", || visitor.get("/readyz")).await;
    while let Some(signed_in) = browsers.join_next().await {
        signed_in.expect("no sign-in is lost");
    }
    let settled_after = back.elapsed();
    // More than there are connections, one after the other and at once: each answer is a good one.
    for number in 0..AT_ONCE {
        Browser::impatient(port)
            .sign_in(&format!("alone-{number}"))
            .await;
    }
    let at_once = |number| async move {
        Browser::impatient(port)
            .sign_in(&format!("at-once-{number}"))
            .await
    };
    join_all((0..AT_ONCE).map(at_once)).await;
    let confirmed = i64::try_from(BEGUN + 2 * AT_ONCE).expect("not many");
    assert_eq!(
        database.endings().await,
        [(
            "settled".to_owned(),
            Some("confirmed".to_owned()),
            confirmed
        )]
    );
    server.finish().await;
    println!(
        "figure: PostgreSQL silent and dead for {:.1} s: {refusals} begins, each refused with 503 and Retry-After; {BEGUN} sign-ins \
         that had begun were settled {:.1} s after its return, {} later ones without a fault",
        was_away.as_secs_f64(),
        settled_after.as_secs_f64(),
        2 * AT_ONCE
    );
}

/// What the log says once.
const LEFT_ALONE: &str = "it is tried now and then until it does";

/// `VESTIBULE_WAITING=10000` has more wait. While they do, the validator first refuses connections
/// and then answers 503.
async fn all_wait_for_a_validator_that_is_away(database: Database) {
    let waiting = size("VESTIBULE_WAITING", 200);
    let port = free_port();
    let validator = Validator::absent();
    let settings = [
        ("CONFIRM_DEADLINE", "10min"),
        ("CONFIRM_ATTEMPT", "10s"),
        ("CONFIRM_LEASE", "30s"),
    ];
    let server = Process::serving(port, &database, &validator, &settings).await;
    let begin = |link: usize| async move {
        let browser = Browser::impatient(port);
        let token = format!("link-{link}");
        browser.open(&token).await;
        assert_eq!(browser.begin(&token).await.0, StatusCode::OK);
        (browser, token)
    };
    let since = Instant::now();
    // As many as are asked about before it is left alone; the rest comes then, however soon.
    let first = stream::iter(0..waiting / 4)
        .map(begin)
        .buffer_unordered(AT_ONCE)
        .collect::<Vec<_>>()
        .await;
    until("the validator to be left alone", || async {
        (server.said(LEFT_ALONE) > 0).then_some(())
    })
    .await;
    let rest = stream::iter(waiting / 4..waiting)
        .map(begin)
        .buffer_unordered(AT_ONCE)
        .collect::<Vec<_>>()
        .await;
    let waiting_browsers: Vec<_> = first.into_iter().chain(rest).collect();
    tokio::time::sleep(away() / 2).await;
    validator.listen().await;
    tokio::time::sleep(away() / 2).await;
    let calls = server.said("the validator gave no verdict");
    let queued = (
        "queued".to_owned(),
        None,
        i64::try_from(waiting).expect("not many"),
    );
    assert_eq!(database.endings().await, [queued], "all wait");

    let was_away = since.elapsed();
    let back = Instant::now();
    validator.release(Duration::from_millis(200));
    let settled = [(
        "settled".to_owned(),
        Some("confirmed".to_owned()),
        i64::try_from(waiting).expect("not many"),
    )];
    until("all to be settled", || async {
        (database.endings().await == settled).then_some(())
    })
    .await;
    let took = back.elapsed();
    let told = |(browser, token): (Browser, String)| async move { browser.confirmed(&token).await };
    stream::iter(waiting_browsers)
        .map(told)
        .buffer_unordered(AT_ONCE)
        .collect::<()>()
        .await;
    println!(
        "figure: a validator away for {:.0} s while {waiting} wait, {}: {calls} calls meanwhile, none rejected, none given up, all \
         settled {:.1} s after its return",
        was_away.as_secs_f64(),
        database.name(),
        took.as_secs_f64()
    );
    assert!(calls < waiting, "it is left alone but for a few probes");
    assert!(took < Duration::from_secs(30), "{took:?}");
    server.finish().await;
}

#[tokio::test]
async fn all_wait_in_sqlite_for_a_validator_that_is_away() {
    all_wait_for_a_validator_that_is_away(Database::sqlite()).await;
}

#[tokio::test]
async fn all_wait_in_postgres_for_a_validator_that_is_away() {
    let Some(database) = Database::postgres(false).await else {
        return;
    };
    all_wait_for_a_validator_that_is_away(database).await;
}
