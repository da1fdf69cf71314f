//! No external call is waited for inside a request or while a transaction is open.

use crate::support::{Browser, House, ada, soon, token};
use async_trait::async_trait;
use std::sync::Arc;
use tokio::sync::Notify;
use vestibule::{
    channel::Channel,
    confirmation::ConfirmationId,
    publisher::{Announcement, PublishError, Publisher},
    token::Token,
    validator::{ValidationError, Validator, Verdict},
    vestibule::{Progress, Step, Vestibule},
    worker::Tools,
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
    async fn validate(&self, _: ConfirmationId, _: &Token) -> Result<Verdict, ValidationError> {
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
    let house = House::open().await;
    let link = token("link");
    let mut browser = house.begun(&link).await;
    browser.status(&link).await;
    browser.enter().await;
    browser.cancel(&link).await;
    browser.begin_again(&link).await;
    browser.sign_out().await;
    assert!(house.validator.try_next().await.is_none());
}

#[tokio::test]
async fn every_request_is_answered_while_the_validator_and_the_publisher_are_silent() {
    let house = House::open().await;
    let link = token("link");
    let validator = Arc::<Silent>::default();
    let publisher = Arc::<Silent>::default();
    let tools = Tools {
        validator: validator.clone(),
        publisher: publisher.clone(),
        ..house.tools.clone()
    };
    house.start_worker_with(tools.clone());
    let mut browser = Browser::new(Vestibule::new(&tools, house.wake.clone()));
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
    let house = House::open().await;
    let link = token("link");
    house.start_worker();
    house.begun(&link).await;
    let question = house.question().await;
    house.assert_no_transaction_is_open().await;
    question.answer(Ok(Verdict::Valid(ada())));
    house.outcome().await;
}

#[tokio::test]
async fn no_transaction_is_open_while_the_publisher_is_told() {
    let house = House::open().await;
    let link = token("link");
    let publisher = Arc::<Silent>::default();
    house.start_worker_with(Tools {
        publisher: publisher.clone(),
        ..house.tools.clone()
    });
    let mut browser = house.begun(&link).await;
    house.question().await.answer(Ok(Verdict::Valid(ada())));
    soon("the publisher to be told", publisher.0.notified()).await;
    house.assert_no_transaction_is_open().await;
    assert_eq!(
        browser.greeted().await.as_deref(),
        Some("Ada"),
        "the outcome was stored before it was announced"
    );
}
