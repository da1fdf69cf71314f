//! What an operator does about one confirmation, and what its browser and its validator see of it.

use crate::support::{Harness, ada, keys, rejected, soon, token};
use futures_util::FutureExt as _;
use std::{sync::Arc, time::Duration};
use vestibule::{
    confirmation::{CannotAskAgain, ConfirmationId, Ending, Rejection, State},
    operator::{AskedAgain, Cancelled, Operator},
    publisher::Announcement,
    secret::{LinkToken, SystemEntropy},
    sign_ins::{Progress, Step},
    store::{ConfirmationStore as _, SessionStore as _},
    validator::{Reason, ValidationError, Verdict},
};

fn operator(harness: &Harness) -> Operator {
    let environment = harness.environment.clone();
    Operator {
        stores: environment.stores,
        publisher: environment.publisher,
        clock: environment.clock,
        entropy: environment.entropy,
        keys: environment.keys,
        destinations: environment.destinations,
        timing: environment.timing,
    }
}

async fn cancel(harness: &Harness, id: ConfirmationId) -> Option<Cancelled> {
    operator(harness).cancel(id).await.unwrap()
}

async fn ask_again(harness: &Harness, id: ConfirmationId) -> Option<AskedAgain> {
    operator(harness).ask_again(id).await.unwrap()
}

const STRAY: ConfirmationId = ConfirmationId::from_bytes([9; 16]);

#[tokio::test]
async fn a_cancelled_confirmation_is_over_for_its_browser_and_for_the_worker() {
    let harness = Harness::open().await;
    let link = token("link");
    harness.start_worker();
    let browser = harness.begun(&link).await;
    let question = harness.question().await;
    assert_eq!(cancel(&harness, question.id).await, Some(Cancelled::Now));
    let cancelled = rejected(Rejection::Cancelled);
    assert_eq!(
        harness.announced().await,
        (
            browser.channel(&link),
            Announcement::Outcome(cancelled.clone())
        )
    );
    question.answer(Ok(Verdict::Valid(ada(), None)));
    harness.everything_before_is_done().await;
    assert_eq!(
        browser.status(&link).await.progress,
        Progress::Done(cancelled)
    );
    let confirmation = harness.confirmation(&browser, &link).await;
    let session = harness.store.session(confirmation.session).await.unwrap();
    assert_eq!(session, None);
}

#[tokio::test]
async fn a_sign_in_that_no_browser_has_got_is_taken_back() {
    let harness = Harness::open().await;
    let link = token("link");
    harness.start_worker();
    let mut browser = harness.bound(&link, ada()).await;
    let id = harness.confirmation(&browser, &link).await.id;
    assert_eq!(cancel(&harness, id).await, Some(Cancelled::Now));
    assert_eq!(harness.outcome().await, rejected(Rejection::Cancelled));
    browser.enter().await;
    assert!(browser.session.is_none());
}

#[tokio::test]
async fn a_sign_in_that_a_browser_has_got_stands_even_while_it_may_ask_for_it_again() {
    let harness = Harness::open().await;
    let link = token("link");
    harness.start_worker();
    let browser = harness.signed_in(&link).await;
    let secret = browser.session.as_ref().expect("it is signed in").hash();
    let session = harness.store.session_by_secret(&secret).await.unwrap();
    let former = session.and_then(|session| session.former());
    let former = former.expect("the exchange may be repeated").secret;
    let confirmation = harness.store.confirmation_by_secret(&former).await.unwrap();
    let confirmation = confirmation.expect("it is stored");
    let Some(Cancelled::DecidedBefore(decided)) = cancel(&harness, confirmation.id).await else {
        panic!("it stands")
    };
    assert!(matches!(decided.ending, Ending::Confirmed(_)));
    let session = harness.store.session_by_secret(&secret).await.unwrap();
    assert!(session.is_some(), "it is still signed in");
}

#[tokio::test]
async fn what_was_decided_before_stands_and_nothing_is_announced() {
    let harness = Harness::open().await;
    let link = token("link");
    harness.start_worker();
    let browser = harness.begun(&link).await;
    let question = harness.question().await;
    let id = question.id;
    question.answer(Ok(Verdict::Invalid(Reason::Used)));
    assert_eq!(harness.outcome().await, rejected(Rejection::Used));
    let Some(Cancelled::DecidedBefore(decided)) = cancel(&harness, id).await else {
        panic!("it stands")
    };
    assert_eq!(decided.ending, Ending::Rejected(Rejection::Used));
    assert!(harness.publisher.next().now_or_never().is_none());
    assert_eq!(
        harness.confirmation(&browser, &link).await.state,
        State::Settled(decided)
    );
    assert_eq!(
        ask_again(&harness, id).await,
        Some(AskedAgain::Not(CannotAskAgain::Decided(decided)))
    );
}

#[tokio::test]
async fn nothing_is_done_about_one_that_is_not_there() {
    let harness = Harness::open().await;
    assert_eq!(cancel(&harness, STRAY).await, None);
    assert_eq!(ask_again(&harness, STRAY).await, None);
}

#[tokio::test]
async fn a_validator_that_answers_later_is_asked_again_at_once() {
    let harness = Harness::open().await;
    let link = token("link");
    harness.start_worker();
    let browser = harness.begun(&link).await;
    let question = harness.question().await;
    let id = question.id;
    let until = harness.now() + harness.environment.timing.lease;
    assert_eq!(
        ask_again(&harness, id).await,
        Some(AskedAgain::Not(CannotAskAgain::BeingAsked(until)))
    );
    question.answer(Err(ValidationError::Later {
        ask_again: Duration::from_mins(10),
        stage: None,
    }));
    let told = Announcement::Progress(Step::Later { stage: None });
    assert_eq!(harness.announced().await.1, told);
    harness.everything_before_is_done().await;
    assert_eq!(ask_again(&harness, id).await, Some(AskedAgain::Now));
    harness.dispatch.wake();
    let again = harness.question().await;
    assert_eq!(again.id, id);
    again.answer(Ok(Verdict::Valid(ada(), None)));
    soon("the outcome", harness.outcome()).await;
    assert!(matches!(
        browser.status(&link).await.progress,
        Progress::Done(_)
    ));
}

#[tokio::test]
async fn no_validator_is_asked_about_one_that_is_due_overdue_ours_or_sealed_by_another_key() {
    let harness = Harness::open().await;
    let link = token("link");
    let browser = harness.begun(&link).await;
    let id = harness.confirmation(&browser, &link).await.id;
    let why = ask_again(&harness, id).await;
    assert_eq!(why, Some(AskedAgain::Not(CannotAskAgain::Due)));
    let stranger = Operator {
        keys: Arc::new(keys(&[8])),
        ..operator(&harness)
    };
    let sealed = stranger.ask_again(id).await.unwrap();
    assert_eq!(sealed, Some(AskedAgain::Sealed));
    let ours = LinkToken::generate(&SystemEntropy).token(&harness.environment.keys);
    let browser = harness.begun(&ours).await;
    let ours = harness.confirmation(&browser, &ours).await.id;
    let why = ask_again(&harness, ours).await;
    assert_eq!(why, Some(AskedAgain::LinkOfOurs));
    harness.advance(harness.environment.timing.deadline);
    let why = ask_again(&harness, id).await;
    assert_eq!(why, Some(AskedAgain::Not(CannotAskAgain::Overdue)));
}
