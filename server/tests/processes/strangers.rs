//! One address begins with tokens that the validator gives no verdict on: other people do not wait
//! because of that.

use crate::support::{Browser, Database, NO_VERDICTS, Process, Validator, free_port, size, until};
use futures_util::{StreamExt as _, stream};
use reqwest::StatusCode;
use std::{env, net::Ipv4Addr, time::Duration};
use tokio::time::Instant;

/// With how many tokens the address begins, unless `VESTIBULE_HOSTILE=1000` says more.
const HOSTILE: usize = 60;
/// How many have to have failed for the validator to seem to be down.
const SEEMS_DOWN: usize = 25;
/// How many others sign in, a few at a time.
const OTHERS: usize = 20;
const AT_ONCE: usize = 4;

/// The hostile address.
const ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// Begins with tokens of this kind, again and again where there are too many.
async fn flood(port: u16, kind: &str, count: usize) {
    for number in 0..count {
        let browser = Browser::at(port).from(ADDRESS);
        let token = format!("{kind}{number}");
        browser.open(&token).await;
        until("the address to have fewer undecided", || async {
            let (status, _) = browser.begin(&token).await;
            assert!(
                [StatusCode::OK, StatusCode::TOO_MANY_REQUESTS].contains(&status),
                "{status}"
            );
            (status == StatusCode::OK).then_some(())
        })
        .await;
    }
    std::future::pending::<()>().await;
}

/// How long others take from their begin to their outcome, the slowest of a hundred.
async fn others(port: u16, name: &str) -> Duration {
    let people = if size("VESTIBULE_HOSTILE", HOSTILE) > HOSTILE {
        10 * OTHERS
    } else {
        OTHERS
    };
    let sign_in = |number: usize| async move {
        let [.., high, low] = u32::try_from(number).expect("not many").to_be_bytes();
        let browser = Browser::at(port).from(Ipv4Addr::new(127, 1, high, low));
        let token = format!("{name}-{number}");
        browser.open(&token).await;
        let start = Instant::now();
        assert_eq!(browser.begin(&token).await.0, StatusCode::OK);
        browser.confirmed(&token).await;
        start.elapsed()
    };
    let mut took: Vec<_> = stream::iter(0..people)
        .map(sign_in)
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    took.sort_unstable();
    took[(people * 99 / 100).min(people - 1)]
}

async fn nobody_waits(fresh: impl AsyncFn() -> Option<Database>) {
    let hostile = size("VESTIBULE_HOSTILE", HOSTILE);
    for kind in NO_VERDICTS {
        let Some(database) = fresh().await else {
            return;
        };
        let port = free_port();
        let validator = Validator::taking(Duration::from_millis(200)).await;
        let settings = [
            ("CONFIRM_PER_CLIENT", "100"),
            // Fewer than the address has undecided.
            ("CONFIRM_IN_FLIGHT", "40"),
            ("CONFIRM_ATTEMPT", "10s"),
            ("CONFIRM_LEASE", "30s"),
            ("CONFIRM_POLL", "5s"),
            ("CONFIRM_DEADLINE", "60s"),
        ];
        let server = Process::serving(port, &database, &validator, &settings).await;
        let calm = others(port, &format!("calm-{kind}")).await;
        let attack = tokio::spawn(async move { flood(port, kind, hostile).await });
        until("the validator to seem to be down", || async {
            let failed = server.said("the validator gave no verdict") + validator.open_now();
            (failed >= SEEMS_DOWN).then_some(())
        })
        .await;
        let beside = others(port, &format!("beside-{kind}")).await;
        assert_eq!(
            server.said("the validator gives no verdicts; it is tried"),
            0,
            "everybody waits"
        );
        assert!(
            !attack.is_finished(),
            "the address has met something else than its cap"
        );
        attack.abort();
        println!(
            "figure: one address begins with {hostile} tokens, each answered with {}, {}: other people's sign-ins at p99 {:.2} s, calm \
             {:.2} s",
            kind.trim_end_matches('-'),
            database.name(),
            beside.as_secs_f64(),
            calm.as_secs_f64()
        );
        // Times count only where they were asked for: on a busy machine everyone waits.
        assert!(
            env::var("VESTIBULE_HOSTILE").is_err() || beside < 2 * calm,
            "{beside:?}, {calm:?} in calm"
        );
        server.kill().await;
    }
}

#[tokio::test]
async fn no_one_waits_in_sqlite_because_of_a_stranger() {
    nobody_waits(async || Some(Database::sqlite())).await;
}

#[tokio::test]
async fn no_one_waits_in_postgres_because_of_a_stranger() {
    nobody_waits(async || Database::postgres(false).await).await;
}
