//! Two workers, and a lease that passes: the older claim decides nothing more.

use crate::support::{Browser, House, Plan, Running, ada, bob, confirmed, rejected, soon, token};
use async_trait::async_trait;
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;
use vestibule::{
    confirmation::{ConfirmationId, Rejection},
    store::SessionStore as _,
    testing::{Question, ScriptedValidator},
    timing::Timing,
    token::Token,
    validator::{Reason, ValidationError, Validator, Verdict},
    vestibule::{Progress, Step},
    worker::Tools,
};

/// How long a stopping worker waits for its answers.
const FINISH_WITHIN: Duration = Duration::from_secs(5);
const SECOND: Duration = Duration::from_secs(1);

/// A worker that has asked and not heard, and a second one that has claimed the same after the
/// lease.
struct Relay {
    house: House,
    browser: Browser,
    slow: Running,
    old: Question,
    new: Question,
}

async fn relay() -> Relay {
    // A sleep between two looks is longer than the wait of a stopping worker, so that the two can
    // be told apart.
    let house = House::with(Timing {
        poll: 4 * FINISH_WITHIN,
        ..Timing::default()
    })
    .await;
    let hasty = Timing {
        lease: SECOND,
        ..house.tools.timing.clone()
    };
    let slow = house.start_worker_with(Tools {
        timing: hasty,
        ..house.tools.clone()
    });
    let browser = house.begun(&token("link")).await;
    let old = house.question().await;
    // It claims no more from here on, so that only the second worker can; but it still waits for
    // its answer.
    slow.stop();
    house
        .clock
        .somebody_sleeps_until(house.now() + FINISH_WITHIN)
        .await;
    house.advance(SECOND);
    let second: Arc<ScriptedValidator> = Arc::default();
    house.start_worker_with(Tools {
        validator: second.clone(),
        ..house.tools.clone()
    });
    let new = soon("the second worker to ask", second.next()).await;
    Relay {
        house,
        browser,
        slow,
        old,
        new,
    }
}

#[tokio::test]
async fn a_worker_whose_lease_has_passed_decides_nothing() {
    let late: [Result<Verdict, ValidationError>; 4] = [
        Ok(Verdict::Valid(bob())),
        Ok(Verdict::Invalid(Reason::Invalid)),
        Err(ValidationError::temporary("503")),
        Err(ValidationError::Permanent { what: "401".into() }),
    ];
    for late in late {
        let Relay {
            house,
            mut browser,
            slow,
            old,
            new,
        } = relay().await;
        let before = house.confirmation(&browser, &token("link")).await;
        old.answer(late);
        slow.stopped().await;
        assert_eq!(house.confirmation(&browser, &token("link")).await, before);
        assert_eq!(
            browser.status(&token("link")).await.progress,
            Progress::Waiting(Step::Contacting)
        );
        new.answer(Ok(Verdict::Valid(ada())));
        assert_eq!(house.outcome().await, confirmed());
        assert_eq!(browser.greeted().await.as_deref(), Some("Ada"));
    }
}

#[tokio::test]
async fn a_verdict_that_comes_after_the_decision_changes_nothing() {
    let Relay {
        house,
        browser,
        slow,
        old,
        new,
    } = relay().await;
    new.answer(Ok(Verdict::Invalid(Reason::Expired)));
    assert_eq!(house.outcome().await, rejected(Rejection::Expired));
    old.answer(Ok(Verdict::Valid(bob())));
    slow.stopped().await;
    let confirmation = house.confirmation(&browser, &token("link")).await;
    assert_eq!(
        browser.status(&token("link")).await.progress,
        Progress::Done(rejected(Rejection::Expired))
    );
    assert_eq!(
        house.store.session(confirmation.session).await.unwrap(),
        None
    );
}

/// A validator with a fault in its code.
struct Panics(Notify);

#[async_trait]
impl Validator for Panics {
    async fn validate(&self, _: ConfirmationId, _: &Token) -> Result<Verdict, ValidationError> {
        self.0.notify_one();
        panic!("a fault in the validator's code");
    }
}

#[tokio::test]
async fn an_attempt_that_panics_is_repeated_after_its_lease_and_frees_its_slot() {
    let house = House::built(Plan {
        in_flight: 1,
        ..Plan::default()
    })
    .await;
    let faulty = Arc::new(Panics(Notify::new()));
    let worker = house.start_worker_with(Tools {
        validator: faulty.clone(),
        ..house.tools.clone()
    });
    let mut browser = house.begun(&token("one")).await;
    soon("the first attempt", faulty.0.notified()).await;
    house.begun(&token("two")).await;
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
    house.advance(Timing::default().lease);
    house.start_worker();
    for _ in 0..2 {
        house.question().await.answer(Ok(Verdict::Valid(ada())));
        assert_eq!(house.outcome().await, confirmed());
    }
    assert_eq!(browser.greeted().await.as_deref(), Some("Ada"));
}
