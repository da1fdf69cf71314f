//! A validator calls back, some calls twice and some contradicting each other, while the server is
//! killed again and again: each confirmation comes to what was taken first, and to nothing else.

use crate::support::{Browser, Database, Process, Validator, free_port, size, soon, until};
use reqwest::{Client, StatusCode};
use std::{collections::HashSet, future::ready, time::Duration};
use tokio::task::JoinSet;
use vestibule::{
    clock::{Clock as _, SystemClock},
    secret::WebhookKeys,
};

const KEY: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
/// How many begin for each kill.
const FOR_EACH: usize = 10;
/// The longest life, in microseconds.
const LIFE: u32 = 600_000;

/// What a validator says of one confirmation, in any order.
const SAYINGS: [&[&str]; 4] = [
    &[VALID],
    &[VALID, VALID],
    &[VALID, USED],
    &[REVIEWING, USED, USED, VALID],
];
const VALID: &str = r#""verdict":"valid","identity":{"issuer":"test","subject":"ada"}"#;
const USED: &str = r#""verdict":"invalid","reason":"used""#;
const REVIEWING: &str = r#""verdict":"pending","step":"reviewing""#;

/// A validator's way to the server.
#[derive(Clone)]
struct Caller {
    address: String,
    client: Client,
}

impl Caller {
    fn to(port: u16) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .no_proxy()
            .pool_max_idle_per_host(0)
            .timeout(Duration::from_secs(10));
        Self {
            address: format!("http://127.0.0.1:{port}/v1/verdicts"),
            client: client.build().expect("a client"),
        }
    }

    /// Calls until it is told that it was taken, or that it will not be.
    async fn say(&self, confirmation: &str, what: &'static str) -> (&'static str, StatusCode) {
        let body = format!(r#"{{"confirmation":"{confirmation}",{what}}}"#);
        let keys: WebhookKeys = KEY.parse().expect("a key");
        let told = until("an answer to a call", || async {
            let (timestamp, signature) = keys.sign("msg", SystemClock.now(), body.as_bytes());
            let call = self
                .client
                .post(&self.address)
                .header("webhook-id", "msg")
                .header("webhook-timestamp", timestamp)
                .header("webhook-signature", signature)
                .body(body.clone());
            let status = call.send().await.ok()?.status();
            let is_told = status == StatusCode::NO_CONTENT || status == StatusCode::CONFLICT;
            assert!(
                is_told || status == StatusCode::SERVICE_UNAVAILABLE,
                "{status}: {what}"
            );
            is_told.then_some(status)
        });
        (what, told.await)
    }

    /// Says all of it at once, and returns which verdict was taken.
    async fn say_all(self, confirmation: String, sayings: &'static [&'static str]) -> &'static str {
        let mut calls = JoinSet::new();
        for what in sayings {
            let caller = self.clone();
            let confirmation = confirmation.clone();
            calls.spawn(async move { caller.say(&confirmation, what).await });
        }
        let told = calls.join_all().await;
        let taken: HashSet<_> = told
            .iter()
            .filter(|(what, status)| *what != REVIEWING && *status == StatusCode::NO_CONTENT)
            .map(|(what, _)| *what)
            .collect();
        let mut taken = taken.into_iter();
        match (taken.next(), taken.next()) {
            (Some(verdict), None) => verdict,
            others => panic!("one verdict is taken, not {others:?} of {told:?}"),
        }
    }
}

/// `VESTIBULE_KILLS=1000` kills more often.
async fn survive_kills(database: Database) {
    let kills = u32::try_from(size("VESTIBULE_KILLS", 10)).expect("not as many as that");
    let port = free_port();
    let validator = Validator::later().await;
    let key = [("VALIDATOR_CALLBACK_SECRET", KEY)];
    let mut process = Process::serving(port, &database, &validator, &key).await;
    let caller = Caller::to(port);
    let mut calling = JoinSet::new();
    let mut known = HashSet::new();
    let mut call = |validator: &Validator| {
        for confirmation in validator.confirmations() {
            if known.insert(confirmation.clone()) {
                let sayings = SAYINGS[known.len() % SAYINGS.len()];
                calling.spawn(caller.clone().say_all(confirmation, sayings));
            }
        }
        known.len()
    };
    let mut browsers = JoinSet::new();
    for kill in 0..kills {
        for link in 0..FOR_EACH {
            browsers.spawn(async move {
                let token = format!("link-{kill}-{link}");
                let browser = Browser::at(port);
                browser.open(&token).await;
                browser.begun(&token).await;
            });
        }
        // Never twice at the same moment of its life.
        let moment = Duration::from_micros(u64::from(kill.wrapping_mul(2_654_435_761) % LIFE));
        tokio::time::sleep(moment).await;
        call(&validator);
        process.kill().await;
        process = Process::serving(port, &database, &validator, &key).await;
    }
    soon("all to begin", browsers.join_all()).await;
    let links = FOR_EACH * kills as usize;
    until("each to be asked about", || {
        ready((call(&validator) == links).then_some(()))
    })
    .await;
    let taken = soon("all calls to be answered", calling.join_all()).await;
    let count = |verdict| {
        let taken = taken.iter().filter(|taken| **taken == verdict);
        i64::try_from(taken.count()).expect("some thousands")
    };
    let mut endings = database.endings().await;
    endings.sort();
    let settled = |ending: &str, count| ("settled".to_owned(), Some(ending.to_owned()), count);
    let expected = [
        settled("confirmed", count(VALID)),
        settled("used", count(USED)),
    ];
    assert_eq!(endings, expected);
    let bound = [("bound".to_owned(), None, count(VALID))];
    assert_eq!(database.sessions().await, bound);
    println!(
        "figure: {kills} kills while {} calls came about {links} confirmations, {}: none lost, none doubled, the first \
         decision stands ({} confirmed, {} not)",
        (0..links)
            .map(|link| SAYINGS[link % SAYINGS.len()].len())
            .sum::<usize>(),
        database.name(),
        count(VALID),
        count(USED),
    );
}

#[tokio::test]
async fn callbacks_on_sqlite_survive_kills_at_any_moment() {
    survive_kills(Database::sqlite()).await;
}

#[tokio::test]
async fn callbacks_on_postgres_survive_kills_at_any_moment() {
    let Some(database) = Database::postgres(false).await else {
        return;
    };
    survive_kills(database).await;
}
