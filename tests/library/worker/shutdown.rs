//! A shutdown finishes what is in flight, or hands it back.

use crate::support::{Harness, ada, confirmed, token};
use std::time::Duration;
use vestibule::{
    confirmation::{Queued, State},
    sign_ins::{Progress, Step},
    timing::Timing,
    validator::Verdict,
};

/// How long a stopping worker waits for its answers.
const FINISH_WITHIN: Duration = Duration::from_secs(5);

/// A house whose worker never sleeps as long as it waits when it stops, so that a test can tell the
/// two apart.
async fn harness() -> Harness {
    Harness::with(Timing {
        poll: 4 * FINISH_WITHIN,
        ..Timing::default()
    })
    .await
}

#[tokio::test]
async fn an_idle_worker_stops_at_once() {
    let harness = harness().await;
    let worker = harness.start_worker();
    harness
        .clock
        .somebody_sleeps_until(harness.now() + harness.environment.timing.poll)
        .await;
    worker.stop();
    worker.stopped().await;
}

#[tokio::test]
async fn what_is_in_flight_is_finished_and_announced() {
    let harness = harness().await;
    let link = token("link");
    let worker = harness.start_worker();
    let mut browser = harness.begun(&link).await;
    let question = harness.question().await;
    worker.stop();
    question.answer(Ok(Verdict::Valid(ada(), None)));
    worker.stopped().await;
    assert_eq!(harness.outcome().await, confirmed());
    assert_eq!(browser.greeted().await.as_deref(), Some("Ada"));
}

#[tokio::test]
async fn what_does_not_finish_is_handed_back_and_has_not_failed() {
    let harness = harness().await;
    let link = token("link");
    let worker = harness.start_worker();
    let browser = harness.begun(&link).await;
    let unanswered = harness.question().await;
    worker.stop();
    harness
        .clock
        .somebody_sleeps_until(harness.now() + FINISH_WITHIN)
        .await;
    harness.advance(FINISH_WITHIN);
    worker.stopped().await;
    let State::Queued(Queued {
        failed: 0,
        lease: None,
        due_at: due,
        ..
    }) = harness.confirmation(&browser, &link).await.state
    else {
        panic!("it is queued again, for the next worker")
    };
    assert_eq!(due, harness.now());
    harness.start_worker();
    let again = harness.question().await;
    assert_eq!(again.id, unanswered.id);
    again.answer(Ok(Verdict::Valid(ada(), None)));
    assert_eq!(harness.outcome().await, confirmed());
}

#[tokio::test]
async fn a_worker_that_is_stopping_claims_nothing_more() {
    let harness = harness().await;
    let link = token("link");
    let late = token("late");
    let worker = harness.start_worker();
    harness.begun(&link).await;
    let question = harness.question().await;
    worker.stop();
    harness
        .clock
        .somebody_sleeps_until(harness.now() + FINISH_WITHIN)
        .await;
    let browser = harness.begun(&late).await;
    question.answer(Ok(Verdict::Valid(ada(), None)));
    worker.stopped().await;
    assert!(harness.validator.try_next().await.is_none());
    assert_eq!(
        browser.status(&late).await.progress,
        Progress::Waiting(Step::Queued)
    );
}
