//! Users who may no longer sign in.

use super::*;

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
