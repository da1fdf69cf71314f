//! One attempt at one claimed confirmation.

mod judge;
mod record;

pub(super) use judge::Judge;

use super::{Environment, slot::Slot};
use crate::{
    channel::Channel,
    confirmation::{Claim, Decider, Decision, Postponement},
    failpoint,
    publisher::Announcement,
};
use judge::{AttemptResult, attempt};
use record::{ask_later, decide, retry};
use tokio_util::sync::CancellationToken;

/// Has the token judged and does what follows. What cannot be written is left to the next claim
/// after the lease.
///
/// The slot is given back as soon as the outcome is stored: a Pusher server that is slow to take an
/// announcement delays no other confirmation.
pub(super) async fn run(
    environment: Environment,
    claim: Claim,
    judge: Judge,
    slot: Slot,
    hand_back: CancellationToken,
) {
    failpoint::reach("claimed");
    let step = tokio::select! {
        biased;
        step = attempt(&environment, &claim, judge) => step,
        () = hand_back.cancelled() => AttemptResult::HandBack,
    };
    failpoint::reach("answered");
    let written = match step {
        AttemptResult::Decide(decision) => {
            let decider = Decider::Worker { fence: claim.fence };
            decide(&environment, &claim, decider, decision).await
        }
        AttemptResult::GiveUp => {
            let decider = Decider::Deadline { fence: claim.fence };
            decide(&environment, &claim, decider, Decision::Unavailable).await
        }
        AttemptResult::Retry { due } => retry(&environment, &claim, due).await,
        AttemptResult::AskLater { due, later } => ask_later(&environment, &claim, due, later).await,
        AttemptResult::HandBack => environment
            .stores
            .queue
            .postpone(&claim, environment.clock.now(), Postponement::HandedBack)
            .await
            .map(|_| None),
    };
    drop(slot);
    failpoint::reach("decided");
    match written {
        Ok(Some(announcement)) => {
            announce(&environment, &claim, &announcement).await;
            failpoint::reach("announced");
        }
        Ok(None) => {}
        Err(error) => {
            tracing::error!(confirmation = %claim.id, %error, "an attempt could not be written down");
        }
    }
}

/// A browser that is not reached asks by itself.
async fn announce(environment: &Environment, claim: &Claim, announcement: &Announcement) {
    if let Err(error) = environment
        .publisher
        .announce(&Channel::of(&claim.secret), announcement)
        .await
    {
        tracing::warn!(confirmation = %claim.id, %error, "not announced; the page will ask");
    }
}
