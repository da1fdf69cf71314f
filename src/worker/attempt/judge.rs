//! Whom an attempt asks, and what it comes to.

use crate::{
    backoff::{Backoff, Jitter},
    clock::{self, Elapsed, Timestamp},
    confirmation::{Claim, Decision, Later},
    link::{self, LinkToken},
    token::Token,
    validator::{ValidationError, Verdict},
    worker::{
        Environment,
        breaker::CallResult,
        circuit::{Circuit, HeldPlace, ValidatorCall},
    },
};
use std::time::Duration;

/// The waits between two attempts at one confirmation. Not shorter than the validator asks for.
const BACKOFF: Backoff = Backoff {
    first: Duration::from_millis(500),
    longest: Duration::from_secs(15),
    jitter: Jitter::Full,
};

/// What an attempt comes to.
pub(super) enum AttemptResult {
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
pub(in crate::worker) enum Judge {
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
    pub fn of(environment: &Environment, circuit: &Circuit, claim: &Claim, in_time: bool) -> Self {
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

pub(super) async fn attempt(
    environment: &Environment,
    claim: &Claim,
    judge: Judge,
) -> AttemptResult {
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
