//! A change of an account is made by a session that may make it in the moment of the change.

use crate::support::{adapters, at, authority};
use vestibule::{
    clock::Timestamp,
    secret::SystemEntropy,
    store::Stores,
    user::{Authority, Identity, Moved, PASSWORD_ISSUER, User, UserId},
};

fn king() -> User {
    let email = "king@example.com".to_owned();
    let identity = Identity {
        issuer: PASSWORD_ISSUER.into(),
        subject: email.clone(),
        name: None,
        email: Some(email),
    };
    User::new(UserId::generate(&SystemEntropy), identity, at(0))
}

/// What ends what a session may do.
#[derive(Clone, Copy, Debug)]
enum Revocation {
    SignOut,
    OthersEnd,
    AllEnd,
    SignOutEverywhere,
    Password,
    OperatorsPassword,
    Disabled,
    DisabledForAWhile,
    Removed,
}

const REVOCATIONS: [Revocation; 9] = [
    Revocation::SignOut,
    Revocation::OthersEnd,
    Revocation::AllEnd,
    Revocation::SignOutEverywhere,
    Revocation::Password,
    Revocation::OperatorsPassword,
    Revocation::Disabled,
    Revocation::DisabledForAWhile,
    Revocation::Removed,
];

impl Revocation {
    /// Ends what `ended` may do, from another session of the same user where possible.
    async fn happens(self, stores: &Stores, ended: Authority) {
        let user = ended.user;
        let owner = authority(stores, user).await;
        match self {
            Self::SignOut => stores.sessions.delete_session(ended.session).await.unwrap(),
            Self::OthersEnd => stores
                .sessions
                .delete_sessions_of(user, Some(owner.session))
                .await
                .unwrap(),
            Self::AllEnd => stores
                .sessions
                .delete_sessions_of(user, None)
                .await
                .unwrap(),
            Self::SignOutEverywhere => {
                assert!(
                    stores
                        .users
                        .revoke_sessions(owner, true, at(5))
                        .await
                        .unwrap()
                );
            }
            Self::Password => assert!(
                stores
                    .users
                    .set_password(owner, "$owners", at(5))
                    .await
                    .unwrap()
                    .is_some()
            ),
            Self::OperatorsPassword => {
                assert_eq!(
                    stores
                        .users
                        .put_user(&king(), Some("$operators"))
                        .await
                        .unwrap(),
                    user
                );
            }
            Self::Disabled => assert!(stores.users.disable_user(user, true, at(5)).await.unwrap()),
            Self::DisabledForAWhile => {
                assert!(stores.users.disable_user(user, true, at(5)).await.unwrap());
                assert!(stores.users.disable_user(user, false, at(5)).await.unwrap());
            }
            Self::Removed => assert!(stores.remove_user(user).await.unwrap()),
        }
    }
}

