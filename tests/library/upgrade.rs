//! A database written by an earlier version opens, and what is in it still works.
//!
//! Each fixture is a dump of a database into which [`write`] had written. It never changes. When a
//! migration is added, these tests run it on every fixture.

use crate::support::{Postgres, Sample, ada, at, keys, settlement, welcome, worker};
use sqlx::{AssertSqlSafe, Executor as _, raw_sql};
use std::time::Duration;
use vestibule::{
    confirmation::{Decider, Decision, State, Which},
    link::{self, LinkState, LinkToken},
    secret::SecretHash,
    session::{Session, SessionId, SessionState},
    store::{Stores, sqlite::SqliteStore},
    testing::SeededEntropy,
    timing::Timing,
    user::{Identity, PASSWORD_ISSUER, User, UserId},
};

const EMAIL: &str = "king@example.com";
const HASH: &str = "$argon2id$king";
const USER: UserId = UserId::from_bytes([1; 16]);
const SESSION: SecretHash = SecretHash::from_bytes([9; 32]);

/// The fixtures, by the day on which they were made.
const SQLITE: [(&str, &str); 1] = [(
    "2026-11-29",
    include_str!("../fixtures/2026-11-29.sqlite.sql"),
)];
const POSTGRES: [(&str, &str); 1] = [(
    "2026-11-29",
    include_str!("../fixtures/2026-11-29.postgres.sql"),
)];

/// Writes something of each kind: a user with a password, a session, a confirmation that waits, one
/// that is confirmed and that no browser has come for, and an operator's link.
async fn write(stores: &Stores) {
    let identity = Identity {
        issuer: PASSWORD_ISSUER.into(),
        subject: EMAIL.into(),
        name: Some("Ada King".into()),
        email: Some(EMAIL.into()),
    };
    let user = User::new(USER, identity, at(0));
    stores.users.put_user(&user, Some(HASH)).await.unwrap();
    let id = SessionId::from_bytes([9; 16]);
    let session = Session::established(id, SESSION, USER, None, at(0), &Timing::default());
    assert!(stores.sessions.insert_session(&session).await.unwrap());
    let confirmed = Sample::new(1);
    stores
        .confirmations
        .begin(&confirmed.confirmation, &confirmed.session, welcome())
        .await
        .unwrap();
    let claims = stores
        .queue
        .claim(worker(1), Which::Any, &1.into(), at(0), at(30))
        .await
        .unwrap();
    let decider = Decider::Worker {
        fence: claims[0].fence,
    };
    let valid = Decision::Valid(ada(), None);
    stores
        .confirmations
        .decide(claims[0].id, decider, &valid, settlement(at(1)))
        .await
        .unwrap();
    let waiting = Sample::new(2);
    stores
        .confirmations
        .begin(&waiting.confirmation, &waiting.session, welcome())
        .await
        .unwrap();
    let address = EMAIL.parse().unwrap();
    let day = Duration::from_hours(24);
    let entropy = SeededEntropy::new(1);
    link::create(&*stores.links, &keys(&[7]), &entropy, at(0), &address, day)
        .await
        .unwrap();
}

/// Everything that was written is there.
async fn check(stores: &Stores, from: &str) {
    let (user, hash) = stores.users.password(EMAIL).await.unwrap().expect(from);
    assert_eq!((user.id, &*hash), (USER, HASH), "{from}");
    assert_eq!(user.identity.name.as_deref(), Some("Ada King"), "{from}");
    let session = stores
        .sessions
        .session_by_secret(&SESSION)
        .await
        .unwrap()
        .expect(from);
    assert_eq!(session.signs_in(&SESSION, at(1)), Some(USER), "{from}");
    let confirmed = Sample::new(1).stored(&*stores.confirmations).await;
    assert!(matches!(confirmed.state, State::Settled(_)), "{from}");
    let bound = stores
        .sessions
        .session(confirmed.session)
        .await
        .unwrap()
        .expect(from);
    assert!(matches!(bound.state, SessionState::Bound { .. }), "{from}");
    let waiting = Sample::new(2).stored(&*stores.confirmations).await;
    assert!(matches!(waiting.state, State::Queued(_)), "{from}");
    let token = LinkToken::generate(&SeededEntropy::new(1)).hash();
    let link = stores
        .links
        .link_by_token(&token)
        .await
        .unwrap()
        .expect(from);
    assert_eq!(link.state, LinkState::Open, "{from}");
}

/// Everything that was written is there, and has what later versions have added.
async fn check_upgraded(stores: &Stores, from: &str) {
    check(stores, from).await;
    let orders = Some("/orders".parse().unwrap());
    for number in [1, 2] {
        let confirmation = Sample::new(number).stored(&*stores.confirmations).await;
        assert_eq!(confirmation.next, orders, "{from}: {number}");
    }
}

/// What the fixtures do not have: links that lead to a place of their own. One has been used up by
/// each confirmation that is settled, and one waits for each other.
const LEAD_TO_ORDERS: &str = "insert into links (id, revision, token, waiting, address, admits, mailed, code, guesses, number, device,
        asked, expires, state, used_by, next)
    select confirmations.id, 0, secret, case when confirmations.state = 'queued' then confirmations.id end,
        address, admits, mailed, code, guesses, number, device, asked, expires,
        case when confirmations.state = 'queued' then 'open' else 'used' end,
        case when confirmations.state <> 'queued' then confirmations.id end, '/orders'
    from links, confirmations";

#[tokio::test]
async fn an_earlier_versions_sqlite_database_opens() {
    for (from, dump) in SQLITE {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vestibule.db");
        let options = sqlx::sqlite::SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true);
        let mut raw = sqlx::ConnectOptions::connect(&options).await.unwrap();
        raw.execute(raw_sql(AssertSqlSafe(dump))).await.unwrap();
        raw.execute(LEAD_TO_ORDERS).await.unwrap();
        sqlx::Connection::close(raw).await.unwrap();
        let store = SqliteStore::open(&path, &keys(&[7])).await.unwrap();
        check_upgraded(&Stores::in_one(store), from).await;
    }
}

#[tokio::test]
async fn an_earlier_versions_postgresql_database_opens() {
    for (from, dump) in POSTGRES {
        let Some(database) = Postgres::fresh().await else {
            return;
        };
        let mut raw = database.raw().await;
        raw.execute(raw_sql(AssertSqlSafe(dump))).await.unwrap();
        // Which the dump has emptied.
        raw.execute("set search_path to public").await.unwrap();
        raw.execute(LEAD_TO_ORDERS).await.unwrap();
        sqlx::Connection::close(raw).await.unwrap();
        check_upgraded(&Stores::in_one(database.open().await), from).await;
    }
}

#[tokio::test]
async fn what_the_fixtures_hold_is_what_is_written_today() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vestibule.db");
    let stores = Stores::in_one(SqliteStore::open(&path, &keys(&[7])).await.unwrap());
    write(&stores).await;
    check(&stores, "today").await;
    if let Some(database) = Postgres::fresh().await {
        let stores = Stores::in_one(database.open().await);
        write(&stores).await;
        check(&stores, "today").await;
    }
}
