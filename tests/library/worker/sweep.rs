//! The worker deletes what is no longer needed, and nothing earlier.

use crate::support::{Harness, ada, token};
use std::time::Duration;
use vestibule::{
    outcome::Outcome,
    sign_ins::Progress,
    store::{ConfirmationStore as _, SessionStore as _},
    timing::Timing,
    validator::Verdict,
};

const SWEEP_EVERY: Duration = Duration::from_mins(1);

/// The worker sweeps before it claims, so a question means that a sweep is over.
async fn swept(harness: &Harness) {
    harness.advance(SWEEP_EVERY);
    harness.everything_before_is_done().await;
}

#[tokio::test]
async fn a_bound_session_that_no_browser_came_for_is_deleted() {
    let harness = Harness::open().await;
    let link = token("link");
    harness.start_worker();
    let browser = harness.bound(&link, ada()).await;
    let session = harness.confirmation(&browser, &link).await.session;
    harness.advance(Duration::from_mins(13));
    swept(&harness).await;
    assert!(
        harness.store.session(session).await.unwrap().is_some(),
        "its 15 minutes are not over"
    );
    harness.advance(Duration::from_mins(1));
    swept(&harness).await;
    assert_eq!(harness.store.session(session).await.unwrap(), None);
}

#[tokio::test]
async fn a_settled_confirmation_is_kept_for_as_long_as_its_cookie_is_good() {
    let harness = Harness::open().await;
    let link = token("link");
    harness.start_worker();
    let mut browser = harness.begun(&link).await;
    harness
        .question()
        .await
        .answer(Ok(Verdict::Valid(ada(), None)));
    harness.outcome().await;
    let hash = browser.pending(&link).unwrap().secret.hash();
    harness.advance(
        Timing::default()
            .pending_cookie()
            .saturating_sub(SWEEP_EVERY + SWEEP_EVERY),
    );
    swept(&harness).await;
    assert!(
        harness
            .store
            .confirmation_by_secret(&hash)
            .await
            .unwrap()
            .is_some()
    );
    let progress = browser.begin(&link).await.progress;
    assert!(
        matches!(progress, Progress::Done(Outcome::Rejected { .. })),
        "it is not begun a second time: {progress:?}"
    );
    harness.advance(Duration::from_mins(7));
    swept(&harness).await;
    assert_eq!(
        harness.store.confirmation_by_secret(&hash).await.unwrap(),
        None
    );
    browser.begin(&link).await;
    assert_ne!(
        browser.pending(&link).unwrap().secret.hash(),
        hash,
        "its cookie is good for nothing by then"
    );
}

#[tokio::test]
async fn a_pending_session_outlives_a_long_stop_of_all_workers_until_its_confirmation_is_decided() {
    let harness = Harness::open().await;
    let link = token("link");
    let browser = harness.begun(&link).await;
    harness.advance(Duration::from_hours(1));
    let before = harness.confirmation(&browser, &link).await;
    harness.store.sweep_sessions(harness.now()).await.unwrap();
    assert!(
        harness
            .store
            .session(before.session)
            .await
            .unwrap()
            .is_some()
    );
    harness.start_worker();
    assert_eq!(harness.outcome().await, Outcome::Unavailable);
    assert_eq!(harness.store.session(before.session).await.unwrap(), None);
}
