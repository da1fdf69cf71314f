//! From the validator's answer to what the browser is told.

use crate::support::{Harness, ada, confirmed, rejected, token};
use std::time::Duration;
use vestibule::{
    channel::Channel,
    confirmation::{Decided, Ending, Rejection, State},
    outcome::Outcome,
    publisher::{Announcement, PublishError},
    sign_ins::{Progress, Step},
    store::SessionStore as _,
    validator::{Reason, ValidationError, Verdict},
};

#[tokio::test]
async fn a_good_token_signs_in_its_user() {
    let harness = Harness::open().await;
    let good = token("good");
    harness.start_worker();
    let mut browser = harness.begun(&good).await;
    let question = harness.question().await;
    assert_eq!(question.token, good);
    assert_eq!(question.id, harness.confirmation(&browser, &good).await.id);
    assert_eq!(
        browser.status(&good).await.progress,
        Progress::Waiting(Step::Contacting)
    );
    question.answer(Ok(Verdict::Valid(ada(), None)));
    let announced = harness.announced().await;
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
        let harness = Harness::open().await;
        let bad = token("bad");
        harness.start_worker();
        let mut browser = harness.begun(&bad).await;
        harness
            .question()
            .await
            .answer(Ok(Verdict::Invalid(reason)));
        let outcome = rejected(rejection);
        assert_eq!(
            harness.announced().await,
            (
                browser.channel(&bad),
                Announcement::Outcome(outcome.clone())
            )
        );
        assert_eq!(browser.status(&bad).await.progress, Progress::Done(outcome));
        let session = harness.confirmation(&browser, &bad).await.session;
        assert_eq!(harness.store.session(session).await.unwrap(), None);
        assert_eq!(browser.greeted().await, None);
    }
}

#[tokio::test]
async fn the_outcome_is_announced_on_the_channel_that_begin_has_named() {
    let harness = Harness::open().await;
    let good = token("good");
    harness.start_worker();
    let mut browser = harness.browser();
    browser.land(&good);
    let channel: Option<Channel> = browser.begin(&good).await.channel;
    harness
        .question()
        .await
        .answer(Ok(Verdict::Valid(ada(), None)));
    assert_eq!(Some(harness.announced().await.0), channel);
    assert_eq!(browser.status(&good).await.channel, channel);
}

#[tokio::test]
async fn two_browsers_with_one_link_have_two_confirmations_and_two_channels() {
    let harness = Harness::open().await;
    let shared = token("shared");
    harness.start_worker();
    let one = harness.begun(&shared).await;
    let two = harness.begun(&shared).await;
    assert_ne!(one.channel(&shared), two.channel(&shared));
    let first = harness.question().await;
    let second = harness.question().await;
    assert_ne!(first.id, second.id);
    let (of_one, of_two) = if first.id == harness.confirmation(&one, &shared).await.id {
        (first, second)
    } else {
        (second, first)
    };
    of_one.answer(Ok(Verdict::Valid(ada(), None)));
    assert_eq!(harness.announced().await.0, one.channel(&shared));
    of_two.answer(Ok(Verdict::Invalid(Reason::Used)));
    assert_eq!(harness.announced().await.0, two.channel(&shared));
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
    let harness = Harness::open().await;
    let flaky = token("flaky");
    harness.start_worker();
    let browser = harness.begun(&flaky).await;
    let first = harness.question().await;
    let id = first.id;
    first.answer(Err(ValidationError::temporary("503")));
    let retrying = Announcement::Progress(Step::Retrying { attempt: 2 });
    assert_eq!(
        harness.announced().await,
        (browser.channel(&flaky), retrying)
    );
    assert_eq!(
        browser.status(&flaky).await.progress,
        Progress::Waiting(Step::Retrying { attempt: 2 })
    );
    harness.advance(Duration::from_millis(500));
    let second = harness.question().await;
    assert_eq!(second.id, id, "the id is the idempotency key");
    assert_eq!(
        browser.status(&flaky).await.progress,
        Progress::Waiting(Step::Retrying { attempt: 2 })
    );
    second.answer(Ok(Verdict::Valid(ada(), None)));
    assert_eq!(harness.outcome().await, confirmed());
}

