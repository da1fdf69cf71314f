//! One attempt at one claimed confirmation.

use super::{Tools, backoff, breaker::Heard, circuit::Call, slot::Slot};
use crate::{
    audit::{Event, Means},
    channel::Channel,
    clock::{self, Elapsed, Timestamp},
    confirmation::{Claim, Confirmation, Decider, Decision, Ending},
    failpoint,
    publisher::Announcement,
    store::{Settlement, StoreError},
    user::UserId,
    validator::{ValidationError, Verdict},
};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// What an attempt comes to.
enum Step {
    Decide(Decision),
    Retry { due: Timestamp },
    HandBack,
}

/// Asks the validator and does what follows. What cannot be written is left to the next claim after
/// the lease. Without a `call`, the claim is for the deadline alone, and the validator is not
/// asked.
///
/// The slot is given back as soon as the outcome is stored: a Pusher server that is slow to take an
/// announcement delays no other confirmation.
pub(super) async fn run(
    tools: Tools,
    claim: Claim,
    call: Option<Call>,
    slot: Slot,
    hand_back: CancellationToken,
) {
    failpoint::reach("claimed");
    let step = tokio::select! {
        biased;
        step = attempt(&tools, &claim, call) => step,
        () = hand_back.cancelled() => Step::HandBack,
    };
    failpoint::reach("answered");
    let written = match step {
        Step::Decide(decision) => decide(&tools, &claim, decision).await,
        Step::Retry { due } => retry(&tools, &claim, due).await,
        Step::HandBack => tools
            .stores
            .queue
            .postpone(&claim, tools.clock.now(), false)
            .await
            .map(|_| None),
    };
    drop(slot);
    failpoint::reach("decided");
    match written {
        Ok(Some(announcement)) => {
            announce(&tools, &claim, &announcement).await;
            failpoint::reach("announced");
        }
        Ok(None) => {}
        Err(error) => {
            tracing::error!(confirmation = %claim.id, %error, "an attempt could not be written down");
        }
    }
}

async fn attempt(tools: &Tools, claim: &Claim, call: Option<Call>) -> Step {
    let now = tools.clock.now();
    let Ok(token) = claim.token.open(&tools.keys, claim.id) else {
        tracing::error!(confirmation = %claim.id, "its token was sealed under a key that this server does not have");
        return Step::Decide(Decision::Unavailable);
    };
    let (until, call) = match (tools.validator.asks(&token), call) {
        (true, _) if now >= claim.deadline => return Step::Decide(Decision::Unavailable),
        // The clock was set back since its deadline had passed.
        (true, None) => return Step::HandBack,
        (true, Some(call)) => (claim.deadline.min(now + tools.timing.attempt), Some(call)),
        // It needs no service, so it is judged whatever becomes of that, and also when its time has
        // passed.
        (false, call) => {
            if let Some(call) = call {
                call.end(Heard::Unasked);
            }
            (now + tools.timing.attempt, None)
        }
    };
    let answer = clock::until(
        &*tools.clock,
        until,
        tools.validator.validate(claim.id, &token),
    )
    .await;
    if let Some(call) = call {
        let long_enough = tools.clock.now() >= now + tools.timing.telling();
        match &answer {
            Ok(Err(ValidationError::Throttled { retry_after })) => {
                call.end_for_network(Heard::Failure {
                    retry_after: *retry_after,
                });
            }
            answer => call.end(heard(answer, long_enough)),
        }
    }
    match answer {
        Ok(Ok(verdict)) => Step::Decide(verdict.into()),
        Ok(Err(ValidationError::Permanent { what })) => {
            tracing::error!(confirmation = %claim.id, %what, "the validator refuses to be asked like this");
            Step::Decide(Decision::Unavailable)
        }
        Ok(Err(ValidationError::Temporary { what, retry_after })) => {
            failed(tools, claim, &what, retry_after)
        }
        Ok(Err(error @ ValidationError::Throttled { retry_after })) => {
            failed(tools, claim, &error.to_string(), retry_after)
        }
        Err(Elapsed) => failed(tools, claim, "it did not answer in time", None),
    }
}

/// A question that the deadline cut short after a moment says nothing about the validator, nor does
/// one too many.
fn heard(answer: &Result<Result<Verdict, ValidationError>, Elapsed>, long_enough: bool) -> Heard {
    match answer {
        Ok(Ok(_) | Err(ValidationError::Permanent { .. })) => Heard::Answer,
        Ok(Err(ValidationError::Temporary { retry_after, .. })) => Heard::Failure {
            retry_after: *retry_after,
        },
        Err(Elapsed) if long_enough => Heard::Failure { retry_after: None },
        Ok(Err(ValidationError::Throttled { .. })) | Err(Elapsed) => Heard::Nothing,
    }
}

/// A failed attempt is never a verdict: it is tried again until the deadline, which decides
/// `Unavailable`.
fn failed(tools: &Tools, claim: &Claim, what: &str, retry_after: Option<Duration>) -> Step {
    tracing::warn!(confirmation = %claim.id, attempt = claim.failed + 1, what, "the validator gave no verdict");
    let now = tools.clock.now();
    if now >= claim.deadline {
        return Step::Decide(Decision::Unavailable);
    }
    let due = now + backoff(&*tools.entropy, claim.failed + 1, retry_after);
    Step::Retry {
        due: due.min(claim.deadline),
    }
}

async fn retry(
    tools: &Tools,
    claim: &Claim,
    due: Timestamp,
) -> Result<Option<Announcement>, StoreError> {
    let postponed = tools.stores.queue.postpone(claim, due, true).await?;
    let will_be_asked_again = postponed && due < claim.deadline;
    Ok(
        will_be_asked_again.then_some(Announcement::Progress(vestibule_protocol::Step::Retrying {
            attempt: claim.failed + 2,
        })),
    )
}

async fn decide(
    tools: &Tools,
    claim: &Claim,
    decision: Decision,
) -> Result<Option<Announcement>, StoreError> {
    let settlement = Settlement {
        now: tools.clock.now(),
        new_user: UserId::generate(&*tools.entropy),
        bound: tools.timing.bound,
    };
    let decider = Decider::Worker { fence: claim.fence };
    let stored = tools
        .stores
        .confirmations
        .decide(claim.id, decider, &decision, settlement)
        .await?;
    // Whatever is stored is announced, even if this worker did not decide it: saying it twice does
    // no harm.
    let Some(ending) = stored.as_ref().and_then(Confirmation::ending) else {
        return Ok(None);
    };
    let waited = settlement.now.since(claim.begun);
    tracing::info!(confirmation = %claim.id, ?ending, ?waited, "settled");
    if let Ending::Rejected(reason) = ending {
        Event::SignInRefused {
            user: None,
            means: Means::Confirmation,
            why: reason.as_str(),
        }
        .record();
    }
    Ok(Some(Announcement::Outcome(
        tools.destinations.outcome(ending),
    )))
}

/// A browser that is not reached asks by itself.
async fn announce(tools: &Tools, claim: &Claim, announcement: &Announcement) {
    if let Err(error) = tools
        .publisher
        .announce(&Channel::of(&claim.secret), announcement)
        .await
    {
        tracing::warn!(confirmation = %claim.id, %error, "not announced; the page will ask");
    }
}
