//! A stolen database file reveals no secret and no token.

use crate::support::{Harness, ada, settlement, token};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sqlx::Row as _;
use std::{fmt::Write as _, fs};
use vestibule::{
    confirmation::{Decider, Decision, Rejection},
    store::ConfirmationStore as _,
};

const HUSH: &str = "a-token-that-no-one-may-read-0123456789";

/// Every byte of the database, its write-ahead log too.
fn bytes(harness: &Harness) -> Vec<u8> {
    let folder = harness.file().parent().unwrap().to_owned();
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|entry| fs::read(entry.unwrap().path()).unwrap());
    files.collect::<Vec<_>>().concat()
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// A secret as it is, in hexadecimal and in base64.
fn writings(secret: &[u8]) -> [Vec<u8>; 3] {
    let hex = secret.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    [
        secret.to_vec(),
        hex.into_bytes(),
        URL_SAFE_NO_PAD.encode(secret).into_bytes(),
    ]
}

#[tokio::test]
async fn neither_the_token_nor_the_pending_secret_is_readable_while_it_waits() {
    let harness = Harness::open().await;
    let browser = harness.begun(&token(HUSH)).await;
    let secret = browser.pending(&token(HUSH)).unwrap().secret;
    let file = bytes(&harness);
    assert!(
        holds(&file, secret.hash().as_bytes()),
        "the search must be able to find something"
    );
    assert!(!holds(&file, HUSH.as_bytes()));
    for written in writings(secret.expose()) {
        assert!(!holds(&file, &written));
    }
    assert!(!holds(
        &file,
        browser.cookie(&token(HUSH)).unwrap().as_bytes()
    ));
}

#[tokio::test]
async fn the_session_secret_of_a_signed_in_user_is_not_readable() {
    let harness = Harness::open().await;
    harness.start_worker();
    let browser = harness.signed_in(&token(HUSH)).await;
    let secret = browser.session.clone().unwrap();
    let file = bytes(&harness);
    assert!(
        holds(&file, secret.hash().as_bytes()),
        "the search must be able to find something"
    );
    assert!(!holds(&file, HUSH.as_bytes()));
    for written in writings(secret.expose()) {
        assert!(!holds(&file, &written));
    }
}

#[tokio::test]
async fn a_settled_confirmation_keeps_nothing_of_its_token() {
    let decisions = [
        Decision::Valid(ada(), None),
        Decision::Rejected(Rejection::Used),
        Decision::Unavailable,
    ];
    for decision in decisions {
        let harness = Harness::open().await;
        let browser = harness.begun(&token(HUSH)).await;
        assert!(token_is_kept(&harness).await, "it is kept for the worker");
        let id = harness.confirmation(&browser, &token(HUSH)).await.id;
        harness
            .store
            .decide(id, Decider::User, &decision, settlement(harness.now()))
            .await
            .unwrap();
        assert!(!token_is_kept(&harness).await, "after {decision:?}");
    }
}

async fn token_is_kept(harness: &Harness) -> bool {
    let row = sqlx::query("select token, token_key from confirmations")
        .fetch_one(&mut harness.raw().await)
        .await
        .unwrap();
    let (token, key): (Option<Vec<u8>>, Option<i64>) = (row.get(0), row.get(1));
    assert_eq!(
        token.is_some(),
        key.is_some(),
        "a key's id is kept with what it sealed"
    );
    token.is_some()
}

#[tokio::test]
async fn the_same_token_never_looks_the_same_twice() {
    let harness = Harness::open().await;
    for _ in 0..2 {
        harness.begun(&token(HUSH)).await;
    }
    let rows = sqlx::query("select token from confirmations")
        .fetch_all(&mut harness.raw().await)
        .await
        .unwrap();
    let sealed: Vec<Vec<u8>> = rows.iter().map(|row| row.get(0)).collect();
    assert_eq!(sealed.len(), 2);
    assert_ne!(sealed[0], sealed[1]);
}
