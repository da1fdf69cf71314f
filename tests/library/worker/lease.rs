//! Two workers, and a lease that passes: the older claim decides nothing more.

use crate::support::{Browser, Harness, Plan, Running, ada, bob, confirmed, rejected, soon, token};
use async_trait::async_trait;
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;
use vestibule::{
    clock::Timestamp,
    confirmation::{ConfirmationId, Rejection},
    sign_ins::{Progress, Step},
    store::SessionStore as _,
    testing::{Question, ScriptedValidator},
    timing::Timing,
    token::Token,
    validator::{Reason, ValidationError, Validator, Verdict},
    worker::Environment,
};

/// How long a stopping worker waits for its answers.
const FINISH_WITHIN: Duration = Duration::from_secs(5);
const SECOND: Duration = Duration::from_secs(1);

/// A worker that has asked and not heard, and a second one that has claimed the same after the
/// lease.
struct Relay {
    harness: Harness,
    browser: Browser,
    slow: Running,
    old: Question,
    new: Question,
}

async fn relay() -> Relay {
    // A sleep between two looks is longer than the wait of a stopping worker, so that the two can
    // be told apart.
    let harness = Harness::with(Timing {
        poll: 4 * FINISH_WITHIN,
        ..Timing::default()
    })
    .await;
    let hasty = Timing {
        lease: SECOND,
        ..harness.environment.timing.clone()
    };
    let slow = harness.start_worker_with(Environment {
        timing: hasty,
        ..harness.environment.clone()
    });
    let browser = harness.begun(&token("link")).await;
    let old = harness.question().await;
    // It claims no more from here on, so that only the second worker can; but it still waits for
    // its answer.
    slow.stop();
    harness
        .clock
        .somebody_sleeps_until(harness.now() + FINISH_WITHIN)
        .await;
    harness.advance(SECOND);
    let second: Arc<ScriptedValidator> = Arc::default();
    harness.start_worker_with(Environment {
        validator: second.clone(),
        ..harness.environment.clone()
    });
    let new = soon("the second worker to ask", second.next()).await;
    Relay {
        harness,
        browser,
        slow,
        old,
        new,
    }
}

#[tokio::test]
async fn a_worker_whose_lease_has_passed_decides_nothing() {
    let late: [Result<Verdict, ValidationError>; 4] = [
        Ok(Verdict::Valid(bob(), None)),
        Ok(Verdict::Invalid(Reason::Invalid)),
        Err(ValidationError::temporary("503")),
        Err(ValidationError::Permanent { what: "401".into() }),
    ];
    for late in late {
        let Relay {
            harness,
            mut browser,
            slow,
            old,
            new,
        } = relay().await;
        let before = harness.confirmation(&browser, &token("link")).await;
        old.answer(late);
        slow.stopped().await;
        assert_eq!(harness.confirmation(&browser, &token("link")).await, before);
        assert_eq!(
            browser.status(&token("link")).await.progress,
            Progress::Waiting(Step::Contacting)
        );
        new.answer(Ok(Verdict::Valid(ada(), None)));
        assert_eq!(harness.outcome().await, confirmed());
        assert_eq!(browser.greeted().await.as_deref(), Some("Ada"));
    }
}

#[tokio::test]
async fn a_verdict_that_comes_after_the_decision_changes_nothing() {
    let Relay {
        harness,
        browser,
        slow,
        old,
        new,
    } = relay().await;
    new.answer(Ok(Verdict::Invalid(Reason::Expired)));
    assert_eq!(harness.outcome().await, rejected(Rejection::Expired));
    old.answer(Ok(Verdict::Valid(bob(), None)));
    slow.stopped().await;
    let confirmation = harness.confirmation(&browser, &token("link")).await;
    assert_eq!(
        browser.status(&token("link")).await.progress,
        Progress::Done(rejected(Rejection::Expired))
    );
    assert_eq!(
        harness.store.session(confirmation.session).await.unwrap(),
        None
    );
}

/// A validator with a fault in its code.
struct Panics(Notify);

#[async_trait]
impl Validator for Panics {
    async fn validate(
        &self,
        _: ConfirmationId,
        _: &Token,
        _: Timestamp,
    ) -> Result<Verdict, ValidationError> {
        self.0.notify_one();
        panic!("a fault in the validator's code");
    }
}

#[tokio::test]
async fn an_attempt_that_panics_is_repeated_after_its_lease_and_frees_its_slot() {
    let harness = Harness::built(Plan {
        in_flight: 1,
        ..Plan::default()
    })
    .await;
    let faulty = Arc::new(Panics(Notify::new()));
    let worker = harness.start_worker_with(Environment {
        validator: faulty.clone(),
        ..harness.environment.clone()
    });
    let mut browser = harness.begun(&token("one")).await;
    soon("the first attempt", faulty.0.notified()).await;
    harness.begun(&token("two")).await;
    soon(
        "the other's attempt, in the one place there is",
        faulty.0.notified(),
    )
    .await;
    worker.stop();
    worker.stopped().await;
    assert_eq!(
        browser.status(&token("one")).await.progress,
        Progress::Waiting(Step::Contacting)
    );
    harness.advance(Timing::default().lease);
    harness.start_worker();
    for _ in 0..2 {
        harness
            .question()
            .await
            .answer(Ok(Verdict::Valid(ada(), None)));
        assert_eq!(harness.outcome().await, confirmed());
    }
    assert_eq!(browser.greeted().await.as_deref(), Some("Ada"));
}
