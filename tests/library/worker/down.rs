//! A validator that is down: it never counts as "invalid", and no one loses a session by it before
//! the deadline.

use crate::support::{Browser, House, WatchedClock, ada, keys, token};
use sqlx::Row as _;
use std::{sync::Arc, time::Duration};
use vestibule::{
    clock::Timestamp,
    confirmation::{Decided, Ending, State},
    outcome::Outcome,
    publisher::Announcement,
    session::SessionState,
    store::{ConfirmationQueue as _, SessionStore as _},
    testing::Question,
    timing::Timing,
    token::Token,
    validator::{ValidationError, Verdict},
    vestibule::{Progress, Step},
    worker::Tools,
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

async fn assert_still_pending(house: &House, browser: &Browser, token: &Token) {
    let session = house.confirmation(browser, token).await.session;
    let session = house
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
        let house = House::open().await;
        let down = token("down");
        house.start_worker();
        let browser = house.begun(&down).await;
        let deadline = house.now() + house.tools.timing.deadline;
        for attempt in 2..=3 {
            let _unanswered = fail(house.question().await, &house.clock);
            assert_eq!(
                house.announced().await.1,
                Announcement::Progress(Step::Retrying { attempt })
            );
            assert_still_pending(&house, &browser, &down).await;
            house.advance(SECOND);
        }
        house.advance(deadline.since(house.now()));
        assert_eq!(
            outcome_of_whatever_is_asked(&house).await,
            Outcome::Unavailable
        );
        let session = house.confirmation(&browser, &down).await.session;
        assert_eq!(house.store.session(session).await.unwrap(), None);
    }
}

/// The next outcome, with every question left unanswered until it comes.
async fn outcome_of_whatever_is_asked(house: &House) -> Outcome {
    let mut unanswered = Vec::new();
    loop {
        tokio::select! {
            outcome = house.outcome() => return outcome,
            question = house.validator.next() => unanswered.push(question),
        }
    }
}

#[tokio::test]
async fn a_validator_that_comes_back_in_time_signs_the_browser_in() {
    let house = House::open().await;
    let flaky = token("flaky");
    house.start_worker();
    let mut browser = house.begun(&flaky).await;
    for fail in FAILURES {
        let _unanswered = fail(house.question().await, &house.clock);
        house.announced().await;
        house.advance(4 * SECOND);
    }
    house.question().await.answer(Ok(Verdict::Valid(ada())));
    assert!(matches!(house.outcome().await, Outcome::Confirmed { .. }));
    assert_eq!(browser.greeted().await.as_deref(), Some("Ada"));
}

#[tokio::test]
async fn a_question_that_is_never_answered_is_unavailable_exactly_at_the_deadline() {
    let timing = Timing {
        attempt: Duration::from_mins(5),
        lease: Duration::from_mins(6),
        ..Timing::default()
    };
    let house = House::with(timing).await;
    let down = token("down");
    house.start_worker();
    let browser = house.begun(&down).await;
    let deadline = house.now() + Duration::from_mins(1);
    let _never_answered = house.question().await;
    house.advance(Duration::from_millis(59_999));
    house.everything_before_is_done().await;
    assert_still_pending(&house, &browser, &down).await;
    house.advance(Duration::from_millis(1));
    assert_eq!(house.outcome().await, Outcome::Unavailable);
    assert_unavailable_since(&house, &browser, &down, deadline).await;
}

#[tokio::test]
async fn attempts_that_run_out_of_time_are_repeated_until_the_deadline_and_no_longer() {
    let timing = Timing {
        deadline: 25 * SECOND,
        ..Timing::default()
    };
    let house = House::with(timing).await;
    let down = token("down");
    house.start_worker();
    let browser = house.begun(&down).await;
    let deadline = house.now() + 25 * SECOND;
    let mut unanswered = Vec::new();
    for attempt in 2..=3 {
        unanswered.push(house.question().await);
        house.advance(10 * SECOND);
        assert_eq!(
            house.announced().await.1,
            Announcement::Progress(Step::Retrying { attempt })
        );
        let due = house
            .store
            .next_due()
            .await
            .unwrap()
            .expect("it is still queued");
        house.advance(due.since(house.now()));
    }
    unanswered.push(house.question().await);
    house.advance(deadline.since(house.now()));
    assert_eq!(
        house.announced().await.1,
        Announcement::Outcome(Outcome::Unavailable)
    );
    assert_unavailable_since(&house, &browser, &down, deadline).await;
}

