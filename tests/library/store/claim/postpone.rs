//! A claim is handed back, for a later attempt.

use super::{FAR, only};
use crate::support::{Sample, adapters, at, settlement, wait, worker};
use vestibule::confirmation::{
    Claim, ClaimLimits, ConfirmationId, Decider, Decision, Noted, Postponement, Which,
};

#[tokio::test]
async fn a_postponed_claim_is_free_again_at_its_time_and_has_counted() {
    for stores in adapters().await {
        Sample::new(1).begun(&*stores.confirmations).await;
        let claim = only(
            stores
                .queue
                .claim(worker(1), Which::Any, &FAR.into(), at(0), at(30))
                .await
                .unwrap(),
        );
        assert_eq!(
            stores
                .queue
                .postpone(&claim, at(8), Postponement::Failed)
                .await
                .unwrap(),
            Noted::Stored
        );
        assert_eq!(stores.queue.next_due().await.unwrap(), Some(at(8)));
        assert_eq!(
            stores
                .queue
                .claim(worker(2), Which::Any, &FAR.into(), at(7), at(37))
                .await
                .unwrap(),
            []
        );
        let claim = only(
            stores
                .queue
                .claim(worker(2), Which::Any, &FAR.into(), at(8), at(38))
                .await
                .unwrap(),
        );
        assert_eq!(claim.failed, 1);
    }
}

#[tokio::test]
async fn a_claim_handed_back_does_not_count() {
    for stores in adapters().await {
        Sample::new(1).begun(&*stores.confirmations).await;
        let claim = only(
            stores
                .queue
                .claim(worker(1), Which::Any, &FAR.into(), at(0), at(30))
                .await
                .unwrap(),
        );
        assert_eq!(
            stores
                .queue
                .postpone(&claim, at(1), Postponement::HandedBack)
                .await
                .unwrap(),
            Noted::Stored
        );
        assert_eq!(
            only(
                stores
                    .queue
                    .claim(worker(2), Which::Any, &FAR.into(), at(1), at(31))
                    .await
                    .unwrap()
            )
            .failed,
            0
        );
    }
}

#[tokio::test]
async fn nothing_is_postponed_past_its_deadline() {
    for stores in adapters().await {
        Sample::new(1).begun(&*stores.confirmations).await;
        let claim = only(
            stores
                .queue
                .claim(worker(1), Which::Any, &FAR.into(), at(0), at(30))
                .await
                .unwrap(),
        );
        assert_eq!(
            stores
                .queue
                .postpone(&claim, at(500), Postponement::Failed)
                .await
                .unwrap(),
            Noted::Stored
        );
        assert_eq!(stores.queue.next_due().await.unwrap(), Some(at(60)));
    }
}

#[tokio::test]
async fn a_claim_that_is_not_the_last_one_postpones_nothing() {
    for stores in adapters().await {
        let sample = Sample::new(1).begun(&*stores.confirmations).await;
        let old = only(
            stores
                .queue
                .claim(worker(1), Which::Any, &FAR.into(), at(0), at(30))
                .await
                .unwrap(),
        );
        stores
            .queue
            .claim(worker(2), Which::Any, &FAR.into(), at(30), at(60))
            .await
            .unwrap();
        let before = sample.stored(&*stores.confirmations).await;
        assert_eq!(
            stores
                .queue
                .postpone(&old, at(31), Postponement::Failed)
                .await
                .unwrap(),
            Noted::TooLate
        );
        assert_eq!(sample.stored(&*stores.confirmations).await, before);
    }
}

