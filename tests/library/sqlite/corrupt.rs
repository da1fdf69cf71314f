//! A row that fits no state is named in an error, left as it is, and does not block others.

use crate::support::{Harness, Sample, ada, at, bob, settlement, worker};
use sqlx::{AssertSqlSafe, SqliteConnection};
use vestibule::{
    confirmation::{Decider, Decision, Which},
    session::SessionId,
    store::{
        ConfirmationQueue as _, ConfirmationStore as _, SessionStore as _, StoreError, Stores,
        UserStore as _,
    },
    user::{User, UserId},
};

/// Writes past the store what it would never write.
async fn spoil(harness: &Harness, table: &str, id: &[u8; 16], change: &str) {
    let mut raw: SqliteConnection = harness.raw().await;
    let update = format!("update {table} set {change} where id = ?");
    let spoilt = sqlx::query(AssertSqlSafe(update))
        .bind(id.as_slice())
        .execute(&mut raw)
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
    let changes = [
        "token = null",
        "token_key = null",
        "token_key = -1",
        "failed = -1",
        "fence = -1",
        "due_at = null",
        "session = x'01'",
        "token_tag = x'01'",
        "worker = x'01'",
        "worker = zeroblob(16)",
        "state = 'settled'",
    ];
    for change in changes {
        let harness = Harness::open().await;
        let sample = Sample::new(1).begun(&harness.store).await;
        let id = sample.confirmation.id;
        spoil(&harness, "confirmations", id.as_bytes(), change).await;
        let read = harness
            .store
            .confirmation_by_secret(&sample.confirmation.secret)
            .await;
        assert_names(&read.unwrap_err(), "confirmations", &id.to_string(), change);
        let decided = harness
            .store
            .decide(id, Decider::User, &Decision::Unavailable, settlement(at(1)))
            .await;
        assert_names(
            &decided.unwrap_err(),
            "confirmations",
            &id.to_string(),
            change,
        );
        assert!(
            harness
                .store
                .session(sample.session.id)
                .await
                .unwrap()
                .is_some(),
            "nothing follows from it"
        );
    }
}

#[tokio::test]
async fn a_settled_confirmation_that_fits_no_state_is_named() {
    let changes = [
        "ending = null",
        "user_id = null",
        "user_id = x'01'",
        "decided_at = null",
        "ending = 'used'",
    ];
    for change in changes {
        let harness = Harness::open().await;
        let sample = Sample::new(1).begun(&harness.store).await;
        let id = sample.confirmation.id;
        harness
            .store
            .decide(
                id,
                Decider::User,
                &Decision::Valid(ada(), None),
                settlement(at(1)),
            )
            .await
            .unwrap();
        spoil(&harness, "confirmations", id.as_bytes(), change).await;
        let read = harness
            .store
            .confirmation_by_secret(&sample.confirmation.secret)
            .await;
        assert_names(&read.unwrap_err(), "confirmations", &id.to_string(), change);
    }
}

#[tokio::test]
async fn a_session_that_fits_no_state_is_named_and_signs_no_one_in() {
    let changes = [
        "user_id = null",
        "state = 'pending'",
        "state = 'established'",
        "revision = -1",
        "token_tag = x'01'",
    ];
    for change in changes {
        let harness = Harness::open().await;
        let sample = Sample::new(1).begun(&harness.store).await;
        let id = sample.session.id;
        let valid = Decision::Valid(ada(), None);
        harness
            .store
            .decide(
                sample.confirmation.id,
                Decider::User,
                &valid,
                settlement(at(1)),
            )
            .await
            .unwrap();
        spoil(&harness, "sessions", id.as_bytes(), change).await;
        let read = harness.store.session(id).await;
        assert_names(&read.unwrap_err(), "sessions", &id.to_string(), change);
        let read = harness
            .store
            .session_by_secret(&sample.confirmation.secret)
            .await;
        assert_names(&read.unwrap_err(), "sessions", &id.to_string(), change);
        // Another one who asks at the same time is told of their own.
        let other = Sample::new(2).begun(&harness.store).await;
        let stores = Stores::in_one(harness.store.clone());
        let ask = |sample: &Sample| {
            let secret = sample.confirmation.secret;
            let session_users = stores.session_users.clone();
            async move { session_users.session_with_user(&secret).await }
        };
        let (read, others) = tokio::join!(ask(&sample), ask(&other));
        assert_names(&read.unwrap_err(), "sessions", &id.to_string(), change);
        assert_eq!(others.unwrap().unwrap().session, other.session);
    }
}

