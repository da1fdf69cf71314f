//! Beginning: the session is stored first, and is adopted by the begin that comes after a crash.

use super::Split;
use crate::support::{Sample, ada, at, settlement, welcome};
use vestibule::{
    confirmation::{Decision, Rejection},
    session::Session,
    store::{ConfirmationQueue as _, ConfirmationStore as _},
};

#[tokio::test]
async fn a_begin_that_was_killed_after_its_session_is_finished_by_the_next() {
    for stores in Split::all().await {
        let killed = Sample::new(1);
        let retry = Sample::new(2);
        assert!(
            stores
                .sessions
                .insert_session(&killed.session)
                .await
                .unwrap()
        );
        let mut again = retry.confirmation;
        again.secret = killed.confirmation.secret;
        let session = Session {
            id: retry.session.id,
            ..killed.session.clone()
        };
        let begun = stores
            .both
            .confirmations
            .begin(&again, &session, welcome())
            .await
            .unwrap();
        assert_eq!(
            begun.session, killed.session.id,
            "the session that is there is the confirmation's"
        );
        assert_eq!(
            stores.sessions.session(retry.session.id).await.unwrap(),
            None
        );
    }
}

#[tokio::test]
async fn a_begin_adopts_no_session_but_a_pending_one() {
    for stores in Split::all().await {
        let (_, claim, decider) = stores.claimed(1).await;
        stores
            .both
            .confirmations
            .decide(
                claim.id,
                decider,
                &Decision::Valid(ada(), None),
                settlement(at(1)),
            )
            .await
            .unwrap();
        let first = Sample::new(1);
        let mut second = Sample::new(2);
        second.confirmation.secret = first.confirmation.secret;
        second.session = Session {
            id: second.session.id,
            ..first.session
        };
        stores.database.sweep_confirmations(at(1000)).await.unwrap();
        assert!(
            stores
                .both
                .confirmations
                .begin(&second.confirmation, &second.session, welcome())
                .await
                .is_err()
        );
    }
}

#[tokio::test]
async fn a_begin_that_comes_late_is_told_what_was_decided_meanwhile() {
    for stores in Split::all().await {
        let (sample, claim, decider) = stores.claimed(1).await;
        let used = Decision::Rejected(Rejection::Used);
        stores
            .database
            .decide(claim.id, decider, &used, settlement(at(1)))
            .await
            .unwrap();
        let told = stores
            .both
            .confirmations
            .begin(&sample.confirmation, &sample.session, welcome())
            .await
            .unwrap();
        assert_eq!(
            told.ending(),
            Some(vestibule::confirmation::Ending::Rejected(Rejection::Used))
        );
        assert!(!stores.has_session(&sample).await);
    }
}
