//! A confirmation waits for a validator that answers later: under any claim, within the caps,
//! and what is noted is never taken back.

use crate::support::{Sample, adapters, admission, at, wait, worker};
use std::time::Duration;
use vestibule::{
    caps::{Admission, Client},
    confirmation::{
        ClaimLimits, ConfirmationId, Decider, Decision, Later, Noted, Postponement, Rejection,
        Stage, Which,
    },
    store::{Settlement, Stores},
    user::UserId,
};

fn settlement(now: i64, number: u8) -> Settlement {
    Settlement {
        now: at(now),
        new_user: UserId::from_bytes([number; 16]),
        bound: Duration::from_mins(15),
        tells: false,
    }
}

#[tokio::test]
async fn deadline_and_stage_only_grow_also_under_a_claim() {
    for stores in adapters().await {
        let confirmations = &*stores.confirmations;
        let sample = Sample::new(1).begun(confirmations).await;
        let id = sample.confirmation.id;
        let limits = ClaimLimits::from(1);
        let claimed = stores
            .queue
            .claim(worker(1), Which::Any, &limits, at(0), at(30))
            .await
            .unwrap();
        for (said, deadline, shown, until) in [
            (None, 900, None, 900),
            (Some(Stage::Reviewing), 900, Some(Stage::Reviewing), 900),
            (Some(Stage::Received), 800, Some(Stage::Reviewing), 900),
            (None, 1000, Some(Stage::Reviewing), 1000),
        ] {
            let noted = confirmations.wait(id, wait(said, deadline, 1), at(5));
            assert_eq!(noted.await.unwrap(), Noted::Stored);
            let stored = confirmations.confirmation(id).await.unwrap().unwrap();
            let later = Some(Later { stage: shown });
            assert_eq!((stored.later(), stored.deadline), (later, at(until)));
        }
        // The worker's claim is still its own, and what it has read before takes nothing back.
        let later = Postponement::Later(wait(Some(Stage::Received), 900, 1));
        let postponed = stores.queue.postpone(&claimed[0], at(40), later);
        assert_eq!(postponed.await.unwrap(), Noted::Stored);
        let stored = sample.stored(confirmations).await;
        let reviewing = Later {
            stage: Some(Stage::Reviewing),
        };
        assert_eq!(
            (stored.later(), stored.deadline),
            (Some(reviewing), at(1000))
        );
    }
}

#[tokio::test]
async fn nothing_is_noted_of_what_is_over_or_was_never_begun() {
    for stores in adapters().await {
        let confirmations = &*stores.confirmations;
        let sample = Sample::new(1).begun(confirmations).await;
        let id = sample.confirmation.id;
        let note = async |id, now| {
            let noted = confirmations.wait(id, wait(Some(Stage::Almost), 900, 1), at(now));
            noted.await.unwrap()
        };
        let unknown = ConfirmationId::from_bytes([9; 16]);
        assert_eq!(note(unknown, 5).await, Noted::TooLate);
        assert_eq!(note(id, 60).await, Noted::TooLate, "from its deadline on");
        assert_eq!(sample.stored(confirmations).await, sample.confirmation);
        let decision = Decision::Rejected(Rejection::Cancelled);
        let decided = confirmations.decide(id, Decider::User, &decision, settlement(5, 5));
        let decided = decided.await.unwrap();
        assert_eq!(note(id, 6).await, Noted::TooLate);
        assert_eq!(confirmations.confirmation(id).await.unwrap(), decided);
    }
}

/// Has one begin in these networks, the narrowest first.
async fn begun(stores: &Stores, number: u8, networks: [u8; 3]) -> Sample {
    let sample = Sample::new(number);
    let admission = Admission {
        client: Client::in_networks(networks.map(|name| [name; 16])),
        ..admission(0, u32::MAX)
    };
    let begun = stores
        .confirmations
        .begin(&sample.confirmation, &sample.session, admission);
    begun.await.unwrap();
    sample
}