#[tokio::test]
async fn what_is_decided_is_neither_postponed_nor_claimed() {
    for stores in adapters().await {
        let sample = Sample::new(1).begun(&*stores.confirmations).await;
        let claim = only(
            stores
                .queue
                .claim(worker(1), Which::Any, &FAR.into(), at(0), at(30))
                .await
                .unwrap(),
        );
        let now = settlement(at(1));
        stores
            .confirmations
            .decide(
                sample.confirmation.id,
                Decider::User,
                &Decision::Unavailable,
                now,
            )
            .await
            .unwrap();
        let before = sample.stored(&*stores.confirmations).await;
        assert_eq!(
            stores
                .queue
                .postpone(&claim, at(2), Postponement::Failed)
                .await
                .unwrap(),
            Noted::TooLate
        );
        assert_eq!(sample.stored(&*stores.confirmations).await, before);
        assert_eq!(
            stores
                .queue
                .claim(worker(2), Which::Any, &FAR.into(), at(1000), at(1030))
                .await
                .unwrap(),
            []
        );
    }
}

#[tokio::test]
async fn a_claim_to_nothing_postpones_nothing() {
    for stores in adapters().await {
        Sample::new(1).begun(&*stores.confirmations).await;
        let claim = only(
            stores
                .queue
                .claim(worker(1), Which::Any, &FAR.into(), at(0), at(30))
                .await
                .unwrap(),
        );
        let stray = Claim {
            id: ConfirmationId::from_bytes([99; 16]),
            ..claim
        };
        assert_eq!(
            stores
                .queue
                .postpone(&stray, at(1), Postponement::Failed)
                .await
                .unwrap(),
            Noted::TooLate
        );
    }
}

#[tokio::test]
async fn a_later_answer_moves_the_deadline_once_and_counts_as_no_attempt() {
    let later = Postponement::Later(wait(None, 900, 1));
    let far = ClaimLimits::from(FAR);
    for stores in adapters().await {
        let sample = Sample::new(1).begun(&*stores.confirmations).await;
        for (now, due, next_due) in [(0, 100, 100), (100, 950, 900)] {
            let claimed = stores
                .queue
                .claim(worker(1), Which::Any, &far, at(now), at(now + 30));
            let claim = only(claimed.await.unwrap());
            assert_eq!(claim.failed, 0);
            assert_eq!(
                stores.queue.postpone(&claim, at(due), later).await.unwrap(),
                Noted::Stored
            );
            let next = stores.queue.next_due().await.unwrap();
            assert_eq!(next, Some(at(next_due)));
            assert_eq!(stores.queue.next_overdue().await.unwrap(), Some(at(900)));
            let stored = sample.stored(&*stores.confirmations).await;
            assert_eq!((stored.created_at, stored.deadline), (at(0), at(900)));
        }
        let overdue = stores
            .queue
            .claim(worker(1), Which::Overdue, &far, at(899), at(929));
        assert_eq!(overdue.await.unwrap(), []);
        let overdue = stores
            .queue
            .claim(worker(1), Which::Overdue, &far, at(900), at(930));
        let claim = only(overdue.await.unwrap());
        assert_eq!((claim.failed, claim.deadline), (0, at(900)));
    }
}

#[tokio::test]
async fn a_later_answer_to_a_claim_that_is_not_the_last_one_moves_no_deadline() {
    let later = Postponement::Later(wait(None, 900, 1));
    let far = ClaimLimits::from(FAR);
    for stores in adapters().await {
        let sample = Sample::new(1).begun(&*stores.confirmations).await;
        let claim = async |now| {
            let claimed = stores
                .queue
                .claim(worker(1), Which::Any, &far, at(now), at(now + 30));
            only(claimed.await.unwrap())
        };
        let [old, last] = [claim(0).await, claim(30).await];
        let before = sample.stored(&*stores.confirmations).await;
        assert_eq!(
            stores.queue.postpone(&old, at(40), later).await.unwrap(),
            Noted::TooLate
        );
        assert_eq!(sample.stored(&*stores.confirmations).await, before);
        let decided = stores.confirmations.decide(
            sample.confirmation.id,
            Decider::User,
            &Decision::Unavailable,
            settlement(at(31)),
        );
        let decided = decided.await.unwrap();
        assert_eq!(
            stores.queue.postpone(&last, at(40), later).await.unwrap(),
            Noted::TooLate
        );
        let stored = sample.stored(&*stores.confirmations).await;
        assert_eq!(Some(stored), decided);
    }
}
