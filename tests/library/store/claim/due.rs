//! What is claimed when it is due, and when that is.

use super::{FAR, ids, only, set};
use crate::support::{Sample, adapters, at, settlement, worker};
use vestibule::confirmation::{Decider, Decision, Which};

#[tokio::test]
async fn nothing_is_claimed_before_it_is_due() {
    for stores in adapters().await {
        Sample::new(1)
            .due(at(10))
            .begun(&*stores.confirmations)
            .await;
        assert_eq!(
            stores
                .queue
                .claim(worker(1), Which::Any, &FAR.into(), at(9), at(39))
                .await
                .unwrap(),
            []
        );
        assert_eq!(
            stores
                .queue
                .claim(worker(1), Which::Any, &FAR.into(), at(10), at(40))
                .await
                .unwrap()
                .len(),
            1
        );
    }
}

#[tokio::test]
async fn of_equal_deadlines_those_due_first_are_claimed_before_others() {
    for stores in adapters().await {
        for (number, due) in [(1, 30), (2, 10), (3, 40), (4, 20), (5, 50)] {
            Sample::new(number)
                .due(at(due))
                .begun_alone(&*stores.confirmations)
                .await;
        }
        let mut rounds = Vec::new();
        for _ in 0..3 {
            rounds.push(ids(&stores
                .queue
                .claim(worker(1), Which::Any, &2.into(), at(60), at(90))
                .await
                .unwrap()));
        }
        assert_eq!(rounds, [set(&[2, 4]), set(&[1, 3]), set(&[5])]);
    }
}

#[tokio::test]
async fn the_next_due_time_counts_leases_and_forgets_the_decided() {
    for stores in adapters().await {
        assert_eq!(stores.queue.next_due().await.unwrap(), None);
        let sample = Sample::new(1)
            .due(at(5))
            .begun(&*stores.confirmations)
            .await;
        Sample::new(2)
            .due(at(50))
            .begun(&*stores.confirmations)
            .await;
        assert_eq!(stores.queue.next_due().await.unwrap(), Some(at(5)));
        let claim = only(
            stores
                .queue
                .claim(worker(1), Which::Any, &1.into(), at(5), at(35))
                .await
                .unwrap(),
        );
        assert_eq!(stores.queue.next_due().await.unwrap(), Some(at(35)));
        let decider = Decider::Worker { fence: claim.fence };
        let now = settlement(at(6));
        stores
            .confirmations
            .decide(sample.confirmation.id, decider, &Decision::Unavailable, now)
            .await
            .unwrap();
        assert_eq!(stores.queue.next_due().await.unwrap(), Some(at(50)));
    }
}

#[tokio::test]
async fn the_next_due_time_after_a_moment_passes_over_what_is_due() {
    for stores in adapters().await {
        for (number, due) in [(1, 0), (2, 5), (3, 9)] {
            Sample::new(number)
                .due(at(due))
                .begun(&*stores.confirmations)
                .await;
        }
        let mut next = Vec::new();
        for moment in [-1, 0, 5, 9] {
            next.push(stores.queue.next_due_after(at(moment)).await.unwrap());
        }
        assert_eq!(next, [Some(at(0)), Some(at(5)), Some(at(9)), None]);
    }
}
