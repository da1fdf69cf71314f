//! A user who moves to another address.

use super::*;

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
