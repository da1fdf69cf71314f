//! A shutdown finishes what is in flight, or hands it back.

use crate::support::{House, ada, confirmed, token};
use std::time::Duration;
use vestibule::{
    confirmation::{Queued, State},
    timing::Timing,
    validator::Verdict,
    vestibule::{Progress, Step},
};

/// How long a stopping worker waits for its answers.
const FINISH_WITHIN: Duration = Duration::from_secs(5);

/// A house whose worker never sleeps as long as it waits when it stops, so that a test can tell the
/// two apart.
async fn house() -> House {
    House::with(Timing {
        poll: 4 * FINISH_WITHIN,
        ..Timing::default()
    })
    .await
}

#[tokio::test]
async fn an_idle_worker_stops_at_once() {
    let house = house().await;
    let worker = house.start_worker();
    house
        .clock
        .somebody_sleeps_until(house.now() + house.tools.timing.poll)
        .await;
    worker.stop();
    worker.stopped().await;
}

#[tokio::test]
async fn what_is_in_flight_is_finished_and_announced() {
    let house = house().await;
    let link = token("link");
    let worker = house.start_worker();
    let mut browser = house.begun(&link).await;
    let question = house.question().await;
    worker.stop();
    question.answer(Ok(Verdict::Valid(ada())));
    worker.stopped().await;
    assert_eq!(house.outcome().await, confirmed());
    assert_eq!(browser.greeted().await.as_deref(), Some("Ada"));
}

#[tokio::test]
async fn what_does_not_finish_is_handed_back_and_has_not_failed() {
    let house = house().await;
    let link = token("link");
    let worker = house.start_worker();
    let browser = house.begun(&link).await;
    let unanswered = house.question().await;
    worker.stop();
    house
        .clock
        .somebody_sleeps_until(house.now() + FINISH_WITHIN)
        .await;
    house.advance(FINISH_WITHIN);
    worker.stopped().await;
    let State::Queued(Queued {
        failed: 0,
        lease: None,
        due_at: due,
        ..
    }) = house.confirmation(&browser, &link).await.state
    else {
        panic!("it is queued again, for whoever comes")
    };
    assert_eq!(due, house.now());
    house.start_worker();
    let again = house.question().await;
    assert_eq!(again.id, unanswered.id);
    again.answer(Ok(Verdict::Valid(ada())));
    assert_eq!(house.outcome().await, confirmed());
}

#[tokio::test]
async fn a_worker_that_is_stopping_claims_nothing_more() {
    let house = house().await;
    let link = token("link");
    let late = token("late");
    let worker = house.start_worker();
    house.begun(&link).await;
    let question = house.question().await;
    worker.stop();
    house
        .clock
        .somebody_sleeps_until(house.now() + FINISH_WITHIN)
        .await;
    let browser = house.begun(&late).await;
    question.answer(Ok(Verdict::Valid(ada())));
    worker.stopped().await;
    assert!(house.validator.try_next().await.is_none());
    assert_eq!(
        browser.status(&late).await.progress,
        Progress::Waiting(Step::Queued)
    );
}
