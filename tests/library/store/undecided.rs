//! What an operator sees of undecided confirmations, and having one asked about again.

use crate::support::{Sample, adapters, at, settlement, wait, worker};
use vestibule::{
    confirmation::{
        Claim, ClaimLimits, Confirmation, ConfirmationId, Decider, Decision, Lease, Noted,
        Postponement, State, Which,
    },
    store::Stores,
};

/// A sample that was begun at `seconds`.
fn begun_at(number: u8, seconds: i64) -> Sample {
    let mut sample = Sample::new(number);
    sample.confirmation.created_at = at(seconds);
    sample
}

/// All pages of `limit`, and how many there were.
async fn listed(stores: &Stores, limit: u32) -> (Vec<ConfirmationId>, usize) {
    let mut ids = Vec::new();
    let mut last: Option<Confirmation> = None;
    for pages in 0.. {
        let page = stores.queue.list_undecided(last.as_ref(), limit);
        let page = page.await.unwrap();
        assert!(page.len() <= limit as usize);
        ids.extend(page.iter().map(|confirmation| confirmation.id));
        last = page.into_iter().next_back();
        if last.is_none() {
            return (ids, pages);
        }
    }
    unreachable!("a page is empty in the end")
}

async fn decide(stores: &Stores, sample: &Sample) {
    let id = sample.confirmation.id;
    let decided = stores
        .confirmations
        .decide(id, Decider::User, &Decision::Unavailable, settlement(at(1)))
        .await;
    decided.unwrap().expect("it is there");
}

#[tokio::test]
async fn undecided_ones_are_listed_in_pages_the_oldest_first() {
    for stores in adapters().await {
        assert_eq!(listed(&stores, 2).await, (vec![], 0));
        let mut samples = Vec::new();
        // Two of one moment are in the order of their ids, also across a page's end.
        for (number, seconds) in [(1, 30), (4, 20), (2, 10), (3, 20), (5, 5), (6, 40)] {
            let sample = begun_at(number, seconds);
            samples.push(sample.begun_alone(&*stores.confirmations).await);
        }
        decide(&stores, &samples[5]).await;
        let id = |number: u8| ConfirmationId::from_bytes([number; 16]);
        let ids = [5, 2, 3, 4, 1].map(id).to_vec();
        assert_eq!(listed(&stores, 1).await, (ids.clone(), 5));
        assert_eq!(listed(&stores, 2).await, (ids.clone(), 3));
        assert_eq!(listed(&stores, 3).await, (ids.clone(), 2));
        assert_eq!(listed(&stores, 9).await, (ids, 1));
    }
}

#[tokio::test]
async fn a_listed_one_is_as_it_is_stored() {
    for stores in adapters().await {
        let sample = Sample::new(1).begun(&*stores.confirmations).await;
        claim(&stores, 0).await;
        assert_eq!(
            stores.queue.list_undecided(None, 9).await.unwrap(),
            [sample.stored(&*stores.confirmations).await]
        );
    }
}

async fn claim(stores: &Stores, now: i64) -> Vec<Claim> {
    let limits = ClaimLimits::from(9);
    let claimed = stores
        .queue
        .claim(worker(1), Which::Any, &limits, at(now), at(now + 30));
    claimed.await.unwrap()
}

async fn ask_again(stores: &Stores, sample: &Sample, now: i64) -> bool {
    let id = sample.confirmation.id;
    stores.queue.ask_again(id, at(now)).await.unwrap()
}

#[tokio::test]
async fn one_that_waits_is_due_at_once_and_otherwise_as_it_was() {
    for stores in adapters().await {
        let sample = Sample::new(1).begun(&*stores.confirmations).await;
        let other = Sample::new(2).due(at(50));
        let other = other.begun(&*stores.confirmations).await;
        let first = claim(&stores, 0).await.remove(0);
        let later = Postponement::Later(wait(None, 900, 1));
        let failed = stores.queue.postpone(&first, at(5), Postponement::Failed);
        assert_eq!(failed.await.unwrap(), Noted::Stored);
        let second = claim(&stores, 5).await.remove(0);
        let put_off = stores.queue.postpone(&second, at(600), later);
        assert_eq!(put_off.await.unwrap(), Noted::Stored);
        let mut expected = sample.stored(&*stores.confirmations).await;
        assert!(ask_again(&stores, &sample, 10).await);
        let State::Queued(queued) = &mut expected.state else {
            panic!("it is undecided")
        };
        queued.due_at = at(10);
        assert_eq!(sample.stored(&*stores.confirmations).await, expected);
        assert_eq!(stores.queue.next_due().await.unwrap(), Some(at(10)));
        let third = claim(&stores, 10).await;
        assert_eq!(
            (third.len(), third[0].id, third[0].failed),
            (1, first.id, 1)
        );
        assert_eq!(
            other.stored(&*stores.confirmations).await,
            other.confirmation
        );
    }
}

#[tokio::test]
async fn nothing_else_is_made_due() {
    for stores in adapters().await {
        let store = &*stores.confirmations;
        let due = Sample::new(1).begun_alone(store).await;
        let overdue = Sample::new(2).due(at(60)).deadline(at(40));
        let overdue = overdue.begun_alone(store).await;
        let decided = Sample::new(3).due(at(60)).begun_alone(store).await;
        decide(&stores, &decided).await;
        let all = [&due, &overdue, &decided];
        let mut before = Vec::new();
        for sample in all {
            before.push(sample.stored(store).await);
        }
        for (sample, before) in all.into_iter().zip(before) {
            assert!(!ask_again(&stores, sample, 40).await);
            assert_eq!(sample.stored(store).await, before);
        }
        assert!(!ask_again(&stores, &Sample::new(9), 40).await, "unknown");
    }
}

#[tokio::test]
async fn a_lease_that_is_held_stays_and_so_does_when_it_is_due() {
    for stores in adapters().await {
        let mut sample = Sample::new(1).due(at(50));
        let State::Queued(queued) = &mut sample.confirmation.state else {
            panic!("samples are queued")
        };
        // As an offer to a worker of the same process stores it, by a clock that is behind.
        queued.lease = Some(Lease {
            worker: worker(1),
            until: at(30),
        });
        let sample = sample.begun(&*stores.confirmations).await;
        assert!(!ask_again(&stores, &sample, 29).await);
        assert_eq!(
            sample.stored(&*stores.confirmations).await,
            sample.confirmation
        );
        assert!(
            ask_again(&stores, &sample, 30).await,
            "the lease has passed"
        );
    }
}
