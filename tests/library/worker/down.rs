//! A validator that is down: it never counts as "invalid", and no one loses a session by it before
//! the deadline.

use crate::support::{Browser, Harness, WatchedClock, ada, keys, token};
use sqlx::Row as _;
use std::{sync::Arc, time::Duration};
use vestibule::{
    clock::Timestamp,
    confirmation::{Decided, Ending, State},
    outcome::Outcome,
    publisher::Announcement,
    session::SessionState,
    sign_ins::{Progress, Step},
    store::{ConfirmationQueue as _, SessionStore as _},
    testing::Question,
    timing::Timing,
    token::Token,
    validator::{ValidationError, Verdict},
    worker::Environment,
};

/// The ways in which a validator can fail to answer. What is returned stays unanswered.
const FAILURES: [fn(Question, &WatchedClock) -> Option<Question>; 4] = [
    |question, _| {
        question.answer(Err(ValidationError::temporary("503")));
        None
    },
    |question, _| {
        question.answer(Err(ValidationError::Throttled {
            retry_after: Some(SECOND),
        }));
        None
    },
    |broken_off, _| {
        drop(broken_off);
        None
    },
    |question, clock| {
        clock.advance(Timing::default().attempt);
        Some(question)
    },
];

const SECOND: Duration = Duration::from_secs(1);

async fn assert_still_pending(harness: &Harness, browser: &Browser, token: &Token) {
    let session = harness.confirmation(browser, token).await.session;
    let session = harness
        .store
        .session(session)
        .await
        .unwrap()
        .expect("the session is not deleted");
    assert!(matches!(session.state, SessionState::Pending { .. }));
    let progress = browser.status(token).await.progress;
    assert!(
        !matches!(progress, Progress::Done(_)),
        "{progress:?} before the deadline"
    );
}

#[tokio::test]
async fn a_validator_that_is_down_rejects_no_one_and_deletes_no_session_before_the_deadline() {
    for fail in FAILURES {
        let harness = Harness::open().await;
        let down = token("down");
        harness.start_worker();
        let browser = harness.begun(&down).await;
        let deadline = harness.now() + harness.environment.timing.deadline;
        for attempt in 2..=3 {
            let _unanswered = fail(harness.question().await, &harness.clock);
            assert_eq!(
                harness.announced().await.1,
                Announcement::Progress(Step::Retrying { attempt })
            );
            assert_still_pending(&harness, &browser, &down).await;
            harness.advance(SECOND);
        }
        harness.advance(deadline.since(harness.now()));
        assert_eq!(
            outcome_of_whatever_is_asked(&harness).await,
            Outcome::Unavailable
        );
        let session = harness.confirmation(&browser, &down).await.session;
        assert_eq!(harness.store.session(session).await.unwrap(), None);
    }
}

/// The next outcome, with every question left unanswered until it comes.
async fn outcome_of_whatever_is_asked(harness: &Harness) -> Outcome {
    let mut unanswered = Vec::new();
    loop {
        tokio::select! {
            outcome = harness.outcome() => return outcome,
            question = harness.validator.next() => unanswered.push(question),
        }
    }
}

#[tokio::test]
async fn a_validator_that_comes_back_in_time_signs_the_browser_in() {
    let harness = Harness::open().await;
    let flaky = token("flaky");
    harness.start_worker();
    let mut browser = harness.begun(&flaky).await;
    for fail in FAILURES {
        let _unanswered = fail(harness.question().await, &harness.clock);
        harness.announced().await;
        harness.advance(4 * SECOND);
    }
    harness
        .question()
        .await
        .answer(Ok(Verdict::Valid(ada(), None)));
    assert!(matches!(harness.outcome().await, Outcome::Confirmed { .. }));
    assert_eq!(browser.greeted().await.as_deref(), Some("Ada"));
}

#[tokio::test]
async fn a_question_that_is_never_answered_is_unavailable_exactly_at_the_deadline() {
    let timing = Timing {
        attempt: Duration::from_mins(5),
        lease: Duration::from_mins(6),
        ..Timing::default()
    };
    let harness = Harness::with(timing).await;
    let down = token("down");
    harness.start_worker();
    let browser = harness.begun(&down).await;
    let deadline = harness.now() + Duration::from_mins(1);
    let _never_answered = harness.question().await;
    harness.advance(Duration::from_millis(59_999));
    harness.everything_before_is_done().await;
    assert_still_pending(&harness, &browser, &down).await;
    harness.advance(Duration::from_millis(1));
    assert_eq!(harness.outcome().await, Outcome::Unavailable);
    assert_unavailable_since(&harness, &browser, &down, deadline).await;
}

