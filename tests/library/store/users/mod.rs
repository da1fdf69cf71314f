//! Users are known by issuer and subject; a password belongs to an identity of this server's own.

mod address;
mod disabled;
mod passwords;

use crate::support::{Sample, ada, adapters, at, authority, password_of, settlement, worker};
use vestibule::{
    confirmation::{Decider, Decision, Ending, Rejection, Which},
    secret::{SecretHash, SystemEntropy},
    session::{Session, SessionId},
    timing::Timing,
    user::{Authority, Identity, Moved, PASSWORD_ISSUER, User, UserId},
};

fn fresh(identity: Identity) -> User {
    User::new(UserId::generate(&SystemEntropy), identity, at(7))
}

fn with_password(email: &str) -> User {
    let issuer = PASSWORD_ISSUER.into();
    fresh(Identity {
        issuer,
        subject: email.into(),
        name: None,
        email: Some(email.into()),
    })
}

#[tokio::test]
async fn a_user_reads_back() {
    for stores in adapters().await {
        let user = fresh(ada());
        assert_eq!(stores.users.put_user(&user, None).await.unwrap(), user.id);
        assert_eq!(stores.users.user(user.id).await.unwrap(), Some(user));
        assert_eq!(stores.users.user(fresh(ada()).id).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_known_identity_keeps_its_id_and_its_age_and_takes_the_rest_over() {
    for stores in adapters().await {
        let first = fresh(ada());
        stores.users.put_user(&first, None).await.unwrap();
        let renamed = Identity {
            name: Some("Ada King".into()),
            email: None,
            ..ada()
        };
        let again = User {
            created_at: at(99),
            ..fresh(renamed.clone())
        };
        assert_eq!(stores.users.put_user(&again, None).await.unwrap(), first.id);
        assert_eq!(
            stores.users.user(first.id).await.unwrap(),
            Some(User {
                identity: renamed,
                ..first
            })
        );
        assert_eq!(stores.users.user(again.id).await.unwrap(), None);
    }
}

#[tokio::test]
async fn two_users_may_have_one_e_mail_address() {
    for stores in adapters().await {
        let first = stores.users.put_user(&fresh(ada()), None).await.unwrap();
        let second = stores
            .users
            .put_user(
                &fresh(Identity {
                    issuer: "another".into(),
                    ..ada()
                }),
                None,
            )
            .await
            .unwrap();
        assert_ne!(first, second);
    }
}

#[tokio::test]
async fn users_are_listed_in_batches_by_issuer_and_subject() {
    for stores in adapters().await {
        assert_eq!(stores.users.users(None, 10).await.unwrap(), []);
        let keys = [("b", "Z"), ("b", "a"), ("a", "é"), ("a", "c"), ("a", "b")];
        for (issuer, subject) in keys {
            let identity = Identity {
                issuer: issuer.into(),
                subject: subject.into(),
                name: None,
                email: None,
            };
            stores.users.put_user(&fresh(identity), None).await.unwrap();
        }
        let mut listed = Vec::new();
        let mut batches = Vec::new();
        let mut last = None;
        loop {
            let batch = stores.users.users(last.as_ref(), 2).await.unwrap();
            batches.push(batch.len());
            let Some(newest) = batch.last() else { break };
            last = Some(newest.clone());
            listed.extend(batch);
        }
        assert_eq!(batches, [2, 2, 1, 0]);
        let keys: Vec<_> = listed
            .iter()
            .map(|User { identity, .. }| (&*identity.issuer, &*identity.subject))
            .collect();
        assert_eq!(
            keys,
            [("a", "b"), ("a", "c"), ("a", "é"), ("b", "Z"), ("b", "a")]
        );
        assert_eq!(
            stores.users.user(listed[0].id).await.unwrap(),
            Some(listed[0].clone())
        );
    }
}

#[tokio::test]
async fn a_removed_user_is_gone_with_their_sessions_and_no_one_else_is() {
    for stores in adapters().await {
        let mut sessions = Vec::new();
        for (number, email) in (1..).zip(["ada@example.com", "bob@example.com"]) {
            let user = stores
                .users
                .put_user(&with_password(email), Some("$hash"))
                .await
                .unwrap();
            let id = SessionId::from_bytes([number; 16]);
            let secret = SecretHash::from_bytes([number; 32]);
            let session = Session::established(id, secret, user, None, at(0), &Timing::default());
            assert!(stores.sessions.insert_session(&session).await.unwrap());
            let bound = Sample::new(number + 100)
                .session
                .rebind(user, at(900))
                .unwrap();
            assert!(stores.sessions.insert_session(&bound).await.unwrap());
            sessions.push((session, bound.id));
        }
        let ada = sessions[0].0.user().unwrap();
        let bob = sessions[1].0.user().unwrap();
        assert!(stores.remove_user(ada).await.unwrap());
        assert!(
            !stores.remove_user(ada).await.unwrap(),
            "there is none any more"
        );
        assert_eq!(stores.users.user(ada).await.unwrap(), None);
        assert_eq!(
            stores.users.password("ada@example.com").await.unwrap(),
            None
        );
        assert_eq!(
            stores
                .sessions
                .session_by_secret(&SecretHash::from_bytes([1; 32]))
                .await
                .unwrap(),
            None
        );
        assert_eq!(
            stores.sessions.session(sessions[0].1).await.unwrap(),
            None,
            "nor does one that was not used stay"
        );
        assert_eq!(
            stores.sessions.sessions_of(bob).await.unwrap(),
            [sessions[1].0.clone()]
        );
        assert!(
            stores
                .sessions
                .session(sessions[1].1)
                .await
                .unwrap()
                .is_some()
        );
        let again = stores
            .users
            .put_user(&with_password("ada@example.com"), None)
            .await
            .unwrap();
        assert_ne!(again, ada, "a user who comes later is another one");
    }
}

#[tokio::test]
async fn a_subject_that_no_database_can_store_belongs_to_no_one() {
    for stores in adapters().await {
        stores
            .users
            .put_user(&with_password("ada@example.com"), Some("$first"))
            .await
            .unwrap();
        assert_eq!(
            stores.users.password("ada@example.com\0").await.unwrap(),
            None
        );
    }
}
