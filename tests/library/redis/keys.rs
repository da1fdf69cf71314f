//! Nothing stays for ever, nothing goes too early, and what is deleted leaves no trace.

use super::{ADA, BOB, bound, established, exchanged, hash, now, pending, timing};
use crate::support::{Redis, redis};
use redis::cmd;
use std::time::Duration;
use vestibule::{
    secret::{SecretHash, SystemEntropy, random},
    session::{Session, SessionId},
    store::SessionStore,
    user::UserId,
};

/// How long the key lasts; `None`: for ever.
async fn lasts(corner: &Redis, key: &str) -> Option<Duration> {
    let left: i64 = corner.run(cmd("PTTL").arg(key)).await;
    u64::try_from(left).ok().map(Duration::from_millis)
}

async fn user_lasts(corner: &Redis, user: UserId) -> Option<Duration> {
    lasts(corner, &format!("{}user:{user}", corner.prefix)).await
}

#[tokio::test]
async fn every_key_outlives_its_session_a_little_and_only_the_sweepers_stays() {
    let Some(corner) = redis() else { return };
    let sessions = corner.sessions().await;
    for session in [pending(1), bound(2), exchanged(3)] {
        let life = session.expires_at.since(now());
        // Five minutes longer, less half of one for a machine that is busy.
        let expected = life + Duration::from_secs(270)..=life + Duration::from_mins(5);
        assert!(sessions.insert_session(&session).await.unwrap());
        for key in corner.keys().await {
            match lasts(&corner, &key).await {
                Some(left) => assert!(expected.contains(&left), "{key}: {left:?}"),
                None => assert_eq!(key, format!("{}expiries", corner.prefix)),
            }
        }
        sessions.delete_session(session.id).await.unwrap();
    }
}

#[tokio::test]
async fn the_end_is_put_off_for_every_key() {
    let Some(corner) = redis() else { return };
    let sessions = corner.sessions().await;
    sessions.insert_session(&bound(1)).await.unwrap();
    assert!(sessions.replace_session(&exchanged(1)).await.unwrap());
    let staying: Vec<_> = corner
        .keys()
        .await
        .into_iter()
        .filter(|key| !key.ends_with(":expiries"))
        .collect();
    assert_eq!(
        staying.len(),
        4,
        "the session, two secrets and the user: {staying:?}"
    );
    for key in staying {
        assert!(
            lasts(&corner, &key).await.expect("it expires") > timing().idle,
            "{key}"
        );
    }
}

#[tokio::test]
async fn the_set_of_a_users_sessions_lasts_as_long_as_the_last_of_them() {
    let Some(corner) = redis() else { return };
    let sessions = corner.sessions().await;
    sessions.insert_session(&established(1, ADA)).await.unwrap();
    sessions.insert_session(&bound(2)).await.unwrap();
    assert!(user_lasts(&corner, ADA).await.expect("it expires") > timing().idle);
    sessions.delete_sessions_of(ADA, None).await.unwrap();
    assert_eq!(
        sessions.session(established(1, ADA).id).await.unwrap(),
        None
    );
}

#[tokio::test]
async fn a_secret_that_is_forgotten_leads_nowhere() {
    let Some(corner) = redis() else { return };
    let sessions = corner.sessions().await;
    let exchanged = exchanged(1);
    sessions.insert_session(&exchanged).await.unwrap();
    assert!(
        sessions
            .replace_session(&exchanged.used(now(), &timing()).unwrap())
            .await
            .unwrap()
    );
    let secrets: Vec<_> = corner
        .keys()
        .await
        .into_iter()
        .filter(|key| key.contains("secret:"))
        .collect();
    assert_eq!(
        secrets,
        [format!("{}secret:{}", corner.prefix, "65".repeat(32))]
    );
}

#[tokio::test]
async fn a_session_with_the_id_of_another_is_not_kept() {
    let Some(corner) = redis() else { return };
    let sessions = corner.sessions().await;
    let first = established(1, ADA);
    sessions.insert_session(&first).await.unwrap();
    let second = Session {
        id: first.id,
        ..established(2, BOB)
    };
    assert!(!sessions.insert_session(&second).await.unwrap());
    assert_eq!(sessions.session(first.id).await.unwrap(), Some(first));
    assert_eq!(sessions.session_by_secret(&hash(2)).await.unwrap(), None);
}

#[tokio::test]
async fn deleting_each_session_leaves_no_key() {
    let Some(corner) = redis() else { return };
    let sessions = corner.sessions().await;
    let all = [pending(1), bound(2), exchanged(3), established(4, BOB)];
    for session in &all {
        assert!(sessions.insert_session(session).await.unwrap());
    }
    for session in &all {
        sessions.delete_session(session.id).await.unwrap();
    }
    assert_eq!(corner.keys().await, [""; 0]);
}

#[tokio::test]
async fn deleting_all_sessions_of_a_user_leaves_no_key() {
    let Some(corner) = redis() else { return };
    let sessions = corner.sessions().await;
    for session in [bound(1), exchanged(2), established(3, ADA)] {
        assert!(sessions.insert_session(&session).await.unwrap());
    }
    sessions.delete_sessions_of(ADA, None).await.unwrap();
    assert_eq!(corner.keys().await, [""; 0]);
}

#[tokio::test]
async fn more_sessions_than_one_batch_are_swept_and_leave_no_key() {
    let Some(corner) = redis() else { return };
    let sessions = corner.sessions().await;
    for _ in 0..1001 {
        let id = random(&SystemEntropy);
        let secret = random(&SystemEntropy);
        let session = Session::established(
            SessionId::from_bytes(id),
            SecretHash::from_bytes(secret),
            ADA,
            None,
            now(),
            &timing(),
        );
        assert!(sessions.insert_session(&session).await.unwrap());
    }
    assert_eq!(sessions.sweep_sessions(now()).await.unwrap(), 0);
    assert_eq!(
        sessions
            .sweep_sessions(now() + timing().idle)
            .await
            .unwrap(),
        1001
    );
    assert_eq!(corner.keys().await, [""; 0]);
}

#[tokio::test]
async fn sessions_that_expired_unswept_do_not_get_in_the_way() {
    let Some(corner) = redis() else { return };
    let sessions = corner.sessions().await;
    let expired = established(1, ADA);
    let next = established(2, ADA);
    sessions.insert_session(&expired).await.unwrap();
    // As Redis does by itself, in its own time.
    for key in [
        format!("session:{}", expired.id),
        format!("secret:{}", "01".repeat(32)),
    ] {
        let gone: u32 = corner
            .run(cmd("DEL").arg(format!("{}{key}", corner.prefix)))
            .await;
        assert_eq!(gone, 1);
    }
    assert_eq!(sessions.sessions_of(ADA).await.unwrap(), []);
    sessions.insert_session(&next).await.unwrap();
    assert_eq!(
        sessions.sessions_of(ADA).await.unwrap(),
        std::slice::from_ref(&next)
    );
    let of_user: Vec<String> = corner
        .run(cmd("SMEMBERS").arg(format!("{}user:{ADA}", corner.prefix)))
        .await;
    assert_eq!(
        of_user,
        [next.id.to_string()],
        "who joins clears away who has gone"
    );
    assert_eq!(
        sessions
            .sweep_sessions(now() + timing().idle)
            .await
            .unwrap(),
        1,
        "only one was still there"
    );
    assert_eq!(corner.keys().await, [""; 0]);
}