#[tokio::test]
async fn no_more_wait_in_a_network_than_may_and_what_is_decided_makes_room() {
    for stores in adapters().await {
        let confirmations = &*stores.confirmations;
        let note = async |sample: &Sample| {
            let noted = confirmations.wait(sample.confirmation.id, wait(None, 900, 2), at(1));
            noted.await.unwrap()
        };
        let mut first = None;
        // Two of a /64, four of a /56, eight of a /48.
        for (number, (networks, noted)) in (1..).zip([
            ([1, 1, 1], Noted::Stored),
            ([1, 1, 1], Noted::Stored),
            ([1, 1, 1], Noted::NoRoom),
            ([2, 1, 1], Noted::Stored),
            ([3, 1, 1], Noted::Stored),
            ([4, 1, 1], Noted::NoRoom),
            ([5, 2, 1], Noted::Stored),
            ([6, 2, 1], Noted::Stored),
            ([7, 3, 1], Noted::Stored),
            ([8, 3, 1], Noted::Stored),
            ([9, 4, 1], Noted::NoRoom),
            ([10, 5, 2], Noted::Stored),
        ]) {
            let sample = begun(&stores, number, networks).await;
            assert_eq!(note(&sample).await, noted, "{networks:?}");
            let stored = confirmations.confirmation(sample.confirmation.id).await;
            let waits = stored.unwrap().unwrap().later().is_some();
            assert_eq!(waits, noted == Noted::Stored, "{networks:?}");
            first.get_or_insert(sample);
        }
        assert_eq!(stores.queue.answered_later(100).await.unwrap(), 9);
        assert_eq!(stores.queue.answered_later(3).await.unwrap(), 3);
        let first = first.unwrap();
        assert_eq!(note(&first).await, Noted::Stored, "it waits already");
        let third = Sample::new(3);
        assert_eq!(note(&third).await, Noted::NoRoom);
        let decided = confirmations.decide(
            first.confirmation.id,
            Decider::Validator,
            &Decision::Unavailable,
            settlement(2, 1),
        );
        decided.await.unwrap();
        assert_eq!(note(&third).await, Noted::Stored);
    }
}

#[tokio::test]
async fn a_claim_without_room_to_wait_stays_as_it_is() {
    for stores in adapters().await {
        let sample = Sample::new(1).begun(&*stores.confirmations).await;
        let limits = ClaimLimits::from(1);
        let claimed = stores
            .queue
            .claim(worker(1), Which::Any, &limits, at(0), at(30))
            .await
            .unwrap();
        let before = sample.stored(&*stores.confirmations).await;
        let later = Postponement::Later(wait(Some(Stage::Almost), 900, 0));
        let postponed = stores.queue.postpone(&claimed[0], at(300), later);
        assert_eq!(postponed.await.unwrap(), Noted::NoRoom);
        assert_eq!(sample.stored(&*stores.confirmations).await, before);
        let decided = stores.confirmations.decide(
            sample.confirmation.id,
            Decider::User,
            &Decision::Unavailable,
            settlement(2, 1),
        );
        decided.await.unwrap();
        let postponed = stores.queue.postpone(&claimed[0], at(300), later).await;
        assert_eq!(postponed.unwrap(), Noted::TooLate);
    }
}

#[tokio::test]
async fn a_validator_decides_until_the_deadline_and_the_deadline_from_then_on() {
    for stores in adapters().await {
        let confirmations = &*stores.confirmations;
        for (number, decider, now, decides) in [
            (1, Decider::Validator, 59, true),
            (2, Decider::Validator, 60, false),
            (3, Decider::Deadline { fence: 0 }, 59, false),
            (4, Decider::Deadline { fence: 0 }, 60, true),
            (5, Decider::Deadline { fence: 1 }, 60, false),
        ] {
            let sample = Sample::new(number).begun(confirmations).await;
            let decision = Decision::Unavailable;
            let id = sample.confirmation.id;
            let decided = confirmations
                .decide(id, decider, &decision, settlement(now, number))
                .await
                .unwrap()
                .expect("it is there");
            assert_eq!(decided.ending().is_some(), decides, "{decider:?} at {now}");
        }
    }
}
