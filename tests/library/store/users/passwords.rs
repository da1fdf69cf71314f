//! Passwords of users, who are known by their addresses.

use super::*;

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
