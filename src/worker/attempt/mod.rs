//! One attempt at one claimed confirmation.

use super::{
    Environment,
    breaker::CallResult,
    circuit::{Circuit, HeldPlace, ValidatorCall},
    slot::Slot,
};
use crate::{
    audit,
    backoff::{Backoff, Jitter},
    caps::Shares,
    channel::Channel,
    clock::{self, Elapsed, Timestamp},
    confirmation::{Claim, Decider, Decision, Later, Noted, Postponement, Wait},
    failpoint,
    link::{self, LinkToken},
    publisher::Announcement,
    store::{Settlement, StoreError},
    token::Token,
    user::UserId,
    validator::{ValidationError, Verdict},
};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use vestibule_protocol::Step;

/// The waits between two attempts at one confirmation. Not shorter than the validator asks for.
const BACKOFF: Backoff = Backoff {
    first: Duration::from_millis(500),
    longest: Duration::from_secs(15),
    jitter: Jitter::Full,
};

/// What an attempt comes to.
enum AttemptResult {
    Decide(Decision),
    /// The deadline has passed.
    GiveUp,
    Retry {
        due: Timestamp,
    },
    AskLater {
        due: Timestamp,
        later: Later,
    },
    HandBack,
}

/// Who judges a claimed confirmation's token.
pub(super) enum Judge {
    /// We do: it is a link of ours, or was one before it was mangled on its way. It may still hold
    /// what signs in, so no validator may read it.
    Ourselves(Token, Option<HeldPlace>),
    /// The validator, by this call; without one, the claim is for the deadline alone.
    Validator(Token, Option<ValidatorCall>),
    /// No one: the token was sealed under a key that this server does not have.
    None,
    /// No one under this claim, which is given back.
    Another,
}

impl Judge {
    /// Who judges the claim. The validator is asked only if there is time left; our own links are
    /// judged also when theirs has passed, and say nothing about the validator.
    pub(super) fn of(
        environment: &Environment,
        circuit: &Circuit,
        claim: &Claim,
        in_time: bool,
    ) -> Self {
        let keys = &environment.keys;
        match claim.token.open(keys, claim.id) {
            Err(_) => Self::None,
            Ok(token) if LinkToken::is_ours(keys, &token) => {
                Self::Ourselves(token, in_time.then(|| circuit.hold_place(claim)))
            }
            Ok(token) => Self::Validator(token, in_time.then(|| circuit.call(claim))),
        }
    }
}

type ValidatorAnswer = Result<Result<Verdict, ValidationError>, Elapsed>;

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

async fn attempt(environment: &Environment, claim: &Claim, judge: Judge) -> AttemptResult {
    match judge {
        Judge::Ourselves(token, _place) => judge_link(environment, claim, &token).await,
        Judge::Validator(token, call) => ask_validator(environment, claim, &token, call).await,
        Judge::Another => AttemptResult::HandBack,
        Judge::None => {
            tracing::error!(confirmation = %claim.id, "its token was sealed under a key that this server does not have");
            AttemptResult::Decide(Decision::Unavailable)
        }
    }
}

async fn judge_link(environment: &Environment, claim: &Claim, token: &Token) -> AttemptResult {
    let now = environment.clock.now();
    let verdict = link::judge(&environment.stores, &environment.keys, now, claim.id, token);
    let until = now + environment.timing.attempt;
    follow(
        environment,
        claim,
        clock::until(&*environment.clock, until, verdict).await,
    )
}

async fn ask_validator(
    environment: &Environment,
    claim: &Claim,
    token: &Token,
    call: Option<ValidatorCall>,
) -> AttemptResult {
    let now = environment.clock.now();
    if now >= claim.deadline {
        return AttemptResult::GiveUp;
    }
    let Some(call) = call else {
        // The clock was set back since its deadline had passed.
        return AttemptResult::HandBack;
    };
    let answer = clock::until(
        &*environment.clock,
        claim.deadline.min(now + environment.timing.attempt),
        environment
            .validator
            .validate(claim.id, token, claim.deadline),
    )
    .await;
    let long_enough = environment.clock.now() >= now + environment.timing.telling();
    match &answer {
        Ok(Err(ValidationError::Throttled { retry_after })) => {
            call.end_for_network(CallResult::Failure {
                retry_after: *retry_after,
            });
        }
        answer => call.end(call_result(answer, long_enough)),
    }
    follow(environment, claim, answer)
}

