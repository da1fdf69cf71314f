//! Waking up, and how much is in flight at once.

use crate::support::{House, Plan, ada, confirmed, token};
use async_trait::async_trait;
use std::{sync::Arc, time::Duration};
use vestibule::{
    channel::Channel,
    publisher::{Announcement, PublishError, Publisher},
    timing::Timing,
    validator::Verdict,
    worker::Tools,
};

#[tokio::test]
async fn a_begin_wakes_a_sleeping_worker_without_the_clock_moving() {
    let house = House::open().await;
    house.start_worker();
    for link in ["one", "two", "three"] {
        house
            .clock
            .somebody_sleeps_until(house.now() + Timing::default().poll)
            .await;
        house.begun(&token(link)).await;
        let question = house.question().await;
        assert_eq!(question.token, token(link));
        question.answer(Ok(Verdict::Valid(ada())));
        assert_eq!(house.outcome().await, confirmed());
    }
}

#[tokio::test]
async fn a_begin_that_wakes_no_worker_is_found_by_the_next_poll() {
    let house = House::open().await;
    house.start_worker();
    let poll = Timing::default().poll;
    house.clock.somebody_sleeps_until(house.now() + poll).await;
    let elsewhere = vestibule::vestibule::Vestibule::new(&house.tools, Arc::default());
    let mut browser = crate::support::Browser::new(elsewhere);
    browser.land(&token("link"));
    browser.begin(&token("link")).await;
    house.advance(poll);
    assert_eq!(house.question().await.token, token("link"));
}

#[tokio::test]
async fn no_more_than_the_cap_are_asked_about_at_once() {
    let house = House::built(Plan {
        in_flight: 3,
        ..Plan::default()
    })
    .await;
    let links: Vec<_> = (0..10)
        .map(|number| token(&format!("link-{number}")))
        .collect();
    for link in &links {
        house.begun(link).await;
    }
    house.start_worker();
    let mut in_flight = Vec::new();
    for _ in 0..3 {
        in_flight.push(house.question().await);
    }
    for answered in 0..10 {
        house
            .clock
            .somebody_sleeps_until(house.now() + Timing::default().poll)
            .await;
        assert!(
            house.validator.try_next().await.is_none(),
            "a fourth is asked about"
        );
        in_flight.remove(0).answer(Ok(Verdict::Valid(ada())));
        assert_eq!(house.outcome().await, confirmed());
        if answered < 7 {
            in_flight.push(house.question().await);
        }
    }
}

#[tokio::test]
async fn a_question_without_an_answer_keeps_no_one_else_waiting() {
    let house = House::open().await;
    let slow = token("slow");
    let quick = token("quick");
    house.start_worker();
    house.begun(&slow).await;
    let _slow = house.question().await;
    let mut browser = house.begun(&quick).await;
    house.question().await.answer(Ok(Verdict::Valid(ada())));
    assert_eq!(house.outcome().await, confirmed());
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
    let house = House::built(Plan {
        in_flight: 1,
        ..Plan::default()
    })
    .await;
    house.start_worker_with(Tools {
        publisher: Arc::new(Unanswering),
        ..house.tools.clone()
    });
    for link in ["one", "two", "three"] {
        house.begun(&token(link)).await;
        house.question().await.answer(Ok(Verdict::Valid(ada())));
    }
}

#[tokio::test]
async fn what_is_due_later_is_asked_about_when_its_time_has_come() {
    let house = House::open().await;
    let link = token("link");
    house.start_worker();
    house.begun(&link).await;
    let retry_after = Some(Duration::from_secs(3));
    let busy = vestibule::validator::ValidationError::Throttled { retry_after };
    house.question().await.answer(Err(busy));
    house
        .clock
        .somebody_sleeps_until(house.now() + Duration::from_secs(3))
        .await;
    house.advance(Duration::from_secs(3));
    assert_eq!(house.question().await.token, link);
}
