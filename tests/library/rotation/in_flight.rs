//! One server, started again with a new key before the old one: each sign-in goes on from where it
//! was.

use super::{NEW, OLD};
use crate::support::{Browser, Harness, Running, ada, confirmed, keys, rejected, token};
use std::{sync::Arc, time::Duration};
use vestibule::{
    confirmation::Rejection,
    pending::TokenTag,
    sign_ins::{Progress, Step},
    token::Token,
    validator::Verdict,
    worker::Environment,
};

/// A house whose server has the old key alone, and a link.
async fn before() -> (Harness, Token) {
    (Harness::open().await, token("link"))
}

/// From now on the browser meets the server with the new key before the old one.
fn rotate(harness: &Harness, browser: &mut Browser) {
    browser.sign_ins = harness.sign_ins_with(&[NEW, OLD]);
}

fn start_rotated_worker(harness: &Harness) -> Running {
    harness.start_worker_with(Environment {
        keys: Arc::new(keys(&[NEW, OLD])),
        ..harness.environment.clone()
    })
}

/// The tags in the names of the browser's pending cookies.
fn named(browser: &Browser) -> Vec<TokenTag> {
    browser
        .shown()
        .pending
        .into_iter()
        .map(|(tag, _)| tag)
        .collect()
}

#[tokio::test]
async fn a_browser_that_had_landed_keeps_its_cookie_and_is_signed_in() {
    let (harness, link) = before().await;
    start_rotated_worker(&harness);
    let mut browser = harness.browser();
    browser.land(&link);
    let cookie = browser.pending(&link);
    let name = browser.tag(&link);
    rotate(&harness, &mut browser);
    assert!(!browser.land(&link), "a reload keeps the cookie");
    browser.begin(&link).await;
    assert_eq!(
        (browser.pending(&link), named(&browser)),
        (cookie, vec![name]),
        "under its old name"
    );
    harness
        .question()
        .await
        .answer(Ok(Verdict::Valid(ada(), None)));
    assert_eq!(harness.outcome().await, confirmed());
    assert_eq!(browser.greeted().await.as_deref(), Some("Ada"));
    assert_eq!(
        named(&browser),
        [],
        "the response removes the cookie that is there"
    );
}

#[tokio::test]
async fn a_browser_that_had_begun_gets_its_status_and_hears_on_the_same_channel() {
    let (harness, link) = before().await;
    let mut browser = harness.begun(&link).await;
    let channel = browser.channel(&link);
    rotate(&harness, &mut browser);
    let report = browser.status(&link).await;
    assert_eq!(
        (report.progress, report.channel),
        (Progress::Waiting(Step::Queued), Some(channel.clone()))
    );
    assert_eq!(
        browser.sign_ins.channel(&link, browser.cookie(&link)),
        Some(channel.clone()),
        "and may subscribe to it"
    );
    assert_eq!(
        browser.begin(&link).await.channel,
        Some(channel),
        "a second click is no second confirmation"
    );
    start_rotated_worker(&harness);
    harness
        .question()
        .await
        .answer(Ok(Verdict::Valid(ada(), None)));
    assert_eq!(harness.outcome().await, confirmed());
    assert_eq!(
        browser.status(&link).await.progress,
        Progress::Done(confirmed())
    );
}

#[tokio::test]
async fn a_browser_that_had_begun_can_cancel() {
    let (harness, link) = before().await;
    let mut browser = harness.begun(&link).await;
    rotate(&harness, &mut browser);
    assert_eq!(
        browser.cancel(&link).await.progress,
        Progress::Done(rejected(Rejection::Cancelled))
    );
}

#[tokio::test]
async fn whose_link_was_good_already_is_let_in() {
    let (harness, link) = before().await;
    harness.start_worker();
    let mut browser = harness.bound(&link, ada()).await;
    rotate(&harness, &mut browser);
    assert_eq!(
        browser.status(&link).await.progress,
        Progress::Done(confirmed())
    );
    assert_eq!(browser.greeted().await.as_deref(), Some("Ada"));
    assert_eq!(named(&browser), []);
    assert!(browser.who().await.is_some());
}

#[tokio::test]
async fn a_browser_that_missed_the_exchange_gets_the_same_secret() {
    let (harness, link) = before().await;
    harness.start_worker();
    let mut browser = harness.bound(&link, ada()).await;
    let mut lost = browser.clone();
    lost.enter().await;
    rotate(&harness, &mut browser);
    assert_eq!(browser.greeted().await.as_deref(), Some("Ada"));
    assert_eq!(browser.session, lost.session);
}

#[tokio::test]
async fn a_signed_in_user_stays_signed_in_and_their_link_leads_to_the_profile() {
    let (harness, link) = before().await;
    harness.start_worker();
    let mut browser = harness.signed_in(&link).await;
    rotate(&harness, &mut browser);
    assert_eq!(browser.greeted().await.as_deref(), Some("Ada"));
    assert!(
        browser
            .sign_ins
            .came_from(&link, browser.session.as_ref())
            .await
            .unwrap()
    );
    assert_eq!(
        browser.status(&link).await.progress,
        Progress::Done(confirmed())
    );
    assert!(
        !browser
            .sign_ins
            .came_from(&token("other"), browser.session.as_ref())
            .await
            .unwrap()
    );
}

#[tokio::test]
async fn a_cookie_that_is_replaced_gets_the_new_name_and_leaves_none_behind() {
    let (harness, link) = before().await;
    let mut cancelled = harness.begun(&link).await;
    cancelled.cancel(&link).await;
    let mut late = harness.browser();
    late.land(&link);
    harness.advance(Duration::from_hours(1) + Duration::from_millis(1));
    for browser in [&mut cancelled, &mut late] {
        let before = browser.pending(&link);
        rotate(&harness, browser);
        assert_eq!(
            browser.begin_again(&link).await.progress,
            Progress::Waiting(Step::Queued)
        );
        assert_ne!(browser.pending(&link), before);
        assert_eq!(named(browser), [browser.tag(&link)]);
    }
}