async fn assert_unavailable_since(house: &House, browser: &Browser, token: &Token, at: Timestamp) {
    let decided = Decided {
        ending: Ending::Unavailable,
        at,
    };
    assert_eq!(
        house.confirmation(browser, token).await.state,
        State::Settled(decided)
    );
    assert_eq!(
        browser.status(token).await.progress,
        Progress::Done(Outcome::Unavailable)
    );
}

#[tokio::test]
async fn a_pause_that_the_validator_asks_for_is_kept() {
    let house = House::open().await;
    let busy = token("busy");
    house.start_worker();
    house.begun(&busy).await;
    let retry_after = Some(20 * SECOND);
    house
        .question()
        .await
        .answer(Err(ValidationError::Throttled { retry_after }));
    house.announced().await;
    assert_eq!(
        house.store.next_due().await.unwrap(),
        Some(house.now() + 20 * SECOND)
    );
}

#[tokio::test]
async fn a_pause_past_the_deadline_is_cut_short_by_it() {
    let house = House::open().await;
    let busy = token("busy");
    house.start_worker();
    let browser = house.begun(&busy).await;
    let deadline = house.now() + Duration::from_mins(1);
    let retry_after = Some(Duration::from_hours(1));
    house
        .question()
        .await
        .answer(Err(ValidationError::Temporary {
            what: "503".into(),
            retry_after,
        }));
    house.everything_before_is_done().await;
    assert_still_pending(&house, &browser, &busy).await;
    house.advance(deadline.since(house.now()));
    assert_eq!(house.outcome().await, Outcome::Unavailable);
    assert_unavailable_since(&house, &browser, &busy, deadline).await;
}

#[tokio::test]
async fn a_confirmation_that_no_worker_took_in_time_is_unavailable_without_asking() {
    let house = House::open().await;
    let late = token("late");
    let browser = house.begun(&late).await;
    house.advance(Duration::from_mins(1));
    house.start_worker();
    assert_eq!(
        house.outcome_without_a_question().await,
        Outcome::Unavailable
    );
    assert_eq!(
        browser.status(&late).await.progress,
        Progress::Done(Outcome::Unavailable)
    );
}

#[tokio::test]
async fn a_token_sealed_under_a_key_that_is_lost_is_unavailable() {
    let house = House::open().await;
    let sealed = token("sealed");
    house.start_worker_with(Tools {
        keys: Arc::new(keys(&[8])),
        ..house.tools.clone()
    });
    house.begun(&sealed).await;
    assert_eq!(
        house.outcome_without_a_question().await,
        Outcome::Unavailable
    );
}

#[tokio::test]
async fn a_token_sealed_before_the_keys_were_rotated_is_still_opened() {
    let house = House::open().await;
    let sealed = token("sealed");
    house.begun(&sealed).await;
    house.start_worker_with(Tools {
        keys: Arc::new(keys(&[8, 7])),
        ..house.tools.clone()
    });
    assert_eq!(house.question().await.token, sealed);
}

#[tokio::test]
async fn a_sealed_token_moved_to_another_confirmation_confirms_neither() {
    let house = House::open().await;
    let mine = token("mine");
    let yours = token("yours");
    let one = house.begun(&mine).await;
    let two = house.begun(&yours).await;
    let ids = [
        house.confirmation(&one, &mine).await.id,
        house.confirmation(&two, &yours).await.id,
    ];
    let mut raw = house.raw().await;
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
    house.start_worker();
    for _ in ids {
        assert_eq!(
            house.outcome_without_a_question().await,
            Outcome::Unavailable
        );
    }
}
