//! A validator that answers later: it is asked again when it says, and holds nothing meanwhile.

use crate::support::{Browser, Harness, Plan, ada, confirmed, rejected, token};
use std::time::Duration;
use vestibule::{
    caps::{Caps, Client},
    clock::Timestamp,
    confirmation::{Decided, Ending, Queued, Rejection, Stage, State},
    outcome::Outcome,
    publisher::Announcement,
    sign_ins::{Progress, Reception, Step},
    store::{ConfirmationQueue as _, ConfirmationStore as _, SessionStore as _},
    testing::Question,
    timing::Timing,
    token::Token,
    validator::{Answer, ValidationError, Verdict},
};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const WAIT: Duration = Duration::from_mins(15);

fn later(ask_again: Duration) -> Result<Verdict, ValidationError> {
    Err(ValidationError::Later {
        ask_again,
        stage: None,
    })
}

/// Has the worker asked about a browser's link, which is answered with "later".
async fn begun_and_told_later(
    harness: &Harness,
    token: &Token,
    ask_again: Duration,
) -> (Browser, Question) {
    let browser = harness.begun(token).await;
    let question = harness.question().await;
    assert_eq!(question.deadline, harness.now() + MINUTE);
    (
        browser,
        told_later(
            harness,
            question,
            ask_again,
            Some(Step::Later { stage: None }),
        )
        .await,
    )
}

/// Answers with "later", and returns the question that follows when it is due, and not before.
async fn told_later(
    harness: &Harness,
    question: Question,
    ask_again: Duration,
    told: Option<Step>,
) -> Question {
    let id = question.id;
    question.answer(later(ask_again));
    if let Some(step) = told {
        assert_eq!(harness.announced().await.1, Announcement::Progress(step));
    }
    harness.everything_before_is_done().await;
    harness.advance(ask_again.saturating_sub(Duration::from_millis(1)));
    harness.everything_before_is_done().await;
    harness.advance(Duration::from_millis(1));
    let again = harness.question().await;
    assert_eq!(again.id, id, "the id is the idempotency key");
    again
}

async fn queued(harness: &Harness, browser: &Browser, token: &Token) -> (Queued, Timestamp) {
    let confirmation = harness.confirmation(browser, token).await;
    match confirmation.state {
        State::Queued(queued) => (queued, confirmation.deadline),
        other => panic!("it is decided: {other:?}"),
    }
}

#[tokio::test]
async fn it_is_asked_the_same_when_it_says_and_the_page_is_told_once() {
    let harness = Harness::open().await;
    let link = token("link");
    harness.start_worker();
    let deadline = harness.now() + WAIT;
    let (mut browser, question) = begun_and_told_later(&harness, &link, 30 * SECOND).await;
    let waiting = Progress::Waiting(Step::Later { stage: None });
    assert_eq!(question.deadline, deadline);
    assert_eq!(browser.status(&link).await.progress, waiting);
    let question = told_later(&harness, question, MINUTE, None).await;
    assert_eq!(question.deadline, deadline, "it moves once");
    let (queued, stored) = queued(&harness, &browser, &link).await;
    assert_eq!((queued.failed, stored), (0, deadline));
    assert_eq!(browser.status(&link).await.progress, waiting);
    question.answer(Ok(Verdict::Valid(ada(), None)));
    assert_eq!(
        harness.announced().await,
        (browser.channel(&link), Announcement::Outcome(confirmed()))
    );
    assert_eq!(browser.greeted().await.as_deref(), Some("Ada"));
}

#[tokio::test]
async fn while_it_waits_its_place_is_another_ones() {
    let harness = Harness::built(Plan {
        in_flight: 1,
        ..Plan::default()
    })
    .await;
    let worker = harness.start_worker();
    harness.begun(&token("first")).await;
    harness.begun(&token("second")).await;
    let one = harness.question().await;
    let id = one.id;
    one.answer(later(30 * SECOND));
    let other = harness.question().await;
    assert_ne!(other.id, id);
    other.answer(Ok(Verdict::Valid(ada(), None)));
    assert_eq!(harness.outcome().await, confirmed());
    worker.stop();
    worker.stopped().await;
}

#[tokio::test]
async fn fifty_later_answers_do_not_open_the_breaker() {
    let harness = Harness::built(Plan {
        in_flight: 10,
        ..Plan::default()
    })
    .await;
    harness.start_worker();
    for number in 0..50 {
        harness.begun(&token(&format!("link-{number}"))).await;
        harness
            .question()
            .await
            .answer(later(Duration::from_mins(10)));
        let told = Announcement::Progress(Step::Later { stage: None });
        assert_eq!(harness.announced().await.1, told);
    }
    // All places are there at once.
    let mut questions = Vec::new();
    for number in 0..10 {
        harness.begun(&token(&format!("more-{number}"))).await;
        questions.push(harness.question().await);
    }
}

