//! What a validator says while it checks: noted whoever has the claim, and never taken back.

use crate::support::{Sample, adapters, at, worker};
use std::time::Duration;
use vestibule::{
    confirmation::{
        ClaimLimits, Confirmation, ConfirmationId, Decider, Decision, Postponement, Queued,
        Rejection, Stage, State, Which,
    },
    store::Settlement,
    user::UserId,
};

fn stage(confirmation: &Confirmation) -> Option<Stage> {
    match confirmation.state {
        State::Queued(Queued { stage, .. }) => stage,
        State::Decided(_) | State::Settled(_) => panic!("it is decided"),
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
            (Some(Stage::Reviewing), 900, Some(Stage::Reviewing), 900),
            (Some(Stage::Received), 800, Some(Stage::Reviewing), 900),
            (None, 1000, Some(Stage::Reviewing), 1000),
        ] {
            let noted = confirmations.note_stage(id, said, at(deadline), at(5));
            assert!(noted.await.unwrap());
            let stored = confirmations.confirmation(id).await.unwrap().unwrap();
            assert_eq!((stage(&stored), stored.deadline), (shown, at(until)));
        }
        // The worker's claim is still its own, and what it has read before takes nothing back.
        let later = Postponement::Later {
            deadline: at(900),
            stage: Some(Stage::Received),
        };
        let postponed = stores.queue.postpone(&claimed[0], at(40), later);
        assert!(postponed.await.unwrap());
        let stored = sample.stored(confirmations).await;
        assert_eq!(
            (stage(&stored), stored.deadline),
            (Some(Stage::Reviewing), at(1000))
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
            let stage = Some(Stage::Almost);
            let noted = confirmations.note_stage(id, stage, at(900), at(now));
            noted.await.unwrap()
        };
        assert!(!note(ConfirmationId::from_bytes([9; 16]), 5).await);
        assert!(!note(id, 60).await, "from its deadline on");
        assert_eq!(sample.stored(confirmations).await, sample.confirmation);
        let settlement = Settlement {
            now: at(5),
            new_user: UserId::from_bytes([5; 16]),
            bound: Duration::from_mins(15),
        };
        let decision = Decision::Rejected(Rejection::Cancelled);
        let decided = confirmations.decide(id, Decider::User, &decision, settlement);
        let decided = decided.await.unwrap();
        assert!(!note(id, 6).await);
        assert_eq!(confirmations.confirmation(id).await.unwrap(), decided);
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
            let settlement = Settlement {
                now: at(now),
                new_user: UserId::from_bytes([number; 16]),
                bound: Duration::from_mins(15),
            };
            let decision = Decision::Unavailable;
            let decided = confirmations
                .decide(sample.confirmation.id, decider, &decision, settlement)
                .await
                .unwrap()
                .expect("it is there");
            assert_eq!(decided.ending().is_some(), decides, "{decider:?} at {now}");
        }
    }
}
