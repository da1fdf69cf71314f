//! A claim is one worker's for its lease, and has a fencing number that tells it from an older one.

mod due;
mod lease;
mod overdue;
mod postpone;
mod turns;

use crate::support::{Sample, adapters, at, worker};
use std::collections::HashSet;
use vestibule::confirmation::{Claim, ConfirmationId, State, Which};

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
            later: None,
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
