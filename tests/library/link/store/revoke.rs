//! Links that are open no more, and what goes with them.

use super::{databases, sample, stored};
use crate::{
    link::harness::ada,
    support::{at, authority_in},
};
use vestibule::{
    link::{Link, LinkState, PER_ADDRESS},
    secret::SystemEntropy,
    user::{Identity, PASSWORD_ISSUER, User, UserId},
};

#[tokio::test]
async fn the_mail_of_a_link_that_is_open_no_more_is_not_sent() {
    for (store, _folder) in databases().await {
        let all: Vec<_> = (1..=3)
            .map(|number| sample(number, &format!("p{number}@example.com").parse().unwrap()))
            .collect();
        for (link, posting) in &all {
            store.post_link(link, posting).await.unwrap();
        }
        assert!(
            store
                .replace_link(&all[0].0.clone().revoke())
                .await
                .unwrap()
        );
        store.revoke_links(&all[1].0.address).await.unwrap();
        let left = store.take_mail(8, at(9), at(99)).await.unwrap();
        assert_eq!(
            left.into_iter().map(|mail| mail.id).collect::<Vec<_>>(),
            [all[2].1.mail.id]
        );
    }
}

#[tokio::test]
async fn all_links_to_an_address_are_taken_back_and_no_others() {
    for (store, _folder) in databases().await {
        let (mailed, posting) = sample(1, &ada());
        let handed_over = Link {
            mailed: false,
            waiting: None,
            ..sample(2, &ada()).0
        };
        let (bobs, his) = sample(3, &"bob@example.com".parse().unwrap());
        store.post_link(&mailed, &posting).await.unwrap();
        store.add_link(&handed_over).await.unwrap();
        store.post_link(&bobs, &his).await.unwrap();
        store.revoke_links(&ada()).await.unwrap();
        for (link, state) in [
            (mailed, LinkState::Revoked),
            (handed_over, LinkState::Revoked),
            (bobs, LinkState::Open),
        ] {
            assert_eq!(
                store
                    .link_by_token(&link.token)
                    .await
                    .unwrap()
                    .unwrap()
                    .state,
                state
            );
        }
    }
}

#[tokio::test]
async fn links_to_a_removed_user_are_revoked_and_no_others() {
    for (store, _folder) in databases().await {
        let person = |issuer: &str, subject: &str| Identity {
            issuer: issuer.into(),
            subject: subject.into(),
            name: None,
            email: Some("ada@example.com".into()),
        };
        let mut users = Vec::new();
        for identity in [
            person(PASSWORD_ISSUER, "ada@example.com"),
            person("practice", "ada@example.com"),
        ] {
            let user = User::new(UserId::generate(&SystemEntropy), identity, at(0));
            users.push(store.put_user(&user, None).await.unwrap());
        }
        let hers = sample(1, &ada());
        let bobs = sample(2, &"bob@example.com".parse().unwrap());
        for (link, posting) in [&hers, &bobs] {
            store.post_link(link, posting).await.unwrap();
        }
        let mut states = Vec::new();
        for user in [users[1], users[0]] {
            assert!(store.remove_user(user).await.unwrap());
            for (link, _) in [&hers, &bobs] {
                states.push(
                    store
                        .link_by_token(&link.token)
                        .await
                        .unwrap()
                        .unwrap()
                        .state,
                );
            }
        }
        assert_eq!(
            states,
            [
                LinkState::Open,
                LinkState::Open,
                LinkState::Revoked,
                LinkState::Open
            ]
        );
    }
}

#[tokio::test]
async fn with_the_sessions_that_a_change_ends_go_the_open_links_to_its_user_in_the_same_write() {
    for (store, _folder) in databases().await {
        let subject = "ada@example.com".to_owned();
        let identity = Identity {
            issuer: PASSWORD_ISSUER.into(),
            subject: subject.clone(),
            name: None,
            email: None,
        };
        let known = User::new(UserId::generate(&SystemEntropy), identity, at(0));
        let user = store.put_user(&known, None).await.unwrap();
        let bobs = sample(99, &"bob@example.com".parse().unwrap());
        store.post_link(&bobs.0, &bobs.1).await.unwrap();
        for change in 0..6 {
            let (link, posting) = sample(change, &ada());
            store.post_link(&link, &posting).await.unwrap();
            let by = authority_in(&*store, &*store, user).await;
            match change {
                0 => assert!(
                    store
                        .set_password(by, "$own", at(9))
                        .await
                        .unwrap()
                        .is_some()
                ),
                1 => assert!(store.revoke_sessions(by, true, at(9)).await.unwrap()),
                2 => {
                    assert!(store.disable_user(user, true, at(9)).await.unwrap());
                    assert!(store.disable_user(user, false, at(9)).await.unwrap());
                }
                3 => {
                    let again = User {
                        id: UserId::generate(&SystemEntropy),
                        ..known.clone()
                    };
                    assert_eq!(
                        store.put_user(&again, Some("$operators")).await.unwrap(),
                        user
                    );
                }
                4 => assert!(store.revoke_sessions(by, false, at(9)).await.unwrap()),
                _ => {
                    store.delete_session(by.session).await.unwrap();
                    assert_eq!(
                        store.set_password(by, "$thiefs", at(9)).await.unwrap(),
                        None
                    );
                }
            }
            let state = store
                .link_by_token(&link.token)
                .await
                .unwrap()
                .unwrap()
                .state;
            assert_eq!(state == LinkState::Revoked, change < 4, "{change}");
        }
        assert_eq!(
            store
                .link_by_token(&bobs.0.token)
                .await
                .unwrap()
                .unwrap()
                .state,
            LinkState::Open
        );
    }
}

#[tokio::test]
async fn who_waits_for_a_link_that_was_never_mailed_does_not_see_when_its_owner_does_something() {
    for (store, _folder) in databases().await {
        let subject = "ada@example.com".to_owned();
        let identity = Identity {
            issuer: PASSWORD_ISSUER.into(),
            subject,
            name: None,
            email: None,
        };
        let user = User::new(UserId::generate(&SystemEntropy), identity, at(0));
        let user = store.put_user(&user, None).await.unwrap();
        let mut links = Vec::new();
        for number in 1..=u8::try_from(PER_ADDRESS).unwrap() + 1 {
            let (link, posting) = sample(number, &ada());
            store.post_link(&link, &posting).await.unwrap();
            links.push(link);
        }
        let by = authority_in(&*store, &*store, user).await;
        assert!(
            store
                .set_password(by, "$own", at(9))
                .await
                .unwrap()
                .is_some()
        );
        for link in links {
            let link = stored(&store, &link).await;
            assert_eq!(
                link.state,
                if link.mailed {
                    LinkState::Revoked
                } else {
                    LinkState::Open
                }
            );
        }
    }
}
