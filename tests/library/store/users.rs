//! Users are known by issuer and subject; a password belongs to an identity of this server's own.

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
async fn a_password_is_found_by_its_own_subject_and_can_be_changed() {
    for stores in adapters().await {
        let user = with_password("ada@example.com");
        stores.users.put_user(&user, Some("$first")).await.unwrap();
        assert_eq!(
            password_of(&*stores.users, "ada@example.com").await,
            Some((user.id, "$first".into()))
        );
        stores
            .users
            .put_user(&with_password("ada@example.com"), Some("$second"))
            .await
            .unwrap();
        assert_eq!(
            password_of(&*stores.users, "ada@example.com").await,
            Some((user.id, "$second".into()))
        );
        stores
            .users
            .put_user(&with_password("ada@example.com"), None)
            .await
            .unwrap();
        assert_eq!(
            password_of(&*stores.users, "ada@example.com").await,
            Some((user.id, "$second".into()))
        );
    }
}

#[tokio::test]
async fn a_user_known_by_a_validator_has_no_password_under_their_e_mail_address() {
    for stores in adapters().await {
        let claimed = Identity {
            subject: "ada@example.com".into(),
            ..ada()
        };
        stores
            .users
            .put_user(&fresh(claimed), Some("$theirs"))
            .await
            .unwrap();
        stores
            .users
            .put_user(&with_password("bob@example.com"), None)
            .await
            .unwrap();
        assert_eq!(
            stores.users.password("ada@example.com").await.unwrap(),
            None
        );
        assert_eq!(
            stores.users.password("bob@example.com").await.unwrap(),
            None,
            "a user without a password"
        );
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

#[tokio::test]
async fn a_password_is_set_only_for_an_existing_user_and_changes_nothing_else() {
    for stores in adapters().await {
        let user = with_password("ada@example.com");
        stores.users.put_user(&user, None).await.unwrap();
        let by = authority(&stores, user.id).await;
        assert_eq!(
            stores.users.set_password(by, "$own", at(9)).await.unwrap(),
            Some(at(9))
        );
        assert_eq!(
            password_of(&*stores.users, "ada@example.com").await,
            Some((user.id, "$own".into()))
        );
        assert_eq!(
            stores.users.user(user.id).await.unwrap(),
            Some(User {
                valid_from: at(9),
                revision: 1,
                ..user
            })
        );
        let unknown = Authority {
            user: with_password("x@example.com").id,
            ..by
        };
        assert_eq!(
            stores
                .users
                .set_password(unknown, "$own", at(9))
                .await
                .unwrap(),
            None
        );
    }
}

#[tokio::test]
async fn a_hash_is_replaced_by_another_of_the_same_password_and_nothing_else_changes() {
    for stores in adapters().await {
        let user = with_password("ada@example.com");
        stores.users.put_user(&user, Some("$old")).await.unwrap();
        stores
            .users
            .rehash_password(user.id, "$another", "$new")
            .await
            .unwrap();
        assert_eq!(
            password_of(&*stores.users, "ada@example.com").await,
            Some((user.id, "$old".into()))
        );
        stores
            .users
            .rehash_password(user.id, "$old", "$new")
            .await
            .unwrap();
        assert_eq!(
            password_of(&*stores.users, "ada@example.com").await,
            Some((user.id, "$new".into()))
        );
        assert_eq!(stores.users.user(user.id).await.unwrap(), Some(user));
    }
}

#[tokio::test]
async fn a_user_moves_to_an_unused_address_and_keeps_the_password() {
    for stores in adapters().await {
        let ada = with_password("ada@example.com");
        let bob = with_password("bob@example.com");
        stores.users.put_user(&ada, Some("$adas")).await.unwrap();
        stores.users.put_user(&bob, None).await.unwrap();
        let address = |text: &str| text.parse().unwrap();
        let from = address("ada@example.com");
        let to = address("king@example.com");
        let adas = authority(&stores, ada.id).await;
        let bobs = authority(&stores, bob.id).await;
        assert_eq!(
            stores
                .users
                .move_user(adas, &from, &address("bob@example.com"), at(9))
                .await
                .unwrap(),
            Moved::Taken
        );
        assert_eq!(
            stores
                .users
                .move_user(bobs, &from, &to, at(9))
                .await
                .unwrap(),
            Moved::Gone,
            "it is not his to leave"
        );
        assert_eq!(
            stores
                .users
                .move_user(adas, &from, &to, at(9))
                .await
                .unwrap(),
            Moved::Done(at(9))
        );
        let adas = authority(&stores, ada.id).await;
        assert_eq!(
            stores
                .users
                .move_user(adas, &from, &to, at(10))
                .await
                .unwrap(),
            Moved::Gone,
            "not twice"
        );
        assert_eq!(
            stores
                .users
                .move_user(adas, &from, &address("third@example.com"), at(10))
                .await
                .unwrap(),
            Moved::Gone
        );
        let User {
            identity: moved,
            valid_from,
            ..
        } = stores.users.user(ada.id).await.unwrap().unwrap();
        assert_eq!(valid_from, at(9));
        assert_eq!(
            (&*moved.subject, moved.email.as_deref()),
            ("king@example.com", Some("king@example.com"))
        );
        assert_eq!(
            password_of(&*stores.users, "king@example.com").await,
            Some((ada.id, "$adas".into()))
        );
        assert_eq!(
            stores.users.password("ada@example.com").await.unwrap(),
            None
        );
    }
}

#[tokio::test]
async fn of_many_who_move_to_one_address_at_once_one_does() {
    for stores in adapters().await {
        let mut users = Vec::new();
        for number in 0..16 {
            let user = with_password(&format!("p{number}@example.com"));
            stores.users.put_user(&user, None).await.unwrap();
            users.push(user);
        }
        let to = "king@example.com".parse().unwrap();
        let moves = users.iter().map(|user| {
            let stores = stores.clone();
            let to = &to;
            async move {
                let by = authority(&stores, user.id).await;
                stores
                    .users
                    .move_user(by, &user.identity.subject.parse().unwrap(), to, at(9))
                    .await
            }
        });
        let done = futures_util::future::join_all(moves).await;
        assert_eq!(
            done.iter()
                .filter(|moved| matches!(moved, Ok(Moved::Done(_))))
                .count(),
            1,
            "{done:?}"
        );
    }
}

#[tokio::test]
async fn a_disabled_user_has_no_password_and_no_verdict_signs_them_in() {
    for stores in adapters().await {
        let user = with_password("ada@example.com");
        stores.users.put_user(&user, Some("$hash")).await.unwrap();
        assert!(
            stores
                .users
                .disable_user(user.id, true, at(9))
                .await
                .unwrap()
        );
        assert_eq!(
            stores.users.user(user.id).await.unwrap(),
            Some(User {
                disabled: true,
                valid_from: at(9),
                revision: 1,
                ..user.clone()
            })
        );
        assert_eq!(
            stores.users.password("ada@example.com").await.unwrap(),
            None
        );
        let session = Sample::new(1)
            .begun(&*stores.confirmations)
            .await
            .session
            .id;
        let claim = stores
            .queue
            .claim(worker(1), Which::Any, &1.into(), at(0), at(30))
            .await
            .unwrap()
            .remove(0);
        let decider = Decider::Worker { fence: claim.fence };
        let decision = Decision::Valid(user.identity.clone(), None);
        let stored = stores
            .confirmations
            .decide(claim.id, decider, &decision, settlement(at(5)))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(stored.ending(), Some(Ending::Rejected(Rejection::Invalid)));
        assert_eq!(stores.sessions.session(session).await.unwrap(), None);
        let known = Sample::new(2)
            .begun(&*stores.confirmations)
            .await
            .confirmation
            .id;
        let again = stores
            .confirmations
            .decide(
                known,
                Decider::User,
                &Decision::Known(user.id, None),
                settlement(at(5)),
            )
            .await
            .unwrap();
        assert_eq!(
            again.unwrap().ending(),
            Some(Ending::Rejected(Rejection::Expired))
        );
        assert!(
            stores
                .users
                .disable_user(user.id, false, at(9))
                .await
                .unwrap()
        );
        assert_eq!(
            password_of(&*stores.users, "ada@example.com").await,
            Some((user.id, "$hash".into()))
        );
        assert!(
            !stores
                .users
                .disable_user(with_password("x@example.com").id, true, at(9))
                .await
                .unwrap()
        );
    }
}

#[tokio::test]
async fn a_user_decided_as_known_is_let_in_and_never_created() {
    for stores in adapters().await {
        let user = with_password("ada@example.com");
        stores.users.put_user(&user, None).await.unwrap();
        let decide = async |number: u8| {
            let id = Sample::new(number)
                .begun(&*stores.confirmations)
                .await
                .confirmation
                .id;
            let decision = Decision::Known(user.id, None);
            let stored = stores
                .confirmations
                .decide(id, Decider::User, &decision, settlement(at(5)))
                .await
                .unwrap();
            stored.unwrap().ending()
        };
        assert_eq!(decide(1).await, Some(Ending::Confirmed(user.id)));
        assert!(stores.remove_user(user.id).await.unwrap());
        assert_eq!(decide(2).await, Some(Ending::Rejected(Rejection::Expired)));
        assert_eq!(
            stores
                .users
                .user_by_identity(PASSWORD_ISSUER, "ada@example.com")
                .await
                .unwrap(),
            None
        );
    }
}

#[tokio::test]
async fn an_operators_new_password_ends_an_existing_users_earlier_sessions() {
    for stores in adapters().await {
        let user = with_password("ada@example.com");
        stores.users.put_user(&user, Some("$first")).await.unwrap();
        let valid_from = async || {
            stores
                .users
                .user(user.id)
                .await
                .unwrap()
                .unwrap()
                .valid_from
        };
        assert_eq!(valid_from().await, at(0));
        stores
            .users
            .put_user(
                &User {
                    created_at: at(9),
                    ..with_password("ada@example.com")
                },
                Some("$second"),
            )
            .await
            .unwrap();
        assert_eq!(valid_from().await, at(9));
        stores
            .users
            .put_user(
                &User {
                    created_at: at(99),
                    ..with_password("ada@example.com")
                },
                None,
            )
            .await
            .unwrap();
        assert_eq!(valid_from().await, at(9));
    }
}
