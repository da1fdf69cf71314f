//! Waking up, and how much is in flight at once.

use crate::support::{Harness, Plan, ada, confirmed, token};
use async_trait::async_trait;
use std::{sync::Arc, time::Duration};
use vestibule::{
    channel::Channel,
    publisher::{Announcement, PublishError, Publisher},
    timing::Timing,
    validator::Verdict,
    worker::Environment,
};

#[tokio::test]
async fn a_begin_wakes_a_sleeping_worker_without_the_clock_moving() {
    let harness = Harness::open().await;
    harness.start_worker();
    for link in ["one", "two", "three"] {
        harness
            .clock
            .somebody_sleeps_until(harness.now() + Timing::default().poll)
            .await;
        harness.begun(&token(link)).await;
        let question = harness.question().await;
        assert_eq!(question.token, token(link));
        question.answer(Ok(Verdict::Valid(ada(), None)));
        assert_eq!(harness.outcome().await, confirmed());
    }
}

#[tokio::test]
async fn a_begin_that_wakes_no_worker_is_found_by_the_next_poll() {
    let harness = Harness::open().await;
    harness.start_worker();
    let poll = Timing::default().poll;
    harness
        .clock
        .somebody_sleeps_until(harness.now() + poll)
        .await;
    let mut browser = crate::support::Browser::new(harness.sign_ins_elsewhere());
    browser.land(&token("link"));
    browser.begin(&token("link")).await;
    harness.advance(poll);
    assert_eq!(harness.question().await.token, token("link"));
}

#[tokio::test]
async fn no_more_than_the_cap_are_asked_about_at_once() {
    let harness = Harness::built(Plan {
        in_flight: 3,
        ..Plan::default()
    })
    .await;
    let links: Vec<_> = (0..10)
        .map(|number| token(&format!("link-{number}")))
        .collect();
    for link in &links {
        harness.begun(link).await;
    }
    harness.start_worker();
    let mut in_flight = Vec::new();
    for _ in 0..3 {
        in_flight.push(harness.question().await);
    }
    for answered in 0..10 {
        harness
            .clock
            .somebody_sleeps_until(harness.now() + Timing::default().poll)
            .await;
        assert!(
            harness.validator.try_next().await.is_none(),
            "a fourth is asked about"
        );
        in_flight.remove(0).answer(Ok(Verdict::Valid(ada(), None)));
        assert_eq!(harness.outcome().await, confirmed());
        if answered < 7 {
            in_flight.push(harness.question().await);
        }
    }
}

#[tokio::test]
async fn a_question_without_an_answer_keeps_no_one_else_waiting() {
    let harness = Harness::open().await;
    let slow = token("slow");
    let quick = token("quick");
    harness.start_worker();
    harness.begun(&slow).await;
    let _slow = harness.question().await;
    let mut browser = harness.begun(&quick).await;
    harness
        .question()
        .await
        .answer(Ok(Verdict::Valid(ada(), None)));
    assert_eq!(harness.outcome().await, confirmed());
    assert_eq!(browser.greeted().await.as_deref(), Some("Ada"));
}

/// A Pusher server that takes everything and never answers.
struct Unanswering;

#[async_trait]
impl Publisher for Unanswering {
    async fn announce(&self, _: &Channel, _: &Announcement) -> Result<(), PublishError> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_publisher_that_never_answers_takes_no_place_in_flight() {
    let harness = Harness::built(Plan {
        in_flight: 1,
        ..Plan::default()
    })
    .await;
    harness.start_worker_with(Environment {
        publisher: Arc::new(Unanswering),
        ..harness.environment.clone()
    });
    for link in ["one", "two", "three"] {
        harness.begun(&token(link)).await;
        harness
            .question()
            .await
            .answer(Ok(Verdict::Valid(ada(), None)));
    }
}

#[tokio::test]
async fn what_is_due_later_is_asked_about_when_its_time_has_come() {
    let harness = Harness::open().await;
    let link = token("link");
    harness.start_worker();
    harness.begun(&link).await;
    let retry_after = Some(Duration::from_secs(3));
    let busy = vestibule::validator::ValidationError::Throttled { retry_after };
    harness.question().await.answer(Err(busy));
    harness
        .clock
        .somebody_sleeps_until(harness.now() + Duration::from_secs(3))
        .await;
    harness.advance(Duration::from_secs(3));
    assert_eq!(harness.question().await.token, link);
}
