use super::*;
use crate::{caps::Shares, secret::Sealed, user::UserId};

const ADA: Ending = Ending::Confirmed(UserId::from_bytes([1; 16]));
const WORKER: WorkerId = WorkerId::from_bytes([9; 16]);
const NETWORK: crate::caps::Network = [5; 16];

const fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(seconds * 1000)
}

fn queued() -> Confirmation {
    let token = SealedToken(Sealed {
        key_id: 1,
        bytes: vec![1],
    });
    Confirmation {
        id: ConfirmationId::from_bytes([1; 16]),
        secret: SecretHash::from_bytes([1; 32]),
        token_tag: TokenTag::from_bytes([1; 8]),
        session: SessionId::from_bytes([1; 16]),
        created_at: at(0),
        deadline: at(60),
        next: None,
        state: State::Queued(Queued {
            token,
            failed: 0,
            later: None,
            due_at: at(0),
            fence: 0,
            lease: None,
        }),
    }
}

fn claimed(confirmation: Confirmation, now: i64) -> (Confirmation, Claim) {
    confirmation
        .claim(WORKER, NETWORK, at(now), at(now + 30))
        .expect("due")
}

#[test]
fn a_confirmation_under_a_lease_is_no_one_elses_until_the_lease_passes() {
    let (confirmation, first) = claimed(queued(), 0);
    assert_eq!(
        confirmation.clone().claim(WORKER, NETWORK, at(29), at(59)),
        None
    );
    let (_, second) = claimed(confirmation, 30);
    assert!(second.fence > first.fence);
}

#[test]
fn a_worker_whose_lease_has_passed_decides_nothing_once_another_has_claimed() {
    let (confirmation, first) = claimed(queued(), 0);
    let (confirmation, second) = claimed(confirmation, 30);
    let decide = |fence| {
        confirmation
            .clone()
            .decide(Decider::Worker { fence }, ADA, at(31))
    };
    assert_eq!(decide(first.fence), Err(CannotDecide::Superseded));
    assert_eq!(decide(second.fence).unwrap().ending(), Some(ADA));
    assert_eq!(
        confirmation.postpone(first.fence, at(40), Postponement::Failed),
        Err(CannotDecide::Superseded)
    );
}

#[test]
fn the_first_decision_is_the_only_one() {
    let (confirmation, claim) = claimed(queued(), 0);
    let cancelled = Ending::Rejected(Rejection::Cancelled);
    let decided = confirmation
        .decide(Decider::User, cancelled, at(1))
        .unwrap();
    let late = decided
        .clone()
        .decide(Decider::Worker { fence: claim.fence }, ADA, at(2));
    assert_eq!(late, Err(CannotDecide::Already));
    assert_eq!(
        decided
            .clone()
            .postpone(claim.fence, at(5), Postponement::Failed),
        Err(CannotDecide::Already)
    );
    assert_eq!(decided.clone().settle().settle().ending(), Some(cancelled));
}

#[test]
fn only_a_sign_in_can_be_taken_back_and_only_to_cancelled() {
    let decided = |ending| {
        queued()
            .decide(Decider::User, ending, at(1))
            .unwrap()
            .settle()
    };
    let cancelled = Ending::Rejected(Rejection::Cancelled);
    assert_eq!(decided(ADA).revoke().revoke().ending(), Some(cancelled));
    assert_eq!(queued().revoke(), queued());
    for ending in [Ending::Unavailable, Ending::Rejected(Rejection::Used)] {
        assert_eq!(decided(ending).revoke(), decided(ending));
    }
}

#[test]
fn a_postponed_confirmation_is_due_again_at_its_deadline_at_the_latest() {
    let (confirmation, claim) = claimed(queued(), 0);
    let confirmation = confirmation
        .postpone(claim.fence, at(500), Postponement::Failed)
        .unwrap();
    assert!(!confirmation.is_due(at(59)));
    let (_, claim) = claimed(confirmation, 60);
    assert_eq!(claim.failed, 1);
}

