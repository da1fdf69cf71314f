//! No external call is waited for inside a request or while a transaction is open.

use crate::support::{Browser, Harness, ada, soon, token};
use async_trait::async_trait;
use std::sync::Arc;
use tokio::sync::Notify;
use vestibule::{
    channel::Channel,
    clock::Timestamp,
    confirmation::ConfirmationId,
    publisher::{Announcement, PublishError, Publisher},
    sign_ins::{Progress, SignIns, Step},
    token::Token,
    validator::{ValidationError, Validator, Verdict},
    worker::Environment,
};

/// An external service that is reached and never answers.
#[derive(Default)]
struct Silent(Notify);

impl Silent {
    async fn never<T>(&self) -> T {
        self.0.notify_one();
        std::future::pending().await
    }
}

#[async_trait]
impl Validator for Silent {
    async fn validate(
        &self,
        _: ConfirmationId,
        _: &Token,
        _: Timestamp,
    ) -> Result<Verdict, ValidationError> {
        self.never().await
    }
}

#[async_trait]
impl Publisher for Silent {
    async fn announce(&self, _: &Channel, _: &Announcement) -> Result<(), PublishError> {
        self.never().await
    }
}

#[tokio::test]
async fn no_request_asks_the_validator() {
    let harness = Harness::open().await;
    let link = token("link");
    let mut browser = harness.begun(&link).await;
    browser.status(&link).await;
    browser.enter().await;
    browser.cancel(&link).await;
    browser.begin_again(&link).await;
    browser.sign_out().await;
    assert!(harness.validator.try_next().await.is_none());
}

#[tokio::test]
async fn every_request_is_answered_while_the_validator_and_the_publisher_are_silent() {
    let harness = Harness::open().await;
    let link = token("link");
    let validator = Arc::<Silent>::default();
    let publisher = Arc::<Silent>::default();
    let environment = Environment {
        validator: validator.clone(),
        publisher: publisher.clone(),
        ..harness.environment.clone()
    };
    harness.start_worker_with(environment.clone());
    let mut browser = Browser::new(SignIns::new(&environment, harness.dispatch.clone()));
    browser.land(&link);
    browser.begin(&link).await;
    soon("the validator to be asked", validator.0.notified()).await;
    assert_eq!(
        browser.status(&link).await.progress,
        Progress::Waiting(Step::Contacting)
    );
    assert_eq!(browser.greeted().await, None);
    assert!(matches!(
        browser.cancel(&link).await.progress,
        Progress::Done(_)
    ));
    soon("the publisher to be told", publisher.0.notified()).await;
    browser.begin_again(&link).await;
    browser.sign_out().await;
}

#[tokio::test]
async fn no_transaction_is_open_while_the_validator_thinks() {
    let harness = Harness::open().await;
    let link = token("link");
    harness.start_worker();
    harness.begun(&link).await;
    let question = harness.question().await;
    harness.assert_no_transaction_is_open().await;
    question.answer(Ok(Verdict::Valid(ada(), None)));
    harness.outcome().await;
}

#[tokio::test]
async fn no_transaction_is_open_while_the_publisher_is_told() {
    let harness = Harness::open().await;
    let link = token("link");
    let publisher = Arc::<Silent>::default();
    harness.start_worker_with(Environment {
        publisher: publisher.clone(),
        ..harness.environment.clone()
    });
    let mut browser = harness.begun(&link).await;
    harness
        .question()
        .await
        .answer(Ok(Verdict::Valid(ada(), None)));
    soon("the publisher to be told", publisher.0.notified()).await;
    harness.assert_no_transaction_is_open().await;
    assert_eq!(
        browser.greeted().await.as_deref(),
        Some("Ada"),
        "the outcome was stored before it was announced"
    );
}
