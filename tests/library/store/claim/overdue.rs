//! Confirmations past their deadline, or close to it, are claimed apart from the rest.

use super::{FAR, ids, only, set};
use crate::support::{Sample, adapters, at, settlement, worker};
use std::time::Duration;
use vestibule::confirmation::{ClaimLimits, Decider, Decision, Postponement, Which};

#[tokio::test]
async fn those_that_must_be_decided_first_are_claimed_before_others_also_after_a_failed_attempt() {
    for stores in adapters().await {
        for (number, deadline) in [(1, 90), (2, 70), (3, 100), (4, 80), (5, 60)] {
            Sample::new(number)
                .deadline(at(deadline))
                .begun_alone(&*stores.confirmations)
                .await;
        }
        let first = only(
            stores
                .queue
                .claim(worker(1), Which::Any, &1.into(), at(0), at(30))
                .await
                .unwrap(),
        );
        assert_eq!(ids(std::slice::from_ref(&first)), set(&[5]));
        stores
            .queue
            .postpone(&first, at(20), Postponement::Failed)
            .await
            .unwrap();
        let mut rounds = Vec::new();
        for _ in 0..3 {
            rounds.push(ids(&stores
                .queue
                .claim(worker(1), Which::Any, &2.into(), at(20), at(50))
                .await
                .unwrap()));
        }
        assert_eq!(rounds, [set(&[5, 2]), set(&[4, 1]), set(&[3])]);
    }
}

#[tokio::test]
async fn a_claim_of_the_overdue_leaves_alone_what_has_time_or_a_lease() {
    for stores in adapters().await {
        for (number, deadline) in [(1, 60), (2, 61), (3, 50), (4, 40)] {
            Sample::new(number)
                .deadline(at(deadline))
                .due(at(30))
                .begun(&*stores.confirmations)
                .await;
        }
        let held = only(
            stores
                .queue
                .claim(worker(1), Which::Any, &1.into(), at(35), at(65))
                .await
                .unwrap(),
        );
        assert_eq!(ids(std::slice::from_ref(&held)), set(&[4]));
        let overdue = async |now, limit: u32| {
            ids(&stores
                .queue
                .claim(
                    worker(2),
                    Which::Overdue,
                    &limit.into(),
                    at(now),
                    at(now + 30),
                )
                .await
                .unwrap())
        };
        assert_eq!(overdue(49, FAR).await, set(&[]));
        assert_eq!(overdue(60, 1).await, set(&[3]));
        assert_eq!(overdue(60, FAR).await, set(&[1]));
        assert_eq!(overdue(65, FAR).await, set(&[2, 4]));
    }
}

#[tokio::test]
async fn a_claim_of_those_with_time_leaves_alone_what_has_less() {
    for stores in adapters().await {
        for (number, deadline) in [(1, 60), (2, 39), (3, 40)] {
            Sample::new(number)
                .deadline(at(deadline))
                .begun_alone(&*stores.confirmations)
                .await;
        }
        Sample::new(4)
            .due(at(31))
            .begun_alone(&*stores.confirmations)
            .await;
        let with_time = Which::WithTime(Duration::from_secs(10));
        let mut rounds = Vec::new();
        for _ in 0..3 {
            rounds.push(ids(&stores
                .queue
                .claim(worker(1), with_time, &1.into(), at(30), at(60))
                .await
                .unwrap()));
        }
        assert_eq!(rounds, [set(&[3]), set(&[1]), set(&[])]);
    }
}

#[tokio::test]
async fn the_next_overdue_time_counts_leases_and_forgets_the_decided() {
    for stores in adapters().await {
        assert_eq!(stores.queue.next_overdue().await.unwrap(), None);
        let sample = Sample::new(1).begun(&*stores.confirmations).await;
        Sample::new(2)
            .deadline(at(80))
            .due(at(80))
            .begun(&*stores.confirmations)
            .await;
        assert_eq!(stores.queue.next_overdue().await.unwrap(), Some(at(60)));
        only(
            stores
                .queue
                .claim(worker(1), Which::Any, &1.into(), at(10), at(40))
                .await
                .unwrap(),
        );
        assert_eq!(
            stores.queue.next_overdue().await.unwrap(),
            Some(at(60)),
            "its lease passes before"
        );
        only(
            stores
                .queue
                .claim(worker(1), Which::Any, &1.into(), at(45), at(75))
                .await
                .unwrap(),
        );
        assert_eq!(stores.queue.next_overdue().await.unwrap(), Some(at(75)));
        let now = settlement(at(46));
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
        assert_eq!(stores.queue.next_overdue().await.unwrap(), Some(at(80)));
    }
}

#[tokio::test]
async fn overdue_confirmations_are_claimed_regardless_of_their_client() {
    for stores in adapters().await {
        for number in 1..=5 {
            Sample::new(number).begun(&*stores.confirmations).await;
        }
        let limits = ClaimLimits {
            exceptions: [([1; 16], 0)].into(),
            ..FAR.into()
        };
        assert_eq!(
            stores
                .queue
                .claim(worker(1), Which::Any, &limits, at(60), at(90))
                .await
                .unwrap(),
            []
        );
        assert_eq!(
            stores
                .queue
                .claim(worker(1), Which::Overdue, &limits, at(60), at(90))
                .await
                .unwrap()
                .len(),
            5
        );
    }
}