#[tokio::test]
async fn later_for_ever_is_unavailable_when_the_wait_is_over() {
    let harness = Harness::open().await;
    let link = token("link");
    harness.start_worker();
    let deadline = harness.now() + WAIT;
    let (browser, mut question) = begun_and_told_later(&harness, &link, 4 * MINUTE).await;
    for _ in 0..2 {
        question = told_later(&harness, question, 4 * MINUTE, None).await;
    }
    // The next would be due a minute too late.
    question.answer(later(4 * MINUTE));
    harness.everything_before_is_done().await;
    let (queued, _) = queued(&harness, &browser, &link).await;
    assert_eq!(queued.due_at, deadline);
    let session = harness.confirmation(&browser, &link).await.session;
    assert!(harness.store.session(session).await.unwrap().is_some());
    harness.advance(deadline.since(harness.now()));
    assert_eq!(
        harness.outcome_without_a_question().await,
        Outcome::Unavailable
    );
    let decided = Decided {
        ending: Ending::Unavailable,
        at: deadline,
    };
    let confirmation = harness.confirmation(&browser, &link).await;
    assert_eq!(confirmation.state, State::Settled(decided));
    assert_eq!(harness.store.session(session).await.unwrap(), None);
}

#[tokio::test]
async fn a_cancel_while_it_waits_stands_against_the_later_verdict() {
    let harness = Harness::open().await;
    let link = token("link");
    let worker = harness.start_worker();
    let cancelled = Progress::Done(rejected(Rejection::Cancelled));
    // One cancels before it is asked again, the other while it is.
    let waiting = harness.begun(&link).await;
    harness.question().await.answer(later(MINUTE));
    harness.announced().await;
    waiting.cancel(&link).await;
    harness.announced().await;
    let (mut asked, question) = begun_and_told_later(&harness, &link, MINUTE).await;
    asked.cancel(&link).await;
    question.answer(Ok(Verdict::Valid(ada(), None)));
    worker.stop();
    worker.stopped().await;
    assert!(harness.validator.try_next().await.is_none());
    for browser in [&waiting, &asked] {
        assert_eq!(browser.status(&link).await.progress, cancelled);
    }
    assert_eq!(asked.greeted().await, None);
}

#[tokio::test]
async fn a_later_answer_to_a_cancelled_one_changes_nothing() {
    let harness = Harness::open().await;
    let link = token("link");
    let worker = harness.start_worker();
    let browser = harness.begun(&link).await;
    let question = harness.question().await;
    browser.cancel(&link).await;
    harness.announced().await;
    let before = harness.confirmation(&browser, &link).await;
    question.answer(later(MINUTE));
    worker.stop();
    worker.stopped().await;
    assert_eq!(harness.confirmation(&browser, &link).await, before);
}

#[tokio::test]
async fn a_failure_after_it_is_retried_until_the_moved_deadline() {
    let harness = Harness::open().await;
    let link = token("link");
    harness.start_worker();
    let deadline = harness.now() + WAIT;
    let (browser, mut question) = begun_and_told_later(&harness, &link, 2 * MINUTE).await;
    for failed in 1..=3 {
        question.answer(Err(ValidationError::temporary("503")));
        harness.everything_before_is_done().await;
        let (queued, stored) = queued(&harness, &browser, &link).await;
        assert_eq!((queued.failed, stored), (failed, deadline));
        // The page goes on saying that it may take longer.
        let waiting = Progress::Waiting(Step::Later { stage: None });
        assert_eq!(browser.status(&link).await.progress, waiting);
        harness.advance(queued.due_at.since(harness.now()));
        question = harness.question().await;
    }
    harness.advance(deadline.since(harness.now()));
    drop(question);
    assert_eq!(harness.outcome().await, Outcome::Unavailable);
    let confirmation = harness.confirmation(&browser, &link).await;
    let decided = Decided {
        ending: Ending::Unavailable,
        at: deadline,
    };
    assert_eq!(confirmation.state, State::Settled(decided));
}

#[tokio::test]
async fn a_wait_that_is_no_longer_than_the_deadline_moves_nothing() {
    let harness = Harness::with(Timing {
        wait: MINUTE,
        ..Timing::default()
    })
    .await;
    let link = token("link");
    harness.start_worker();
    let deadline = harness.now() + MINUTE;
    harness.begun(&link).await;
    harness.question().await.answer(later(50 * SECOND));
    harness.announced().await;
    harness.advance(50 * SECOND);
    let question = harness.question().await;
    assert_eq!(question.deadline, deadline);
    question.answer(later(50 * SECOND));
    harness.everything_before_is_done().await;
    assert_eq!(harness.store.next_due().await.unwrap(), Some(deadline));
}