#[tokio::test]
async fn a_user_that_fits_no_state_is_named_and_signed_in_by_no_session() {
    for change in ["revision = -1", "disabled = -1"] {
        let harness = Harness::open().await;
        let user = User::new(UserId::from_bytes([7; 16]), ada(), at(0));
        harness.store.put_user(&user, None).await.unwrap();
        let sample = Sample::new(1);
        let bound = sample.session.rebind(user.id, at(900)).unwrap();
        harness.store.insert_session(&bound).await.unwrap();
        spoil(&harness, "users", user.id.as_bytes(), change).await;
        let stores = Stores::in_one(harness.store.clone());
        let secret = sample.confirmation.secret;
        let read = stores.session_users.session_with_user(&secret).await;
        assert_names(&read.unwrap_err(), "users", &user.id.to_string(), change);
    }
}

#[tokio::test]
async fn a_read_that_fails_does_not_fail_those_that_share_its_statement() {
    let harness = Harness::open().await;
    let mut secrets = Vec::new();
    for (number, identity) in [(1, ada()), (2, bob())] {
        let user = User::new(UserId::from_bytes([number; 16]), identity, at(0));
        harness.store.put_user(&user, None).await.unwrap();
        let sample = Sample::new(number);
        let bound = sample.session.rebind(user.id, at(900)).unwrap();
        harness.store.insert_session(&bound).await.unwrap();
        secrets.push(sample.confirmation.secret);
    }
    // As a page that cannot be read: the statement itself fails where it comes to Ada.
    let mut raw = harness.raw().await;
    for statement in [
        "alter table users rename to people",
        "create view users as select id, issuer, subject, iif(subject = 'Ada', json('{'), name) as name, email,
             created_at, disabled, valid_from, known_from, revision from people",
    ] {
        sqlx::query(statement).execute(&mut raw).await.unwrap();
    }
    let stores = Stores::in_one(harness.store.clone());
    let [hers, his] = [0, 1].map(|place| stores.session_users.session_with_user(&secrets[place]));
    let (hers, his) = tokio::join!(hers, his);
    assert!(matches!(hers, Err(StoreError::Unavailable(_))), "{hers:?}");
    let his = his.unwrap().unwrap().user.unwrap();
    assert_eq!(his.identity.subject, "Bob");
}

#[tokio::test]
async fn workers_pass_a_corrupt_confirmation_by() {
    let harness = Harness::open().await;
    let before = Sample::new(1);
    let corrupt = Sample::new(2);
    let after = Sample::new(3);
    for sample in [&before, &corrupt, &after] {
        sample.clone().begun(&harness.store).await;
    }
    spoil(
        &harness,
        "confirmations",
        corrupt.confirmation.id.as_bytes(),
        "failed = -1",
    )
    .await;
    let claims = harness
        .store
        .claim(worker(1), Which::Any, &10.into(), at(0), at(30))
        .await
        .unwrap();
    let mut claimed: Vec<_> = claims.iter().map(|claim| claim.id).collect();
    claimed.sort();
    assert_eq!(claimed, [before.confirmation.id, after.confirmation.id]);
}

#[tokio::test]
async fn others_sign_in_beside_a_corrupt_row() {
    let harness = Harness::open().await;
    let corrupt = Sample::new(1).begun(&harness.store).await;
    spoil(
        &harness,
        "confirmations",
        corrupt.confirmation.id.as_bytes(),
        "failed = -1",
    )
    .await;
    spoil(
        &harness,
        "sessions",
        SessionId::from_bytes([1; 16]).as_bytes(),
        "revision = -1",
    )
    .await;
    harness.start_worker();
    let browser = harness.signed_in(&"good".parse().unwrap()).await;
    let user = browser.who().await.expect("a user").user;
    assert_eq!(harness.store.user(user.id).await.unwrap(), Some(user));
}

#[tokio::test]
async fn others_of_its_network_begin_beside_a_row_whose_networks_are_corrupt() {
    let harness = Harness::open().await;
    for (number, change) in (1..).zip([
        "client = null",
        "client = x'00'",
        "network_56 = null",
        "network_56 = x'00'",
    ]) {
        let corrupt = Sample::new(number).begun(&harness.store).await;
        let id = corrupt.confirmation.id;
        spoil(&harness, "confirmations", id.as_bytes(), change).await;
        Sample::new(100 + number).begun(&harness.store).await;
    }
}
