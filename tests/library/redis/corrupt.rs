//! A hash that fits no state is named in an error, left as it is, and does not block others.

use super::{ADA, BOB, established, exchanged, hash, now, timing};
use crate::support::{Redis, redis};
use redis::{Cmd, cmd};
use vestibule::{
    session::{Session, SessionId},
    store::{SessionStore, StoreError},
};

fn key(corner: &Redis, id: SessionId) -> String {
    format!("{}session:{id}", corner.prefix)
}

fn set(key: &str, field: &str, value: &[u8]) -> Cmd {
    cmd("HSET").arg(key).arg(field).arg(value).clone()
}

fn unset(key: &str, field: &str) -> Cmd {
    cmd("HDEL").arg(key).arg(field).clone()
}

/// No hash at all.
fn no_hash(key: &str) -> Cmd {
    cmd("SET").arg(key).arg("Dear diary").clone()
}

async fn spoil(corner: &Redis, change: &Cmd) {
    corner.run::<redis::Value>(change).await;
}

/// Every way to damage an exchanged session at `key`.
fn changes(key: &str) -> Vec<Cmd> {
    vec![
        unset(key, "user_id"),
        unset(key, "seen"),
        unset(key, "former_until"),
        unset(key, "secret"),
        unset(key, "expires"),
        set(key, "state", b"pending"),
        set(key, "state", b"asleep"),
        set(key, "state", b"\xff"),
        set(key, "revision", b"-1"),
        set(key, "revision", b"many"),
        set(key, "since", b""),
        set(key, "token_tag", b"short"),
        set(key, "former", b"short"),
        set(key, "device", b"\xff"),
        no_hash(key),
    ]
}

fn assert_names(error: &StoreError, id: SessionId, change: &str) {
    match error {
        StoreError::Corrupt { table, row, .. } => {
            assert_eq!((*table, row), ("sessions", &id.to_string()), "{change}");
        }
        other @ StoreError::Unavailable(_) => panic!("{change}: {other}"),
    }
}

#[tokio::test]
async fn a_hash_that_fits_no_state_is_named_and_left_as_it_is() {
    let Some(corner) = redis() else { return };
    let sessions = corner.sessions().await;
    let session = exchanged(1);
    let key = key(&corner, session.id);
    for change in changes(&key) {
        assert!(sessions.insert_session(&session).await.unwrap());
        spoil(&corner, &change).await;
        let change = String::from_utf8_lossy(&change.get_packed_command()).into_owned();
        let before: Vec<u8> = corner.run(cmd("DUMP").arg(&key)).await;
        assert_names(
            &sessions.session(session.id).await.unwrap_err(),
            session.id,
            &change,
        );
        for secret in [hash(1), hash(101)] {
            assert_names(
                &sessions.session_by_secret(&secret).await.unwrap_err(),
                session.id,
                &change,
            );
        }
        assert_eq!(sessions.sessions_of(ADA).await.unwrap(), [], "{change}");
        assert_eq!(sessions.sweep_sessions(now()).await.unwrap(), 0, "{change}");
        assert_eq!(
            corner.run::<Vec<u8>>(cmd("DUMP").arg(&key)).await,
            before,
            "{change}"
        );
        corner.run::<()>(cmd("DEL").arg(corner.keys().await)).await;
    }
}

#[tokio::test]
async fn a_session_whose_revision_cannot_be_read_is_not_replaced() {
    let Some(corner) = redis() else { return };
    let sessions = corner.sessions().await;
    let session = exchanged(1);
    let key = key(&corner, session.id);
    for change in [
        set(&key, "revision", b"many"),
        unset(&key, "revision"),
        no_hash(&key),
    ] {
        sessions.insert_session(&session).await.unwrap();
        spoil(&corner, &change).await;
        assert!(
            !sessions
                .replace_session(&session.used(now(), &timing()).unwrap())
                .await
                .unwrap()
        );
    }
}

#[tokio::test]
async fn a_user_sees_their_other_sessions_beside_a_corrupt_one_and_can_end_them_all() {
    let Some(corner) = redis() else { return };
    let sessions = corner.sessions().await;
    let spoilt = exchanged(1);
    let other = established(2, ADA);
    let key = key(&corner, spoilt.id);
    for change in changes(&key) {
        for session in [&spoilt, &other] {
            assert!(sessions.insert_session(session).await.unwrap());
        }
        spoil(&corner, &change).await;
        assert_eq!(
            sessions.sessions_of(ADA).await.unwrap(),
            std::slice::from_ref(&other)
        );
        sessions.delete_sessions_of(ADA, None).await.unwrap();
        assert_eq!(sessions.session(spoilt.id).await.unwrap(), None);
        assert_eq!(sessions.session(other.id).await.unwrap(), None);
        corner
            .run::<()>(cmd("DEL").arg("nothing").arg(corner.keys().await))
            .await;
    }
}

#[tokio::test]
async fn a_corrupt_session_is_swept_in_its_time_and_does_not_keep_others_from_it() {
    let Some(corner) = redis() else { return };
    let sessions = corner.sessions().await;
    let spoilt = established(1, ADA);
    let other = established(2, BOB);
    for session in [&spoilt, &other] {
        sessions.insert_session(session).await.unwrap();
    }
    spoil(&corner, &no_hash(&key(&corner, spoilt.id))).await;
    assert_eq!(
        sessions
            .sweep_sessions(now() + timing().idle)
            .await
            .unwrap(),
        2
    );
    assert_eq!(sessions.session(other.id).await.unwrap(), None);
}

#[tokio::test]
async fn deleting_a_session_that_holds_anothers_secret_leaves_the_other_alone() {
    let Some(corner) = redis() else { return };
    let sessions = corner.sessions().await;
    let (spoilt, other): (Session, Session) = (established(1, ADA), established(2, BOB));
    for session in [&spoilt, &other] {
        sessions.insert_session(session).await.unwrap();
    }
    spoil(
        &corner,
        &set(&key(&corner, spoilt.id), "secret", hash(2).as_bytes()),
    )
    .await;
    sessions.delete_session(spoilt.id).await.unwrap();
    assert_eq!(
        sessions.session_by_secret(&hash(2)).await.unwrap(),
        Some(other)
    );
}
