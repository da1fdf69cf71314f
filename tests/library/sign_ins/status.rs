//! What a browser is told while it waits, and that it is told "confirmed" only while its session
//! lives.

use crate::support::{Harness, ada, by_password, confirmed, token};
use std::time::Duration;
use vestibule::{
    outcome::Outcome,
    sign_ins::{Progress, Step},
};

#[tokio::test]
async fn a_browser_that_has_begun_nothing_is_told_nothing() {
    let harness = Harness::open().await;
    let link = token("link");
    harness.begun(&link).await;
    let mut browser = harness.browser();
    let report = browser.status(&link).await;
    assert_eq!((report.progress, report.channel), (Progress::Unknown, None));
    browser.land(&link);
    let report = browser.status(&link).await;
    assert_eq!(
        (report.progress, report.channel),
        (Progress::Unknown, Some(browser.channel(&link)))
    );
}

#[tokio::test]
async fn the_page_sees_each_step() {
    let harness = Harness::open().await;
    let link = token("link");
    let browser = harness.begun(&link).await;
    assert_eq!(
        browser.status(&link).await.progress,
        Progress::Waiting(Step::Queued)
    );
    harness.start_worker();
    let question = harness.question().await;
    assert_eq!(
        browser.status(&link).await.progress,
        Progress::Waiting(Step::Contacting)
    );
    drop(question);
    harness.announced().await;
    assert_eq!(
        browser.status(&link).await.progress,
        Progress::Waiting(Step::Retrying { attempt: 2 })
    );
}

#[tokio::test]
async fn the_new_session_cookie_is_told_that_its_own_token_is_confirmed() {
    let harness = Harness::open().await;
    let mine = token("mine");
    let other = token("other");
    harness.start_worker();
    let mut browser = harness.signed_in(&mine).await;
    assert_eq!(
        browser.cookie(&mine),
        None,
        "the pending cookie was removed"
    );
    assert_eq!(
        browser.status(&mine).await.progress,
        Progress::Done(confirmed())
    );
    assert_eq!(browser.status(&other).await.progress, Progress::Unknown);
    assert!(
        browser
            .sign_ins
            .came_from(&mine, browser.session.as_ref())
            .await
            .unwrap()
    );
    assert!(
        !browser
            .sign_ins
            .came_from(&other, browser.session.as_ref())
            .await
            .unwrap()
    );
    browser.land(&mine);
    assert_eq!(
        browser.status(&mine).await.progress,
        Progress::Done(confirmed()),
        "also when the link is opened again"
    );
    assert_eq!(
        harness.browser().status(&mine).await.progress,
        Progress::Unknown,
        "another browser is told nothing"
    );
}

#[tokio::test]
async fn confirmed_is_said_only_while_the_session_lives() {
    let harness = Harness::open().await;
    let link = token("link");
    harness.start_worker();
    let bound = harness.bound(&link, ada()).await;
    assert_eq!(
        bound.status(&link).await.progress,
        Progress::Done(confirmed())
    );
    let mut signed_in = bound.clone();
    signed_in.enter().await;
    assert_eq!(
        bound.status(&link).await.progress,
        Progress::Done(confirmed()),
        "the other tab, still with the old cookie"
    );
    signed_in.sign_out().await;
    for browser in [bound, signed_in] {
        let progress = browser.status(&link).await.progress;
        assert!(
            !matches!(progress, Progress::Done(Outcome::Confirmed { .. })),
            "{progress:?}"
        );
    }
}

#[tokio::test]
async fn a_bound_session_that_was_never_exchanged_is_not_called_confirmed() {
    let harness = Harness::open().await;
    let link = token("link");
    harness.start_worker();
    let browser = harness.bound(&link, ada()).await;
    harness.advance(Duration::from_mins(15));
    let progress = browser.status(&link).await.progress;
    assert!(
        matches!(progress, Progress::Done(Outcome::Rejected { .. })),
        "{progress:?}"
    );
}

#[tokio::test]
async fn a_session_that_has_idled_away_is_not_called_confirmed() {
    let harness = Harness::open().await;
    let link = token("link");
    harness.start_worker();
    let browser = harness.signed_in(&link).await;
    harness.advance(harness.environment.timing.idle);
    assert_eq!(browser.status(&link).await.progress, Progress::Unknown);
    assert_eq!(browser.who().await, None);
}

#[tokio::test]
async fn a_session_from_a_password_came_from_no_token() {
    let harness = Harness::open().await;
    let link = token("link");
    harness.start_worker();
    let mut browser = harness.signed_in(&link).await;
    let user = browser.who().await.unwrap().user.id;
    browser.session = Some(by_password(&harness.sign_ins, user, &browser.shown()).await);
    assert!(browser.who().await.is_some());
    assert_eq!(browser.status(&link).await.progress, Progress::Unknown);
}