#[tokio::test]
async fn a_permanent_error_is_unavailable_at_once_and_never_invalid() {
    let harness = Harness::open().await;
    let token = token("t");
    harness.start_worker();
    let browser = harness.begun(&token).await;
    harness
        .question()
        .await
        .answer(Err(ValidationError::Permanent { what: "401".into() }));
    assert_eq!(harness.outcome().await, Outcome::Unavailable);
    assert_eq!(
        browser.status(&token).await.progress,
        Progress::Done(Outcome::Unavailable)
    );
    let decided = Decided {
        ending: Ending::Unavailable,
        at: harness.now(),
    };
    assert_eq!(
        harness.confirmation(&browser, &token).await.state,
        State::Settled(decided)
    );
}

#[tokio::test]
async fn a_publisher_that_fails_changes_nothing_but_the_hint() {
    for retry in [true, false] {
        let harness = Harness::open().await;
        let good = token("good");
        let worker = harness.start_worker();
        harness.publisher.fail(Some(PublishError {
            what: "no Pusher server".into(),
            retry,
        }));
        let mut browser = harness.begun(&good).await;
        harness
            .question()
            .await
            .answer(Ok(Verdict::Valid(ada(), None)));
        worker.stop();
        worker.stopped().await;
        assert_eq!(
            browser.status(&good).await.progress,
            Progress::Done(confirmed())
        );
        assert_eq!(browser.greeted().await.as_deref(), Some("Ada"));
    }
}

/// Where a browser is led by an outcome.
fn leads_to(progress: &Progress) -> &str {
    match progress {
        Progress::Done(Outcome::Confirmed { redirect }) => redirect.as_str(),
        other => panic!("it is not confirmed: {other:?}"),
    }
}

#[tokio::test]
async fn a_sign_in_leads_to_where_the_verdict_says_or_else_the_link() {
    for (of_link, of_verdict, leads) in [
        (None, None, "/profile"),
        (Some("/orders?a=1"), None, "/enter?next=%2Forders%3Fa%3D1"),
        (None, Some("/welcome"), "/enter?next=%2Fwelcome"),
        (Some("/orders"), Some("/welcome"), "/enter?next=%2Fwelcome"),
        (Some("/orders"), Some("/logout"), "/enter?next=%2Forders"),
        (None, Some("/logout"), "/profile"),
        (Some("/profile/password"), None, "/profile/password"),
    ] {
        let harness = Harness::open().await;
        let good = token("good");
        harness.start_worker();
        let mut browser = harness.browser();
        browser.land(&good);
        match of_link {
            Some(next) => browser.begin_leading_to(&good, next).await,
            None => browser.begin(&good).await,
        };
        let next = of_verdict.map(|next| next.parse().unwrap());
        let question = harness.question().await;
        question.answer(Ok(Verdict::Valid(ada(), next)));
        let (_, announced) = harness.announced().await;
        let Announcement::Outcome(outcome) = announced else {
            panic!("{announced:?}")
        };
        assert_eq!(leads_to(&Progress::Done(outcome)), leads);
        let told = browser.status(&good).await.progress;
        assert_eq!(leads_to(&told), leads);
        // A second tab that asks after the first one has its session.
        let mut tab = browser.clone();
        assert!(browser.greeted().await.is_some());
        tab.session.clone_from(&browser.session);
        tab.plant(&good, "");
        assert_eq!(leads_to(&tab.status(&good).await.progress), leads);
    }
}

#[tokio::test]
async fn a_sign_in_that_is_begun_once_more_leads_to_the_same_place() {
    let harness = Harness::open().await;
    let good = token("good");
    let mut browser = harness.browser();
    browser.land(&good);
    browser.begin_leading_to(&good, "/orders").await;
    browser.cancel(&good).await;
    harness.announced().await;
    browser.begin_again(&good).await;
    harness.start_worker();
    let question = harness.question().await;
    question.answer(Ok(Verdict::Valid(ada(), None)));
    harness.announced().await;
    let told = browser.status(&good).await.progress;
    assert_eq!(leads_to(&told), "/enter?next=%2Forders");
}
