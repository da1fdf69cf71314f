//! A claim is handed back, for a later attempt.

use super::{FAR, only};
use crate::support::{Sample, adapters, at, settlement, worker};
use vestibule::confirmation::{Claim, ConfirmationId, Decider, Decision, Which};

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
        assert!(stores.queue.postpone(&claim, at(8), true).await.unwrap());
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
        assert!(stores.queue.postpone(&claim, at(1), false).await.unwrap());
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
        assert!(stores.queue.postpone(&claim, at(500), true).await.unwrap());
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
        assert!(!stores.queue.postpone(&old, at(31), true).await.unwrap());
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
        assert!(!stores.queue.postpone(&claim, at(2), true).await.unwrap());
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
        assert!(!stores.queue.postpone(&stray, at(1), true).await.unwrap());
    }
}
