//! Several servers, which are started again one after the other: two neighbours in the safe order
//! understand each other.

use super::{NEW, OLD};
use crate::support::{Browser, Harness, ada, confirmed, keys, token};
use std::sync::Arc;
use vestibule::{
    sign_ins::{Progress, Step},
    validator::Verdict,
    worker::Environment,
};

/// First the new key is added behind the old one everywhere, then moved before it, then the old one
/// is dropped.
const STEPS: [&[u8]; 4] = [&[OLD], &[OLD, NEW], &[NEW, OLD], &[NEW]];

#[tokio::test]
async fn between_servers_at_two_neighbouring_steps_a_sign_in_goes_through() {
    for pair in STEPS.windows(2) {
        for (one, other) in [(pair[0], pair[1]), (pair[1], pair[0])] {
            let harness = Harness::open().await;
            let link = token("link");
            harness.start_worker_with(Environment {
                keys: Arc::new(keys(&[NEW, OLD])),
                ..harness.environment.clone()
            });
            let one = harness.sign_ins_with(one);
            let other = harness.sign_ins_with(other);
            let mut browser = Browser::new(one.clone());
            browser.land(&link);
            browser.sign_ins = other.clone();
            assert!(!browser.land(&link));
            browser.begin(&link).await;
            browser.sign_ins = one.clone();
            let report = browser.status(&link).await;
            assert_eq!(report.channel, Some(browser.channel(&link)));
            harness
                .question()
                .await
                .answer(Ok(Verdict::Valid(ada(), None)));
            assert_eq!(harness.outcome().await, confirmed());
            let mut lost = browser.clone();
            lost.enter().await;
            browser.sign_ins = other;
            assert_eq!(browser.greeted().await.as_deref(), Some("Ada"));
            assert_eq!(
                browser.session, lost.session,
                "the other server exchanges for the same secret"
            );
            browser.sign_ins = one;
            assert!(browser.who().await.is_some());
            assert!(
                browser
                    .sign_ins
                    .came_from(&link, browser.session.as_ref())
                    .await
                    .unwrap()
            );
        }
    }
}

#[tokio::test]
async fn two_tabs_that_land_on_two_servers_at_once_come_to_one_confirmation() {
    let harness = Harness::open().await;
    let link = token("link");
    let one = harness.sign_ins_with(&[OLD, NEW]);
    let other = harness.sign_ins_with(&[NEW, OLD]);
    let mut browser = Browser::new(one.clone());
    browser.land(&link);
    let mut tab = Browser::new(other.clone());
    tab.land(&link);
    // The browser hears both responses, which have set two cookies of different names.
    browser.adopt(&tab);
    assert_eq!(browser.shown().pending.len(), 2);
    let begun = browser.begin(&link).await.channel;
    browser.sign_ins = other;
    assert_eq!(browser.begin(&link).await.channel, begun);
    browser.sign_ins = one;
    assert_eq!(
        browser.status(&link).await.progress,
        Progress::Waiting(Step::Queued)
    );
}