#[tokio::test]
async fn what_was_allowed_to_a_session_ends_with_it() {
    for stores in adapters().await {
        for revocation in REVOCATIONS {
            let user = stores.users.put_user(&king(), None).await.unwrap();
            let ended = authority(&stores, user).await;
            revocation.happens(&stores, ended).await;
            let before = stores.users.user(user).await.unwrap();
            let password = stores.users.password("king@example.com").await.unwrap();
            let from = "king@example.com".parse().unwrap();
            let to = "thief@example.com".parse().unwrap();
            assert_eq!(
                stores
                    .users
                    .set_password(ended, "$thiefs", at(9))
                    .await
                    .unwrap(),
                None,
                "{revocation:?}"
            );
            let moved = stores
                .users
                .move_user(ended, &from, &to, at(9))
                .await
                .unwrap();
            assert!(
                matches!(moved, Moved::Revoked | Moved::Gone),
                "{revocation:?}: {moved:?}"
            );
            for all in [false, true] {
                assert!(
                    !stores
                        .users
                        .revoke_sessions(ended, all, at(9))
                        .await
                        .unwrap(),
                    "{revocation:?}"
                );
            }
            assert_eq!(
                stores.users.user(user).await.unwrap(),
                before,
                "{revocation:?}"
            );
            assert_eq!(
                stores.users.password("king@example.com").await.unwrap(),
                password,
                "{revocation:?}"
            );
            stores.remove_user(user).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_session_that_has_expired_or_is_another_users_changes_nothing() {
    for stores in adapters()
        .await
        .into_iter()
        .filter(|stores| stores.together)
    {
        let king = stores.users.put_user(&king(), None).await.unwrap();
        let other = User {
            identity: Identity {
                subject: "other".into(),
                ..self::king().identity
            },
            ..self::king()
        };
        let other = stores.users.put_user(&other, None).await.unwrap();
        let kings = authority(&stores, king).await;
        let others = Authority {
            session: authority(&stores, other).await.session,
            ..kings
        };
        for (by, now) in [
            (others, at(9)),
            (kings, Timestamp::from_millis(i64::MAX / 2)),
        ] {
            assert_eq!(
                stores.users.set_password(by, "$thiefs", now).await.unwrap(),
                None
            );
        }
    }
}

#[tokio::test]
async fn what_one_session_is_allowed_goes_on_while_nothing_is_revoked() {
    for stores in adapters().await {
        let user = stores.users.put_user(&king(), None).await.unwrap();
        let by = authority(&stores, user).await;
        authority(&stores, user).await;
        // The validator has confirmed the user again.
        stores.users.put_user(&king(), None).await.unwrap();
        assert_eq!(
            stores.users.set_password(by, "$own", at(9)).await.unwrap(),
            Some(at(9))
        );
    }
}

#[tokio::test]
async fn each_change_is_valid_from_a_later_moment_than_the_one_before_it() {
    for stores in adapters().await {
        let user = stores.users.put_user(&king(), None).await.unwrap();
        let mut last = at(0);
        let mut is_later = |valid_from: Timestamp| {
            assert!(valid_from > last);
            last = valid_from;
        };
        let by = async || authority(&stores, user).await;
        for now in [at(9), at(9), at(3)] {
            is_later(
                stores
                    .users
                    .set_password(by().await, "$own", now)
                    .await
                    .unwrap()
                    .unwrap(),
            );
            let king = "king@example.com".parse().unwrap();
            let queen = "queen@example.com".parse().unwrap();
            for (from, to) in [(&king, &queen), (&queen, &king)] {
                let moved = stores
                    .users
                    .move_user(by().await, from, to, now)
                    .await
                    .unwrap();
                let Moved::Done(valid_from) = moved else {
                    panic!("{moved:?}")
                };
                is_later(valid_from);
            }
            for change in 0..3 {
                match change {
                    0 => assert!(
                        stores
                            .users
                            .revoke_sessions(by().await, true, now)
                            .await
                            .unwrap()
                    ),
                    1 => {
                        assert!(stores.users.disable_user(user, true, now).await.unwrap());
                        assert!(stores.users.disable_user(user, false, now).await.unwrap());
                    }
                    _ => {
                        let again = User {
                            created_at: now,
                            ..self::king()
                        };
                        assert_eq!(
                            stores.users.put_user(&again, Some("$")).await.unwrap(),
                            user
                        );
                    }
                }
                is_later(stores.users.user(user).await.unwrap().unwrap().valid_from);
            }
        }
    }
}

#[tokio::test]
async fn of_a_change_and_a_sign_out_at_once_the_change_is_first_or_is_not_made() {
    for stores in adapters().await {
        for _ in 0..20 {
            let user = stores.users.put_user(&king(), None).await.unwrap();
            let by = authority(&stores, user).await;
            let sign_out = async {
                stores.sessions.delete_session(by.session).await.unwrap();
                // Whatever is changed after this answer was changed by a session that has ended.
                stores.users.user(user).await.unwrap().unwrap().valid_from
            };
            let change = stores.users.set_password(by, "$thiefs", at(9));
            let (seen, changed) = tokio::join!(sign_out, change);
            assert!(changed.unwrap().is_none() || seen == at(9));
            stores.remove_user(user).await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_user_who_ends_other_sessions_makes_every_known_browser_a_stranger() {
    for stores in adapters().await {
        let user = stores.users.put_user(&king(), None).await.unwrap();
        let known = async || {
            let user = stores.users.user(user).await.unwrap().unwrap();
            user.valid_from.max(user.known_from)
        };
        // Also within one millisecond, and when the clock is set back.
        for now in [at(9), at(9), at(3)] {
            for all in [true, false, false] {
                let before = known().await;
                let by = authority(&stores, user).await;
                assert!(stores.users.revoke_sessions(by, all, now).await.unwrap());
                assert!(known().await > before, "{now:?} {all}");
            }
        }
    }
}
