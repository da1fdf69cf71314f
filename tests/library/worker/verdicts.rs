//! From the validator's answer to what the browser is told.

use crate::support::{House, ada, confirmed, rejected, token};
use std::time::Duration;
use vestibule::{
    channel::Channel,
    confirmation::{Decided, Ending, Rejection, State},
    outcome::Outcome,
    publisher::{Announcement, PublishError},
    store::SessionStore as _,
    validator::{Reason, ValidationError, Verdict},
    vestibule::{Progress, Step},
};

#[tokio::test]
async fn a_good_token_signs_in_its_user() {
    let house = House::open().await;
    let good = token("good");
    house.start_worker();
    let mut browser = house.begun(&good).await;
    let question = house.question().await;
    assert_eq!(question.token, good);
    assert_eq!(question.id, house.confirmation(&browser, &good).await.id);
    assert_eq!(
        browser.status(&good).await.progress,
        Progress::Waiting(Step::Contacting)
    );
    question.answer(Ok(Verdict::Valid(ada())));
    let announced = house.announced().await;
    assert_eq!(
        announced,
        (browser.channel(&good), Announcement::Outcome(confirmed()))
    );
    assert_eq!(
        browser.status(&good).await.progress,
        Progress::Done(confirmed())
    );
    assert_eq!(browser.greeted().await.as_deref(), Some("Ada"));
}

#[tokio::test]
async fn a_token_that_is_not_good_ends_the_session_and_says_why() {
    let reasons = [
        (Reason::Invalid, Rejection::Invalid),
        (Reason::Expired, Rejection::Expired),
        (Reason::Used, Rejection::Used),
    ];
    for (reason, rejection) in reasons {
        let house = House::open().await;
        let bad = token("bad");
        house.start_worker();
        let mut browser = house.begun(&bad).await;
        house.question().await.answer(Ok(Verdict::Invalid(reason)));
        let outcome = rejected(rejection);
        assert_eq!(
            house.announced().await,
            (
                browser.channel(&bad),
                Announcement::Outcome(outcome.clone())
            )
        );
        assert_eq!(browser.status(&bad).await.progress, Progress::Done(outcome));
        let session = house.confirmation(&browser, &bad).await.session;
        assert_eq!(house.store.session(session).await.unwrap(), None);
        assert_eq!(browser.greeted().await, None);
    }
}

#[tokio::test]
async fn the_outcome_is_announced_on_the_channel_that_begin_has_named() {
    let house = House::open().await;
    let good = token("good");
    house.start_worker();
    let mut browser = house.browser();
    browser.land(&good);
    let channel: Option<Channel> = browser.begin(&good).await.channel;
    house.question().await.answer(Ok(Verdict::Valid(ada())));
    assert_eq!(Some(house.announced().await.0), channel);
    assert_eq!(browser.status(&good).await.channel, channel);
}

#[tokio::test]
async fn two_browsers_with_one_link_have_two_confirmations_and_two_channels() {
    let house = House::open().await;
    let shared = token("shared");
    house.start_worker();
    let one = house.begun(&shared).await;
    let two = house.begun(&shared).await;
    assert_ne!(one.channel(&shared), two.channel(&shared));
    let first = house.question().await;
    let second = house.question().await;
    assert_ne!(first.id, second.id);
    let (of_one, of_two) = if first.id == house.confirmation(&one, &shared).await.id {
        (first, second)
    } else {
        (second, first)
    };
    of_one.answer(Ok(Verdict::Valid(ada())));
    assert_eq!(house.announced().await.0, one.channel(&shared));
    of_two.answer(Ok(Verdict::Invalid(Reason::Used)));
    assert_eq!(house.announced().await.0, two.channel(&shared));
    assert_eq!(
        one.status(&shared).await.progress,
        Progress::Done(confirmed())
    );
    assert_eq!(
        two.status(&shared).await.progress,
        Progress::Done(rejected(Rejection::Used))
    );
}

#[tokio::test]
async fn a_validator_that_cannot_answer_now_is_asked_again_about_the_same_confirmation() {
    let house = House::open().await;
    let flaky = token("flaky");
    house.start_worker();
    let browser = house.begun(&flaky).await;
    let first = house.question().await;
    let id = first.id;
    first.answer(Err(ValidationError::temporary("503")));
    let retrying = Announcement::Progress(Step::Retrying { attempt: 2 });
    assert_eq!(house.announced().await, (browser.channel(&flaky), retrying));
    assert_eq!(
        browser.status(&flaky).await.progress,
        Progress::Waiting(Step::Retrying { attempt: 2 })
    );
    house.advance(Duration::from_millis(500));
    let second = house.question().await;
    assert_eq!(second.id, id, "the id is the idempotency key");
    assert_eq!(
        browser.status(&flaky).await.progress,
        Progress::Waiting(Step::Retrying { attempt: 2 })
    );
    second.answer(Ok(Verdict::Valid(ada())));
    assert_eq!(house.outcome().await, confirmed());
}

#[tokio::test]
async fn a_permanent_error_is_unavailable_at_once_and_never_invalid() {
    let house = House::open().await;
    let token = token("t");
    house.start_worker();
    let browser = house.begun(&token).await;
    house
        .question()
        .await
        .answer(Err(ValidationError::Permanent { what: "401".into() }));
    assert_eq!(house.outcome().await, Outcome::Unavailable);
    assert_eq!(
        browser.status(&token).await.progress,
        Progress::Done(Outcome::Unavailable)
    );
    let decided = Decided {
        ending: Ending::Unavailable,
        at: house.now(),
    };
    assert_eq!(
        house.confirmation(&browser, &token).await.state,
        State::Settled(decided)
    );
}

#[tokio::test]
async fn a_publisher_that_fails_changes_nothing_but_the_hint() {
    for retry in [true, false] {
        let house = House::open().await;
        let good = token("good");
        let worker = house.start_worker();
        house.publisher.fail(Some(PublishError {
            what: "no Pusher server".into(),
            retry,
        }));
        let mut browser = house.begun(&good).await;
        house.question().await.answer(Ok(Verdict::Valid(ada())));
        worker.stop();
        worker.stopped().await;
        assert_eq!(
            browser.status(&good).await.progress,
            Progress::Done(confirmed())
        );
        assert_eq!(browser.greeted().await.as_deref(), Some("Ada"));
    }
}
