//! A row that fits no state is named in an error, left as it is, and does not block others.

use crate::support::{Postgres, Sample, ada, at, settlement, worker};
use sqlx::{AssertSqlSafe, PgConnection};
use vestibule::{
    confirmation::{Decider, Decision, Which},
    store::{ConfirmationQueue as _, ConfirmationStore as _, SessionStore as _, StoreError},
};

/// Writes past the store what it would never write.
async fn spoil(raw: &mut PgConnection, table: &str, id: &[u8; 16], change: &str) {
    let update = format!("update {table} set {change} where id = $1");
    let spoilt = sqlx::query(AssertSqlSafe(update))
        .bind(id)
        .execute(raw)
        .await
        .unwrap();
    assert_eq!(spoilt.rows_affected(), 1, "{change}");
}

fn assert_names(error: &StoreError, table: &str, id: &str, change: &str) {
    match error {
        StoreError::Corrupt {
            table: named, row, ..
        } => assert_eq!((*named, row.as_str()), (table, id), "{change}"),
        other @ StoreError::Unavailable(_) => panic!("{change}: {other}"),
    }
}

#[tokio::test]
async fn a_queued_confirmation_that_fits_no_state_is_named() {
    let Some(database) = Postgres::fresh().await else {
        return;
    };
    let store = database.open().await;
    let mut raw = database.raw().await;
    let changes = [
        "token = null",
        "token_key = null",
        "token_key = -1",
        "failed = -1",
        "fence = -1",
        "due_at = null",
        "session = '\\x01'",
        "token_tag = '\\x01'",
        "worker = '\\x01'",
        "worker = decode(repeat('00', 16), 'hex')",
        "state = 'settled'",
    ];
    for (number, change) in (1..).zip(changes) {
        let sample = Sample::new(number).begun(&store).await;
        let id = sample.confirmation.id;
        spoil(&mut raw, "confirmations", id.as_bytes(), change).await;
        let read = store
            .confirmation_by_secret(&sample.confirmation.secret)
            .await;
        assert_names(&read.unwrap_err(), "confirmations", &id.to_string(), change);
        let decided = store
            .decide(id, Decider::User, &Decision::Unavailable, settlement(at(1)))
            .await;
        assert_names(
            &decided.unwrap_err(),
            "confirmations",
            &id.to_string(),
            change,
        );
        assert!(
            store.session(sample.session.id).await.unwrap().is_some(),
            "nothing follows from it"
        );
    }
}

#[tokio::test]
async fn a_settled_confirmation_that_fits_no_state_is_named() {
    let Some(database) = Postgres::fresh().await else {
        return;
    };
    let store = database.open().await;
    let mut raw = database.raw().await;
    let changes = [
        "ending = null",
        "user_id = null",
        "user_id = '\\x01'",
        "decided_at = null",
        "ending = 'used'",
    ];
    for (number, change) in (1..).zip(changes) {
        let sample = Sample::new(number).begun(&store).await;
        let id = sample.confirmation.id;
        store
            .decide(
                id,
                Decider::User,
                &Decision::Valid(ada(), None),
                settlement(at(1)),
            )
            .await
            .unwrap();
        spoil(&mut raw, "confirmations", id.as_bytes(), change).await;
        let read = store
            .confirmation_by_secret(&sample.confirmation.secret)
            .await;
        assert_names(&read.unwrap_err(), "confirmations", &id.to_string(), change);
    }
}

#[tokio::test]
async fn a_session_that_fits_no_state_is_named_and_nothing_is_decided_about_it() {
    let Some(database) = Postgres::fresh().await else {
        return;
    };
    let store = database.open().await;
    let mut raw = database.raw().await;
    let changes = [
        "state = 'bound'",
        "state = 'established'",
        "revision = -1",
        "token_tag = '\\x01'",
    ];
    for (number, change) in (1..).zip(changes) {
        let sample = Sample::new(number).begun(&store).await;
        let id = sample.session.id;
        spoil(&mut raw, "sessions", id.as_bytes(), change).await;
        let read = store.session(id).await;
        assert_names(&read.unwrap_err(), "sessions", &id.to_string(), change);
        let read = store.session_by_secret(&sample.confirmation.secret).await;
        assert_names(&read.unwrap_err(), "sessions", &id.to_string(), change);
        let valid = Decision::Valid(ada(), None);
        let decided = store
            .decide(
                sample.confirmation.id,
                Decider::User,
                &valid,
                settlement(at(1)),
            )
            .await;
        assert_names(&decided.unwrap_err(), "sessions", &id.to_string(), change);
        assert_eq!(
            sample.stored(&store).await,
            sample.confirmation,
            "all of it or nothing"
        );
    }
}

#[tokio::test]
async fn workers_pass_a_corrupt_confirmation_by() {
    let Some(database) = Postgres::fresh().await else {
        return;
    };
    let store = database.open().await;
    let mut raw = database.raw().await;
    let before = Sample::new(1);
    let corrupt = Sample::new(2);
    let after = Sample::new(3);
    for sample in [&before, &corrupt, &after] {
        sample.clone().begun(&store).await;
    }
    spoil(
        &mut raw,
        "confirmations",
        corrupt.confirmation.id.as_bytes(),
        "failed = -1",
    )
    .await;
    let claims = store
        .claim(worker(1), Which::Any, &10.into(), at(0), at(30))
        .await
        .unwrap();
    let mut claimed: Vec<_> = claims.iter().map(|claim| claim.id).collect();
    claimed.sort();
    assert_eq!(claimed, [before.confirmation.id, after.confirmation.id]);
}

#[tokio::test]
async fn others_of_its_network_begin_beside_a_row_whose_networks_are_corrupt() {
    let Some(database) = Postgres::fresh().await else {
        return;
    };
    let store = database.open().await;
    let mut raw = database.raw().await;
    for (number, change) in (1..).zip([
        "client = null",
        "client = '\\x00'",
        "network_56 = null",
        "network_56 = '\\x00'",
    ]) {
        let corrupt = Sample::new(number).begun(&store).await;
        let id = corrupt.confirmation.id;
        spoil(&mut raw, "confirmations", id.as_bytes(), change).await;
        Sample::new(100 + number).begun(&store).await;
    }
}
