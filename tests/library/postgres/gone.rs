//! An unreachable database is reported soon, and used again once it is back.

use crate::support::{Postgres, Sample, ada, at, settlement, soon, welcome, worker};
use vestibule::{
    confirmation::{Decider, Decision, Which},
    store::{
        BeginError, ConfirmationQueue as _, ConfirmationStore as _, SessionStore as _, StoreError,
        UserStore as _,
    },
};

#[tokio::test]
async fn while_the_database_is_away_nothing_is_done_and_once_it_is_back_everything() {
    let Some(database) = Postgres::fresh().await else {
        return;
    };
    let store = database.open().await;
    let sample = Sample::new(1).begun(&store).await;
    let id = sample.confirmation.id;
    let secret = sample.confirmation.secret;
    let next = Sample::new(2);
    database.close().await;
    let unavailable =
        |error: StoreError| assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    soon("the store to give up", async {
        let begun = store
            .begin(&next.confirmation, &next.session, welcome())
            .await;
        assert!(
            matches!(begun, Err(BeginError::Store(StoreError::Unavailable(_)))),
            "{begun:?}"
        );
        unavailable(store.confirmation_by_secret(&secret).await.unwrap_err());
        unavailable(
            store
                .claim(worker(1), Which::Any, &1.into(), at(0), at(30))
                .await
                .unwrap_err(),
        );
        unavailable(
            store
                .decide(id, Decider::User, &Decision::Unavailable, settlement(at(1)))
                .await
                .unwrap_err(),
        );
        unavailable(store.revoke(id, sample.session.id).await.unwrap_err());
        unavailable(store.session(sample.session.id).await.unwrap_err());
        unavailable(store.password("ada@example.com").await.unwrap_err());
    })
    .await;
    database.reopen().await;
    assert_eq!(
        sample.stored(&store).await,
        sample.confirmation,
        "nothing was changed"
    );
    assert_eq!(
        store
            .begin(&next.confirmation, &next.session, welcome())
            .await
            .unwrap(),
        next.confirmation
    );
    let decided = store
        .decide(
            id,
            Decider::User,
            &Decision::Valid(ada(), None),
            settlement(at(1)),
        )
        .await
        .unwrap();
    assert!(decided.unwrap().ending().is_some());
}

#[tokio::test]
async fn idle_connections_that_were_cut_cause_no_failed_call() {
    let Some(database) = Postgres::fresh().await else {
        return;
    };
    let store = database.open().await;
    for number in 1..=5 {
        let sample = Sample::new(number).begun(&store).await;
        database.throw_everybody_out().await;
        assert_eq!(sample.stored(&store).await, sample.confirmation);
    }
}
