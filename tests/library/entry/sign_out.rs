//! After a sign-out, nothing that this browser had signs it in again.

use crate::support::{Browser, Harness, ada, token};
use vestibule::{sign_ins::Progress, store::SessionStore as _, validator::Verdict};

#[tokio::test]
async fn a_sign_out_ends_the_session() {
    let harness = Harness::open().await;
    harness.start_worker();
    let mut browser = harness.signed_in(&token("link")).await;
    browser.sign_out().await;
    assert_eq!(browser.who().await, None);
    assert_eq!(browser.greeted().await, None);
    browser.sign_out().await;
}

#[tokio::test]
async fn a_sign_out_ends_this_browser_alone_and_everywhere_ends_all() {
    let harness = Harness::open().await;
    harness.start_worker();
    let here = harness.signed_in(&token("here")).await;
    let there = harness.signed_in(&token("there")).await;
    let mut waiting = harness.bound(&token("waiting"), ada()).await;
    here.sign_out().await;
    assert_eq!(here.who().await, None);
    assert!(there.who().await.is_some());
    there.sign_out_everywhere().await;
    assert_eq!(there.who().await, None);
    assert_eq!(
        waiting.greeted().await,
        None,
        "nor does a link that was confirmed before sign anybody in"
    );
}

#[tokio::test]
async fn a_sign_out_ends_what_is_pending_in_this_browser() {
    let harness = Harness::open().await;
    let queued = token("queued");
    let bound = token("bound");
    harness.start_worker();
    let mut browser = harness.signed_in(&token("link")).await;
    harness.bind(&mut browser, &bound, ada()).await;
    browser.land(&queued);
    browser.begin(&queued).await;
    let question = harness.question().await;
    browser.sign_out().await;
    question.answer(Ok(Verdict::Valid(ada(), None)));
    harness.everything_before_is_done().await;
    assert_eq!(browser.greeted().await, None);
    for link in [queued, bound] {
        let progress = browser.status(&link).await.progress;
        assert!(
            matches!(
                progress,
                Progress::Done(vestibule::outcome::Outcome::Rejected { .. })
            ),
            "{progress:?}"
        );
    }
}

#[tokio::test]
async fn a_sign_out_in_one_browser_leaves_what_is_pending_in_another() {
    let harness = Harness::open().await;
    let link = token("link");
    harness.start_worker();
    let mut other = harness.bound(&link, ada()).await;
    harness.signed_in(&token("mine")).await.sign_out().await;
    assert_eq!(other.greeted().await.as_deref(), Some("Ada"));
}

#[tokio::test]
async fn a_sign_out_that_has_not_heard_of_the_exchange_ends_its_session() {
    let harness = Harness::open().await;
    let link = token("link");
    harness.start_worker();
    let tab = harness.bound(&link, ada()).await;
    let mut other_tab = tab.clone();
    other_tab.enter().await;
    tab.sign_out().await;
    assert_eq!(other_tab.who().await, None);
    assert_eq!(other_tab.greeted().await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_sign_out_that_races_exchanges_leaves_no_live_session() {
    for round in 0..16 {
        let harness = Harness::open().await;
        let link = token("link");
        harness.start_worker();
        let browser = harness.bound(&link, ada()).await;
        let tabs: Vec<_> = (0..8)
            .map(|tab| {
                let mut tab_cookies = browser.clone();
                tokio::spawn(async move {
                    if tab == round % 8 {
                        tab_cookies.sign_out().await;
                    } else {
                        tab_cookies.enter().await;
                    }
                    tab_cookies.session
                })
            })
            .collect();
        let session = harness.confirmation(&browser, &link).await.session;
        let mut given = Vec::new();
        for tab in tabs {
            given.extend(tab.await.unwrap());
        }
        assert_eq!(
            harness.store.session(session).await.unwrap(),
            None,
            "round {round}"
        );
        for secret in given {
            let holder = Browser::holding(harness.sign_ins.clone(), secret);
            assert_eq!(holder.who().await, None, "round {round}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_sign_out_that_races_the_verdict_leaves_no_live_session() {
    for round in 0..16 {
        let harness = Harness::open().await;
        let link = token("link");
        let worker = harness.start_worker();
        let mut browser = harness.begun(&link).await;
        let question = harness.question().await;
        let leaving = browser.clone();
        let sign_out = tokio::spawn(async move { leaving.sign_out().await });
        question.answer(Ok(Verdict::Valid(ada(), None)));
        sign_out.await.unwrap();
        worker.stop();
        worker.stopped().await;
        let session = harness.confirmation(&browser, &link).await.session;
        assert_eq!(
            harness.store.session(session).await.unwrap(),
            None,
            "round {round}"
        );
        assert_eq!(browser.greeted().await, None);
    }
}
