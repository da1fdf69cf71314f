//! A claim is one worker's for its lease, and has a fencing number that tells it from an older one.

use crate::support::{Sample, adapters, at, settlement, worker};
use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};
use vestibule::{
    caps::Client,
    confirmation::{Claim, ClaimLimits, ConfirmationId, Decider, Decision, Queued, State, Which},
};

const FAR: u32 = 1000;

#[tokio::test]
async fn a_claim_carries_what_an_attempt_needs() {
    for stores in adapters().await {
        let sample = Sample::new(1).begun(&*stores.confirmations).await;
        let State::Queued(queued) = sample.confirmation.state else {
            panic!("samples are queued")
        };
        let expected = Claim {
            id: sample.confirmation.id,
            fence: 1,
            network: [1; 16],
            secret: sample.confirmation.secret,
            token: queued.token,
            failed: 0,
            created_at: at(0),
            deadline: at(60),
        };
        assert_eq!(
            stores
                .queue
                .claim(worker(1), Which::Any, &FAR.into(), at(0), at(30))
                .await
                .unwrap(),
            [expected]
        );
    }
}

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
        stores.queue.postpone(&first, at(20), true).await.unwrap();
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
async fn a_lease_keeps_others_out_until_it_passes() {
    for stores in adapters().await {
        Sample::new(1).begun(&*stores.confirmations).await;
        let first = stores
            .queue
            .claim(worker(1), Which::Any, &FAR.into(), at(0), at(30))
            .await
            .unwrap();
        assert_eq!(
            stores
                .queue
                .claim(worker(2), Which::Any, &FAR.into(), at(29), at(59))
                .await
                .unwrap(),
            []
        );
        let second = stores
            .queue
            .claim(worker(2), Which::Any, &FAR.into(), at(30), at(60))
            .await
            .unwrap();
        assert!(
            second[0].fence > first[0].fence,
            "each claim has a fresh fencing number"
        );
        assert_eq!(second[0].failed, 0, "a worker that vanished has not failed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn workers_that_claim_at_once_never_get_the_same() {
    for stores in adapters().await {
        for number in 0..100 {
            Sample::new(number).begun(&*stores.confirmations).await;
        }
        let claims: Vec<_> = (0..16)
            .map(|number| {
                let stores = stores.clone();
                tokio::spawn(async move {
                    let mut mine = Vec::new();
                    loop {
                        let some = stores
                            .queue
                            .claim(worker(number), Which::Any, &3.into(), at(0), at(30))
                            .await
                            .unwrap();
                        if some.is_empty() {
                            return mine;
                        }
                        mine.extend(some.into_iter().map(|claim| claim.id));
                    }
                })
            })
            .collect();
        let mut all = Vec::new();
        for claim in claims {
            all.extend(claim.await.unwrap());
        }
        assert_eq!(all.len(), 100);
        assert_eq!(all.into_iter().collect::<HashSet<_>>().len(), 100);
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

#[tokio::test]
async fn the_lease_is_the_claimers_and_ends_when_it_said() {
    for stores in adapters().await {
        let sample = Sample::new(1).begun(&*stores.confirmations).await;
        stores
            .queue
            .claim(worker(7), Which::Any, &FAR.into(), at(0), at(30))
            .await
            .unwrap();
        let State::Queued(Queued {
            lease: Some(lease),
            fence: 1,
            ..
        }) = sample.stored(&*stores.confirmations).await.state
        else {
            panic!("a claimed confirmation has a lease")
        };
        assert_eq!((lease.worker, lease.until), (worker(7), at(30)));
    }
}

/// A client whose /64, /56 and /48 have these names.
fn client(networks: [u8; 3]) -> Client {
    Client::in_networks(networks.map(|name| [name; 16]))
}

#[tokio::test]
async fn no_client_is_claimed_twice_before_every_client_was_claimed_once() {
    for stores in adapters().await {
        // One client has begun 30 before five others come, in as many networks.
        for number in 1..=30 {
            Sample::new(number).begun(&*stores.confirmations).await;
        }
        for number in 31..=35 {
            Sample::new(number)
                .deadline(at(90))
                .begun_alone(&*stores.confirmations)
                .await;
        }
        let mut rounds = Vec::new();
        for _ in 0..3 {
            rounds.push(ids(&stores
                .queue
                .claim(worker(1), Which::Any, &2.into(), at(0), at(30))
                .await
                .unwrap()));
        }
        assert!(
            rounds[0].contains(&ConfirmationId::from_bytes([1; 16])),
            "it has its own turn"
        );
        assert_eq!(
            rounds.into_iter().flatten().collect::<HashSet<_>>(),
            set(&[1, 31, 32, 33, 34, 35])
        );
    }
}

#[tokio::test]
async fn many_addresses_of_one_network_have_one_turn_together() {
    for stores in adapters().await {
        for number in 1..=20 {
            Sample::new(number)
                .begun_by(client([number, 100 + number, 200]), &*stores.confirmations)
                .await;
        }
        Sample::new(21)
            .deadline(at(90))
            .begun_alone(&*stores.confirmations)
            .await;
        let first = stores
            .queue
            .claim(worker(1), Which::Any, &2.into(), at(0), at(30))
            .await
            .unwrap();
        assert_eq!(ids(&first), set(&[1, 21]));
    }
}

#[tokio::test]
async fn a_client_keeps_its_order_and_gets_no_earlier_turn_by_coming_again() {
    for stores in adapters().await {
        for number in 1..=4 {
            Sample::new(number).begun(&*stores.confirmations).await;
        }
        let decided = only(
            stores
                .queue
                .claim(worker(1), Which::Any, &1.into(), at(0), at(30))
                .await
                .unwrap(),
        );
        let claimant = Decider::Worker {
            fence: decided.fence,
        };
        stores
            .confirmations
            .decide(
                decided.id,
                claimant,
                &Decision::Unavailable,
                settlement(at(1)),
            )
            .await
            .unwrap();
        Sample::new(5)
            .deadline(at(1))
            .begun(&*stores.confirmations)
            .await;
        Sample::new(6)
            .deadline(at(90))
            .begun_alone(&*stores.confirmations)
            .await;
        let mut rounds = Vec::new();
        for limit in [2, 2, 1] {
            rounds.push(ids(&stores
                .queue
                .claim(worker(1), Which::Any, &limit.into(), at(0), at(30))
                .await
                .unwrap()));
        }
        assert_eq!(rounds, [set(&[2, 6]), set(&[3, 4]), set(&[5])]);
    }
}

#[tokio::test]
async fn a_confirmation_that_is_not_due_takes_no_turn() {
    for stores in adapters().await {
        Sample::new(1)
            .due(at(50))
            .begun(&*stores.confirmations)
            .await;
        Sample::new(2).begun(&*stores.confirmations).await;
        Sample::new(3)
            .deadline(at(90))
            .begun_alone(&*stores.confirmations)
            .await;
        let first = stores
            .queue
            .claim(worker(1), Which::Any, &2.into(), at(0), at(30))
            .await
            .unwrap();
        assert_eq!(ids(&first), set(&[2, 3]));
        assert_eq!(
            ids(&stores
                .queue
                .claim(worker(1), Which::Any, &2.into(), at(50), at(80))
                .await
                .unwrap())
            .len(),
            2
        );
    }
}

#[tokio::test]
async fn of_one_network_no_more_are_claimed_than_it_may_have_and_none_of_one_that_is_left_out() {
    for stores in adapters().await {
        for number in 1..=9 {
            Sample::new(number)
                .begun_by(client([number % 3; 3]), &*stores.confirmations)
                .await;
        }
        let limits = |exceptions: &[(u8, u32)]| ClaimLimits {
            in_all: 100,
            of_each: 2,
            exceptions: exceptions
                .iter()
                .map(|(name, limit)| ([*name; 16], *limit))
                .collect::<HashMap<_, _>>(),
        };
        let mut rounds = Vec::new();
        for exceptions in [
            &[(0, 0), (1, 1)][..],
            &[(0, 0), (1, 0), (2, 1)],
            &[(0, 0), (1, 0), (2, 0)],
            &[],
        ] {
            let limits = limits(exceptions);
            rounds.push(ids(&stores
                .queue
                .claim(worker(1), Which::Any, &limits, at(0), at(30))
                .await
                .unwrap()));
        }
        assert_eq!(
            rounds,
            [set(&[1, 2, 5]), set(&[8]), set(&[]), set(&[3, 6, 4, 7])]
        );
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

/// Which confirmations; within a batch the order says nothing.
fn ids(claims: &[Claim]) -> HashSet<ConfirmationId> {
    claims.iter().map(|claim| claim.id).collect()
}

fn set(numbers: &[u8]) -> HashSet<ConfirmationId> {
    numbers
        .iter()
        .map(|number| ConfirmationId::from_bytes([*number; 16]))
        .collect()
}

fn only(mut claims: Vec<Claim>) -> Claim {
    assert_eq!(claims.len(), 1, "exactly one is due");
    claims.remove(0)
}
