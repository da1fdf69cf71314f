//! The worker deletes what is no longer needed, and nothing earlier.

use crate::support::{House, ada, token};
use std::time::Duration;
use vestibule::{
    outcome::Outcome,
    store::{ConfirmationStore as _, SessionStore as _},
    timing::Timing,
    validator::Verdict,
    vestibule::Progress,
};

const SWEEP_EVERY: Duration = Duration::from_mins(1);

/// The worker sweeps before it claims, so a question means that a sweep is over.
async fn swept(house: &House) {
    house.advance(SWEEP_EVERY);
    house.everything_before_is_done().await;
}

#[tokio::test]
async fn a_bound_session_that_no_browser_came_for_is_deleted() {
    let house = House::open().await;
    let link = token("link");
    house.start_worker();
    let browser = house.bound(&link, ada()).await;
    let session = house.confirmation(&browser, &link).await.session;
    house.advance(Duration::from_mins(13));
    swept(&house).await;
    assert!(
        house.store.session(session).await.unwrap().is_some(),
        "its 15 minutes are not over"
    );
    house.advance(Duration::from_mins(1));
    swept(&house).await;
    assert_eq!(house.store.session(session).await.unwrap(), None);
}

#[tokio::test]
async fn a_settled_confirmation_is_kept_for_as_long_as_its_cookie_is_good() {
    let house = House::open().await;
    let link = token("link");
    house.start_worker();
    let mut browser = house.begun(&link).await;
    house.question().await.answer(Ok(Verdict::Valid(ada())));
    house.outcome().await;
    let hash = browser.pending(&link).unwrap().secret.hash();
    house.advance(
        Timing::default()
            .pending_cookie()
            .saturating_sub(SWEEP_EVERY + SWEEP_EVERY),
    );
    swept(&house).await;
    assert!(
        house
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
    house.advance(Duration::from_mins(7));
    swept(&house).await;
    assert_eq!(
        house.store.confirmation_by_secret(&hash).await.unwrap(),
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
    let house = House::open().await;
    let link = token("link");
    let browser = house.begun(&link).await;
    house.advance(Duration::from_hours(1));
    let before = house.confirmation(&browser, &link).await;
    house.store.sweep_sessions(house.now()).await.unwrap();
    assert!(house.store.session(before.session).await.unwrap().is_some());
    house.start_worker();
    assert_eq!(house.outcome().await, Outcome::Unavailable);
    assert_eq!(house.store.session(before.session).await.unwrap(), None);
}