/// What follows from an answer, if there was one in time.
fn follow(environment: &Environment, claim: &Claim, answer: ValidatorAnswer) -> AttemptResult {
    match answer {
        Ok(Ok(verdict)) => AttemptResult::Decide(environment.destinations.decision(verdict)),
        Ok(Err(ValidationError::Permanent { what })) => {
            tracing::error!(confirmation = %claim.id, %what, "the validator refuses to be asked like this");
            AttemptResult::Decide(Decision::Unavailable)
        }
        Ok(Err(ValidationError::Later { ask_again, stage })) => AttemptResult::AskLater {
            due: environment.clock.now() + ask_again,
            later: Later { stage },
        },
        Ok(Err(ValidationError::Temporary { what, retry_after })) => {
            failed(environment, claim, &what, retry_after)
        }
        Ok(Err(error @ ValidationError::Throttled { retry_after })) => {
            failed(environment, claim, &error.to_string(), retry_after)
        }
        Err(Elapsed) => failed(environment, claim, "it did not answer in time", None),
    }
}

/// A question that the deadline cut short after a moment says nothing about the validator, nor does
/// one too many.
fn call_result(answer: &ValidatorAnswer, long_enough: bool) -> CallResult {
    match answer {
        Ok(Ok(_) | Err(ValidationError::Permanent { .. } | ValidationError::Later { .. })) => {
            CallResult::Answer
        }
        Ok(Err(ValidationError::Temporary { retry_after, .. })) => CallResult::Failure {
            retry_after: *retry_after,
        },
        Err(Elapsed) if long_enough => CallResult::Failure { retry_after: None },
        Ok(Err(ValidationError::Throttled { .. })) | Err(Elapsed) => CallResult::Inconclusive,
    }
}

/// A failed attempt is never a verdict: it is tried again until the deadline, which decides
/// `Unavailable`.
fn failed(
    environment: &Environment,
    claim: &Claim,
    what: &str,
    retry_after: Option<Duration>,
) -> AttemptResult {
    tracing::warn!(confirmation = %claim.id, attempt = claim.failed + 1, what, "the validator gave no verdict");
    let now = environment.clock.now();
    if now >= claim.deadline {
        return AttemptResult::GiveUp;
    }
    let wait = BACKOFF.wait(claim.failed + 1, &*environment.entropy);
    let due = now + wait.max(retry_after.unwrap_or_default());
    AttemptResult::Retry {
        due: due.min(claim.deadline),
    }
}

async fn retry(
    environment: &Environment,
    claim: &Claim,
    due: Timestamp,
) -> Result<Option<Announcement>, StoreError> {
    let noted = environment
        .stores
        .queue
        .postpone(claim, due, Postponement::Failed)
        .await?;
    let is_news = noted == Noted::Stored && due < claim.deadline && claim.later.is_none();
    Ok(is_news.then_some(Announcement::Progress(Step::Retrying {
        attempt: claim.failed + 2,
    })))
}

/// The validator has understood: it is asked the same again when that is due, until the deadline
/// of those that take longer, or, where there is no room for one that does, until its own. The page
/// is told once, and of each further stage.
async fn ask_later(
    environment: &Environment,
    claim: &Claim,
    due: Timestamp,
    later: Later,
) -> Result<Option<Announcement>, StoreError> {
    let queue = &*environment.stores.queue;
    let now = environment.clock.now();
    let wait = Wait {
        later,
        deadline: claim.created_at + environment.timing.wait,
        room: match claim.later {
            Some(_) => Shares::new(0),
            None => environment.room.for_later(now, queue).await?,
        },
    };
    let noted = queue
        .postpone(claim, due, Postponement::Later(wait))
        .await?;
    if noted == Noted::NoRoom {
        tracing::warn!(confirmation = %claim.id, "the validator answers later, but too many wait for that");
    }
    let is_news = noted == Noted::Stored && Some(later) > claim.later;
    Ok(is_news.then_some(Announcement::Progress(Step::Later { stage: later.stage })))
}

async fn decide(
    environment: &Environment,
    claim: &Claim,
    decider: Decider,
    decision: Decision,
) -> Result<Option<Announcement>, StoreError> {
    let settlement = Settlement {
        now: environment.clock.now(),
        new_user: UserId::generate(&*environment.entropy),
        bound: environment.timing.bound,
    };
    let stored = environment
        .stores
        .confirmations
        .decide(claim.id, decider, &decision, settlement)
        .await?;
    // Whatever is stored is announced, even if this worker did not decide it: saying it twice does
    // no harm.
    let Some((ending, stored)) = stored.and_then(|stored| Some((stored.ending()?, stored))) else {
        return Ok(None);
    };
    audit::settled(&stored, ending, settlement.now);
    if claim.later.is_some()
        && let Some(outbox) = &environment.outbox
        && let Ok(token) = claim.token.open(&environment.keys, claim.id)
    {
        let lives = environment.timing.bound;
        outbox.tell_confirmed(&stored, &token, lives).await;
    }
    Ok(Some(Announcement::Outcome(
        environment
            .destinations
            .outcome(ending, stored.next.as_ref()),
    )))
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
