//! Settling: any process may do it, however late; the session follows the stored decision, once.

use super::{BOUND, Split};
use crate::support::{Sample, ada, at, settlement, welcome};
use vestibule::{
    confirmation::{Decision, Ending, Rejection, State},
    secret::SecretHash,
    session::SessionState,
    store::ConfirmationStore as _,
    timing::Timing,
};

/// A confirmation whose worker was killed after it had decided.
async fn killed_after_deciding(stores: &Split, decision: Decision) -> Sample {
    let (sample, claim, decider) = stores.claimed(1).await;
    let left = stores
        .database
        .decide(claim.id, decider, &decision, settlement(at(1)))
        .await
        .unwrap()
        .unwrap();
    assert!(
        matches!(left.state, State::Decided(_)),
        "a database without sessions only decides"
    );
    sample
}

#[tokio::test]
async fn a_worker_killed_after_deciding_is_resumed_by_the_next_request() {
    for stores in Split::all().await {
        let sample = killed_after_deciding(&stores, Decision::Valid(ada(), None)).await;
        let found = sample.stored(&*stores.both.confirmations).await;
        assert!(matches!(found.state, State::Settled(_)));
        let Some(Ending::Confirmed(user)) = found.ending() else {
            panic!("it is confirmed")
        };
        let session = stores
            .sessions
            .session(sample.session.id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            session.state,
            SessionState::Bound {
                secret: sample.confirmation.secret,
                user
            }
        );
        assert_eq!(session.expires_at, at(1) + BOUND);
    }
}

#[tokio::test]
async fn a_worker_killed_after_deciding_is_resumed_by_the_next_worker_without_a_request() {
    for stores in Split::all().await {
        let sample = killed_after_deciding(&stores, Decision::Rejected(Rejection::Used)).await;
        // As it does before each claim.
        let next_worker = &stores.both.confirmations;
        next_worker.settle_abandoned(at(3)).await.unwrap();
        assert!(
            stores.has_session(&sample).await,
            "what is only just decided is its own worker's"
        );
        next_worker.settle_abandoned(at(7)).await.unwrap();
        assert!(!stores.has_session(&sample).await);
        assert_eq!(stores.database.unsettled(at(1000)).await.unwrap(), []);
    }
}

#[tokio::test]
async fn settling_late_leaves_an_exchanged_session_alone() {
    for stores in Split::all().await {
        let sample = killed_after_deciding(&stores, Decision::Valid(ada(), None)).await;
        let stalled = stores
            .database
            .confirmation_by_secret(&sample.confirmation.secret)
            .await
            .unwrap()
            .unwrap();
        sample.stored(&*stores.both.confirmations).await;
        let bound = stores
            .sessions
            .session(sample.session.id)
            .await
            .unwrap()
            .unwrap();
        let new = SecretHash::from_bytes([200; 32]);
        let exchanged = bound
            .exchange(new, None, at(2), &Timing::default())
            .unwrap();
        assert!(stores.sessions.replace_session(&exchanged).await.unwrap());
        // The stalled one wakes up and goes on from what it had read.
        assert!(matches!(stalled.state, State::Decided(_)));
        stores
            .both
            .confirmations
            .begin(&stalled, &sample.session, welcome())
            .await
            .unwrap();
        assert_eq!(
            stores.sessions.session(sample.session.id).await.unwrap(),
            Some(exchanged)
        );
    }
}

#[tokio::test]
async fn a_session_that_was_signed_out_is_never_made_again_by_settling() {
    for stores in Split::all().await {
        let sample = killed_after_deciding(&stores, Decision::Valid(ada(), None)).await;
        stores
            .sessions
            .delete_session(sample.session.id)
            .await
            .unwrap();
        assert!(matches!(
            sample.stored(&*stores.both.confirmations).await.state,
            State::Settled(_)
        ));
        assert!(!stores.has_session(&sample).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_that_settle_at_once_bind_the_session_once() {
    for stores in Split::all().await {
        let sample = killed_after_deciding(&stores, Decision::Valid(ada(), None)).await;
        let settling: Vec<_> = (0..64)
            .map(|_| {
                let both = stores.both.clone();
                let secret = sample.confirmation.secret;
                tokio::spawn(async move {
                    both.confirmations
                        .confirmation_by_secret(&secret)
                        .await
                        .unwrap()
                        .unwrap()
                        .ending()
                })
            })
            .collect();
        for one in settling {
            assert!(matches!(one.await.unwrap(), Some(Ending::Confirmed(_))));
        }
        assert_eq!(
            stores
                .sessions
                .session(sample.session.id)
                .await
                .unwrap()
                .unwrap()
                .revision,
            1
        );
    }
}
