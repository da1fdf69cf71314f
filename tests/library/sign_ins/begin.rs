//! A begin is one confirmation for each pending secret, however often it is sent.

use crate::support::{Harness, ada, at, confirmed, rejected, token};
use std::{collections::HashSet, time::Duration};
use vestibule::{
    confirmation::{Rejection, Which},
    outcome::Outcome,
    session::SessionState,
    sign_ins::{Progress, Step},
    store::{ConfirmationQueue as _, SessionStore as _},
    validator::{Reason, ValidationError, Verdict},
};

#[tokio::test]
async fn a_begin_stores_a_queued_confirmation_and_a_session_that_signs_no_one_in() {
    let harness = Harness::open().await;
    let link = token("link");
    let mut browser = harness.browser();
    browser.land(&link);
    let report = browser.begin(&link).await;
    assert_eq!(report.progress, Progress::Waiting(Step::Queued));
    assert_eq!(report.channel, Some(browser.channel(&link)));
    let confirmation = harness.confirmation(&browser, &link).await;
    assert_eq!(
        confirmation.deadline,
        harness.now() + Duration::from_mins(1)
    );
    let session = harness
        .store
        .session(confirmation.session)
        .await
        .unwrap()
        .expect("it is stored with it");
    assert!(matches!(session.state, SessionState::Pending { .. }));
    assert!(session.expires_at > confirmation.deadline);
    assert_eq!(browser.greeted().await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_double_click_and_64_retries_are_one_confirmation() {
    let harness = Harness::open().await;
    let link = token("link");
    let mut browser = harness.browser();
    browser.land(&link);
    let begins: Vec<_> = (0..64)
        .map(|_| {
            let mut tab = browser.clone();
            let link = link.clone();
            tokio::spawn(async move {
                let channel = tab.begin(&link).await.channel;
                (
                    channel.map(|channel| channel.to_string()),
                    tab.cookie(&link).map(str::to_owned),
                )
            })
        })
        .collect();
    let mut told = HashSet::new();
    for begin in begins {
        told.insert(begin.await.unwrap());
    }
    assert_eq!(told.len(), 1, "one channel and one cookie");
    let claims = harness
        .store
        .claim(
            crate::support::worker(1),
            Which::Any,
            &100.into(),
            harness.now(),
            at(i64::MAX / 1000),
        )
        .await
        .unwrap();
    assert_eq!(claims.len(), 1);
}

#[tokio::test]
async fn a_begin_without_a_cookie_gets_one_and_begins() {
    let harness = Harness::open().await;
    let link = token("link");
    harness.start_worker();
    let mut browser = harness.browser();
    let report = browser.begin(&link).await;
    assert_eq!(report.channel, Some(browser.channel(&link)));
    harness
        .question()
        .await
        .answer(Ok(Verdict::Valid(ada(), None)));
    assert_eq!(harness.announced().await.0, browser.channel(&link));
    assert_eq!(browser.greeted().await.as_deref(), Some("Ada"));
}

#[tokio::test]
async fn a_begin_comes_within_an_hour_of_the_landing_or_with_a_fresh_secret() {
    for (late, replaced) in [(Duration::ZERO, false), (Duration::from_millis(1), true)] {
        let harness = Harness::open().await;
        let link = token("link");
        let mut browser = harness.browser();
        browser.land(&link);
        let landed_with = browser.pending(&link);
        harness.advance(Duration::from_hours(1) + late);
        assert_eq!(
            browser.begin(&link).await.progress,
            Progress::Waiting(Step::Queued)
        );
        assert_eq!(browser.pending(&link) != landed_with, replaced, "{late:?}");
        assert_eq!(
            browser.status(&link).await.progress,
            Progress::Waiting(Step::Queued)
        );
    }
}

#[tokio::test]
async fn what_has_begun_is_reported_however_late_it_is_asked_for() {
    let harness = Harness::open().await;
    let link = token("link");
    let mut browser = harness.begun(&link).await;
    let begun = browser.pending(&link);
    harness.advance(Duration::from_hours(1) + Duration::from_secs(1));
    browser.begin(&link).await;
    assert_eq!(browser.pending(&link), begun);
}

#[tokio::test]
async fn try_again_after_unavailable_is_a_fresh_confirmation() {
    let harness = Harness::open().await;
    let link = token("link");
    harness.start_worker();
    let mut browser = harness.begun(&link).await;
    harness
        .question()
        .await
        .answer(Err(ValidationError::Permanent { what: "401".into() }));
    assert_eq!(harness.outcome().await, Outcome::Unavailable);
    let before = browser.clone();
    assert_eq!(
        browser.begin(&link).await.progress,
        Progress::Done(Outcome::Unavailable),
        "a reload is no Try again"
    );
    assert_eq!(browser.pending(&link), before.pending(&link));
    // A worker that is looking for what is due at the moment takes it a little later.
    let progress = browser.begin_again(&link).await.progress;
    let under_way = [Step::Queued, Step::Contacting].map(Progress::Waiting);
    assert!(under_way.contains(&progress), "{progress:?}");
    assert_ne!(browser.pending(&link), before.pending(&link));
    harness
        .question()
        .await
        .answer(Ok(Verdict::Valid(ada(), None)));
    assert_eq!(harness.outcome().await, confirmed());
    assert_eq!(browser.greeted().await.as_deref(), Some("Ada"));
    assert_eq!(
        before.clone().greeted().await,
        None,
        "the old secret is worth nothing"
    );
}

#[tokio::test]
async fn try_again_after_a_cancel_is_a_fresh_confirmation() {
    let harness = Harness::open().await;
    let link = token("link");
    let mut browser = harness.begun(&link).await;
    browser.cancel(&link).await;
    let before = browser.pending(&link);
    assert_eq!(
        browser.begin(&link).await.progress,
        Progress::Done(rejected(Rejection::Cancelled))
    );
    assert_eq!(
        browser.begin_again(&link).await.progress,
        Progress::Waiting(Step::Queued)
    );
    assert_ne!(browser.pending(&link), before);
}

#[tokio::test]
async fn try_again_while_it_is_checked_or_confirmed_or_rejected_is_the_same_confirmation() {
    let answers = [
        None,
        Some((Verdict::Valid(ada(), None), confirmed())),
        Some((Verdict::Invalid(Reason::Used), rejected(Rejection::Used))),
    ];
    for answer in answers {
        let harness = Harness::open().await;
        let link = token("link");
        harness.start_worker();
        let mut browser = harness.begun(&link).await;
        let question = harness.question().await;
        let expected = match answer {
            None => Progress::Waiting(Step::Contacting),
            Some((verdict, outcome)) => {
                question.answer(Ok(verdict));
                assert_eq!(harness.outcome().await, outcome);
                Progress::Done(outcome)
            }
        };
        let before = browser.pending(&link);
        assert_eq!(browser.begin_again(&link).await.progress, expected);
        assert_eq!(browser.pending(&link), before);
    }
}
