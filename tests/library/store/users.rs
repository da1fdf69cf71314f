//! Users are known by issuer and subject; a password belongs to an identity of this server's own.

use crate::support::{ada, adapters, at};
use vestibule::{
    secret::SystemEntropy,
    user::{Identity, PASSWORD_ISSUER, User, UserId},
};

fn fresh(identity: Identity) -> User {
    User { id: UserId::generate(&SystemEntropy), identity, since: at(7) }
}

fn with_password(email: &str) -> User {
    let issuer = PASSWORD_ISSUER.into();
    fresh(Identity { issuer, subject: email.into(), name: None, email: Some(email.into()) })
}

#[tokio::test]
async fn a_user_reads_back() {
    for store in adapters().await {
        let user = fresh(ada());
        assert_eq!(store.put_user(&user, None).await.unwrap(), user.id);
        assert_eq!(store.user(user.id).await.unwrap(), Some(user));
        assert_eq!(store.user(fresh(ada()).id).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_known_identity_keeps_its_id_and_its_age_and_takes_the_rest_over() {
    for store in adapters().await {
        let first = fresh(ada());
        store.put_user(&first, None).await.unwrap();
        let renamed = Identity { name: Some("Ada King".into()), email: None, ..ada() };
        let again = User { since: at(99), ..fresh(renamed.clone()) };
        assert_eq!(store.put_user(&again, None).await.unwrap(), first.id);
        assert_eq!(store.user(first.id).await.unwrap(), Some(User { identity: renamed, ..first }));
        assert_eq!(store.user(again.id).await.unwrap(), None);
    }
}

#[tokio::test]
async fn two_users_may_have_one_e_mail_address() {
    for store in adapters().await {
        let first = store.put_user(&fresh(ada()), None).await.unwrap();
        let second = store.put_user(&fresh(Identity { issuer: "another".into(), ..ada() }), None).await.unwrap();
        assert_ne!(first, second);
    }
}

#[tokio::test]
async fn a_password_is_found_by_its_own_subject_and_can_be_changed() {
    for store in adapters().await {
        let user = with_password("ada@example.com");
        store.put_user(&user, Some("$first")).await.unwrap();
        assert_eq!(store.password("ada@example.com").await.unwrap(), Some((user.id, "$first".into())));
        store.put_user(&with_password("ada@example.com"), Some("$second")).await.unwrap();
        assert_eq!(store.password("ada@example.com").await.unwrap(), Some((user.id, "$second".into())));
        store.put_user(&with_password("ada@example.com"), None).await.unwrap();
        assert_eq!(store.password("ada@example.com").await.unwrap(), Some((user.id, "$second".into())));
    }
}

#[tokio::test]
async fn somebody_a_validator_vouches_for_has_no_password_by_their_e_mail_address() {
    for store in adapters().await {
        let claimed = Identity { subject: "ada@example.com".into(), ..ada() };
        store.put_user(&fresh(claimed), Some("$theirs")).await.unwrap();
        store.put_user(&with_password("bob@example.com"), None).await.unwrap();
        assert_eq!(store.password("ada@example.com").await.unwrap(), None);
        assert_eq!(store.password("bob@example.com").await.unwrap(), None, "a user without a password");
    }
}

#[tokio::test]
async fn a_subject_that_no_database_can_keep_is_nobodys() {
    for store in adapters().await {
        store.put_user(&with_password("ada@example.com"), Some("$first")).await.unwrap();
        assert_eq!(store.password("ada@example.com\0").await.unwrap(), None);
    }
}
