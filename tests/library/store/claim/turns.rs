//! Networks take turns: none is claimed twice before each was claimed once.

use super::{ids, only, set};
use crate::support::{Sample, adapters, at, settlement, worker};
use std::collections::{HashMap, HashSet};
use vestibule::{
    caps::Client,
    confirmation::{ClaimLimits, ConfirmationId, Decider, Decision, Which},
};

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
        for limit in [1, 1, 2, 1] {
            rounds.push(ids(&stores
                .queue
                .claim(worker(1), Which::Any, &limit.into(), at(0), at(30))
                .await
                .unwrap()));
        }
        assert_eq!(
            rounds,
            [set(&[2]), set(&[6]), set(&[3, 4]), set(&[5])],
            "a newcomer comes before no one's first turn"
        );
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