async fn within(caps: Caps) -> Harness {
    Harness::built(Plan {
        caps,
        ..Plan::default()
    })
    .await
}

#[tokio::test]
async fn half_of_what_a_client_may_begin_may_take_longer_and_the_rest_has_its_own_deadline() {
    let harness = within(Caps {
        of_client: 3,
        ..Caps::default()
    })
    .await;
    harness.start_worker();
    let client = Client::from_bytes([7; 16]);
    let begin = async |name: &str| {
        let link = token(name);
        let begun = harness.sign_ins.begin(&link, None, false, client, None);
        begun.await.unwrap();
        harness.question().await
    };
    let waiting = [begin("1").await, begin("2").await];
    let third = begin("3").await;
    let deadline = third.deadline;
    for question in waiting {
        question.answer(later(10 * MINUTE));
        let step = Step::Later { stage: None };
        assert_eq!(harness.announced().await.1, Announcement::Progress(step));
    }
    let id = third.id;
    third.answer(later(30 * SECOND));
    harness.everything_before_is_done().await;
    let handed_back = harness.store.confirmation(id).await.unwrap().unwrap();
    assert_eq!(handed_back.deadline, deadline);
    let State::Queued(queued) = handed_back.state else {
        panic!("it is undecided");
    };
    assert_eq!((queued.failed, queued.later, queued.lease), (0, None, None));
    assert_eq!(queued.due_at, harness.now() + 30 * SECOND);
    harness.advance(30 * SECOND);
    let again = harness.question().await;
    assert_eq!((again.id, again.deadline), (id, deadline));
    let call = Answer::Pending(Some(Stage::Almost));
    let received = harness.sign_ins.receive(id, call).await.unwrap();
    assert_eq!(received, Reception::NoRoom);
    // Others are not kept from it.
    let other = harness.begun(&token("of-another")).await;
    harness.question().await.answer(later(10 * MINUTE));
    let (told, step) = harness.announced().await;
    assert_eq!(told, other.channel(&token("of-another")));
    let later_step = Step::Later { stage: None };
    assert_eq!(step, Announcement::Progress(later_step));
    again.answer(later(10 * MINUTE));
    harness.everything_before_is_done().await;
    harness.advance(30 * SECOND);
    assert_eq!(harness.outcome().await, Outcome::Unavailable);
}

#[tokio::test]
async fn half_of_all_may_take_longer() {
    let harness = within(Caps {
        in_all: 4,
        ..Caps::default()
    })
    .await;
    harness.start_worker();
    for number in 0..2 {
        harness.begun(&token(&format!("link-{number}"))).await;
        harness.question().await.answer(later(10 * MINUTE));
        harness.announced().await;
    }
    harness.begun(&token("third")).await;
    let question = harness.question().await;
    let id = question.id;
    question.answer(later(10 * MINUTE));
    harness.everything_before_is_done().await;
    let stored = harness.store.confirmation(id).await.unwrap().unwrap();
    assert_eq!(stored.later(), None);
}

#[tokio::test]
async fn a_verdict_after_the_longest_wait_finds_the_pending_session_and_its_cookie() {
    let timing = Timing {
        wait: Duration::from_hours(7 * 24),
        bound: Duration::from_hours(7 * 24),
        ..Timing::default()
    };
    let harness = Harness::with(timing.clone()).await;
    let link = token("link");
    harness.start_worker();
    let mut browser = harness.browser();
    browser.land(&link);
    harness.advance(timing.begin_within);
    browser.begin(&link).await;
    let almost = timing.wait.saturating_sub(SECOND);
    let question = harness.question().await;
    let question = told_later(
        &harness,
        question,
        almost,
        Some(Step::Later { stage: None }),
    )
    .await;
    harness.store.sweep_sessions(harness.now()).await.unwrap();
    question.answer(Ok(Verdict::Valid(ada(), None)));
    assert_eq!(harness.outcome().await, confirmed());
    // The page was closed, and the link is opened again in the same browser.
    harness.advance(timing.bound.saturating_sub(SECOND));
    assert!(!browser.land(&link), "its cookie is good");
    assert_eq!(
        browser.begin(&link).await.progress,
        Progress::Done(confirmed())
    );
    assert_eq!(browser.greeted().await.as_deref(), Some("Ada"));
}