#[tokio::test]
async fn attempts_that_run_out_of_time_are_repeated_until_the_deadline_and_no_longer() {
    let timing = Timing {
        deadline: 25 * SECOND,
        ..Timing::default()
    };
    let harness = Harness::with(timing).await;
    let down = token("down");
    harness.start_worker();
    let browser = harness.begun(&down).await;
    let deadline = harness.now() + 25 * SECOND;
    let mut unanswered = Vec::new();
    for attempt in 2..=3 {
        unanswered.push(harness.question().await);
        harness.advance(10 * SECOND);
        assert_eq!(
            harness.announced().await.1,
            Announcement::Progress(Step::Retrying { attempt })
        );
        let due = harness
            .store
            .next_due()
            .await
            .unwrap()
            .expect("it is still queued");
        harness.advance(due.since(harness.now()));
    }
    unanswered.push(harness.question().await);
    harness.advance(deadline.since(harness.now()));
    assert_eq!(
        harness.announced().await.1,
        Announcement::Outcome(Outcome::Unavailable)
    );
    assert_unavailable_since(&harness, &browser, &down, deadline).await;
}

async fn assert_unavailable_since(
    harness: &Harness,
    browser: &Browser,
    token: &Token,
    at: Timestamp,
) {
    let decided = Decided {
        ending: Ending::Unavailable,
        at,
    };
    assert_eq!(
        harness.confirmation(browser, token).await.state,
        State::Settled(decided)
    );
    assert_eq!(
        browser.status(token).await.progress,
        Progress::Done(Outcome::Unavailable)
    );
}

#[tokio::test]
async fn a_pause_that_the_validator_asks_for_is_kept() {
    let harness = Harness::open().await;
    let busy = token("busy");
    harness.start_worker();
    harness.begun(&busy).await;
    let retry_after = Some(20 * SECOND);
    harness
        .question()
        .await
        .answer(Err(ValidationError::Throttled { retry_after }));
    harness.announced().await;
    assert_eq!(
        harness.store.next_due().await.unwrap(),
        Some(harness.now() + 20 * SECOND)
    );
}

#[tokio::test]
async fn a_pause_past_the_deadline_is_cut_short_by_it() {
    let harness = Harness::open().await;
    let busy = token("busy");
    harness.start_worker();
    let browser = harness.begun(&busy).await;
    let deadline = harness.now() + Duration::from_mins(1);
    let retry_after = Some(Duration::from_hours(1));
    harness
        .question()
        .await
        .answer(Err(ValidationError::Temporary {
            what: "503".into(),
            retry_after,
        }));
    harness.everything_before_is_done().await;
    assert_still_pending(&harness, &browser, &busy).await;
    harness.advance(deadline.since(harness.now()));
    assert_eq!(harness.outcome().await, Outcome::Unavailable);
    assert_unavailable_since(&harness, &browser, &busy, deadline).await;
}

#[tokio::test]
async fn a_confirmation_that_no_worker_took_in_time_is_unavailable_without_asking() {
    let harness = Harness::open().await;
    let late = token("late");
    let browser = harness.begun(&late).await;
    harness.advance(Duration::from_mins(1));
    harness.start_worker();
    assert_eq!(
        harness.outcome_without_a_question().await,
        Outcome::Unavailable
    );
    assert_eq!(
        browser.status(&late).await.progress,
        Progress::Done(Outcome::Unavailable)
    );
}

#[tokio::test]
async fn a_token_sealed_under_a_key_that_is_lost_is_unavailable() {
    let harness = Harness::open().await;
    let sealed = token("sealed");
    harness.start_worker_with(Environment {
        keys: Arc::new(keys(&[8])),
        ..harness.environment.clone()
    });
    harness.begun(&sealed).await;
    assert_eq!(
        harness.outcome_without_a_question().await,
        Outcome::Unavailable
    );
}

#[tokio::test]
async fn a_token_sealed_before_the_keys_were_rotated_is_still_opened() {
    let harness = Harness::open().await;
    let sealed = token("sealed");
    harness.begun(&sealed).await;
    harness.start_worker_with(Environment {
        keys: Arc::new(keys(&[8, 7])),
        ..harness.environment.clone()
    });
    assert_eq!(harness.question().await.token, sealed);
}

#[tokio::test]
async fn a_sealed_token_moved_to_another_confirmation_confirms_neither() {
    let harness = Harness::open().await;
    let mine = token("mine");
    let yours = token("yours");
    let one = harness.begun(&mine).await;
    let two = harness.begun(&yours).await;
    let ids = [
        harness.confirmation(&one, &mine).await.id,
        harness.confirmation(&two, &yours).await.id,
    ];
    let mut raw = harness.raw().await;
    let mut sealed = Vec::new();
    for id in ids {
        let select = sqlx::query("select token from confirmations where id = ?")
            .bind(id.as_bytes().to_vec());
        sealed.push(
            select
                .fetch_one(&mut raw)
                .await
                .unwrap()
                .get::<Vec<u8>, _>(0),
        );
    }
    for (id, sealed) in ids.iter().zip(sealed.into_iter().rev()) {
        let update = sqlx::query("update confirmations set token = ? where id = ?").bind(sealed);
        update
            .bind(id.as_bytes().to_vec())
            .execute(&mut raw)
            .await
            .unwrap();
    }
    harness.start_worker();
    for _ in ids {
        assert_eq!(
            harness.outcome_without_a_question().await,
            Outcome::Unavailable
        );
    }
}