#[test]
fn handing_a_claim_back_is_not_an_attempt() {
    let (confirmation, claim) = claimed(queued(), 0);
    let (_, claim) = claimed(
        confirmation
            .postpone(claim.fence, at(1), Postponement::HandedBack)
            .unwrap(),
        1,
    );
    assert_eq!(claim.failed, 0);
}

/// That the validator answers later, by a deadline.
const fn wait(stage: Option<Stage>, deadline: i64) -> Wait {
    Wait {
        later: Later { stage },
        deadline: at(deadline),
        room: Shares::new(1),
    }
}

const LATER: Postponement = Postponement::Later(wait(None, 900));

#[test]
fn a_later_answer_is_no_failure_and_moves_the_deadline_once() {
    let (confirmation, claim) = claimed(queued(), 0);
    let confirmation = confirmation.postpone(claim.fence, at(100), LATER).unwrap();
    assert!(!confirmation.is_due(at(99)));
    let (confirmation, claim) = claimed(confirmation, 100);
    assert_eq!((claim.failed, claim.deadline), (0, at(900)));
    let confirmation = confirmation.postpone(claim.fence, at(950), LATER).unwrap();
    assert!(!confirmation.is_due(at(899)));
    let (_, claim) = claimed(confirmation, 900);
    assert_eq!((claim.failed, claim.deadline), (0, at(900)));
}

#[test]
fn a_later_answer_never_makes_the_deadline_earlier() {
    let (confirmation, claim) = claimed(queued(), 0);
    let sooner = Postponement::Later(wait(None, 10));
    let confirmation = confirmation.postpone(claim.fence, at(5), sooner).unwrap();
    assert_eq!(confirmation.deadline, at(60));
}

#[test]
fn a_later_answer_that_comes_too_late_moves_nothing() {
    let (confirmation, first) = claimed(queued(), 0);
    let (confirmation, _) = claimed(confirmation, 30);
    assert_eq!(
        confirmation.postpone(first.fence, at(40), LATER),
        Err(CannotDecide::Superseded)
    );
    let cancelled = Ending::Rejected(Rejection::Cancelled);
    let decided = queued().decide(Decider::User, cancelled, at(1)).unwrap();
    assert_eq!(
        decided.postpone(0, at(40), LATER),
        Err(CannotDecide::Already)
    );
}

#[test]
fn a_validator_that_calls_back_decides_under_any_claim_until_the_deadline() {
    let ending = Ending::Rejected(Rejection::Used);
    let call = |confirmation: Confirmation, now| {
        confirmation
            .decide(Decider::Validator, ending, at(now))
            .map(|decided| decided.ending())
    };
    assert_eq!(call(queued(), 59), Ok(Some(ending)));
    let (claimed, _) = claimed(queued(), 30);
    assert_eq!(call(claimed.clone(), 59), Ok(Some(ending)));
    assert_eq!(call(claimed, 60), Err(CannotDecide::TooLate));
    let decided = queued().decide(Decider::User, ending, at(1)).unwrap();
    assert_eq!(call(decided, 2), Err(CannotDecide::Already));
}

#[test]
fn a_stage_and_its_deadline_only_grow() {
    let reviewing = Some(Stage::Reviewing);
    let mut confirmation = queued();
    for (stage, deadline, shown) in [
        (None, 900, None),
        (reviewing, 900, reviewing),
        (Some(Stage::Received), 800, reviewing),
        (None, 0, reviewing),
    ] {
        confirmation = confirmation.wait(wait(stage, deadline), at(5)).unwrap();
        assert_eq!(confirmation.later(), Some(Later { stage: shown }));
        assert_eq!(confirmation.deadline, at(900));
    }
    assert_eq!(
        confirmation.wait(wait(Some(Stage::Almost), 2_000), at(900)),
        Err(CannotDecide::TooLate)
    );
}
