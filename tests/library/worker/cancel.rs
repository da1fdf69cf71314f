//! A cancel is the user's own deciding write.

use crate::support::{Browser, Harness, ada, bob, confirmed, rejected, token};
use vestibule::{
    confirmation::Rejection,
    publisher::Announcement,
    sign_ins::{Progress, Step},
    store::SessionStore as _,
    token::Token,
    validator::Verdict,
};

async fn assert_cancelled(harness: &Harness, mut browser: Browser, token: &Token) {
    let session = harness.confirmation(&browser, token).await.session;
    assert_eq!(harness.store.session(session).await.unwrap(), None);
    assert_eq!(browser.greeted().await, None);
}

#[tokio::test]
async fn a_cancel_before_any_worker_has_looked_ends_it_without_asking_the_validator() {
    let harness = Harness::open().await;
    let link = token("link");
    let browser = harness.begun(&link).await;
    let cancelled = Progress::Done(rejected(Rejection::Cancelled));
    assert_eq!(browser.cancel(&link).await.progress, cancelled);
    harness.start_worker();
    harness.everything_before_is_done().await;
    assert_eq!(browser.status(&link).await.progress, cancelled);
    assert_cancelled(&harness, browser, &link).await;
}

#[tokio::test]
async fn a_cancel_while_the_validator_is_asked_stands_against_its_verdict() {
    let harness = Harness::open().await;
    let link = token("link");
    let worker = harness.start_worker();
    let browser = harness.begun(&link).await;
    let question = harness.question().await;
    browser.cancel(&link).await;
    question.answer(Ok(Verdict::Valid(ada(), None)));
    worker.stop();
    worker.stopped().await;
    assert_eq!(
        browser.status(&link).await.progress,
        Progress::Done(rejected(Rejection::Cancelled))
    );
    assert_cancelled(&harness, browser, &link).await;
}

#[tokio::test]
async fn a_cancel_after_a_good_verdict_revokes_the_session() {
    let harness = Harness::open().await;
    let link = token("link");
    harness.start_worker();
    let browser = harness.bound(&link, ada()).await;
    assert_eq!(
        browser.cancel(&link).await.progress,
        Progress::Done(rejected(Rejection::Cancelled))
    );
    assert_eq!(
        browser.status(&link).await.progress,
        Progress::Done(rejected(Rejection::Cancelled))
    );
    assert_cancelled(&harness, browser, &link).await;
}

#[tokio::test]
async fn a_user_who_cancelled_a_sign_in_may_try_again() {
    let harness = Harness::open().await;
    let link = token("link");
    harness.start_worker();
    let mut browser = harness.bound(&link, ada()).await;
    browser.cancel(&link).await;
    // A worker that is looking for what is due at the moment takes it a little later.
    let progress = browser.begin_again(&link).await.progress;
    let under_way = [Step::Queued, Step::Contacting].map(Progress::Waiting);
    assert!(under_way.contains(&progress), "{progress:?}");
    harness
        .question()
        .await
        .answer(Ok(Verdict::Valid(ada(), None)));
    while harness.outcome().await != confirmed() {}
    assert_eq!(browser.greeted().await.as_deref(), Some("Ada"));
}

#[tokio::test]
async fn a_cancel_that_races_the_exchange_leaves_no_session() {
    let harness = Harness::open().await;
    let link = token("link");
    harness.start_worker();
    let tab = harness.bound(&link, ada()).await;
    let mut other_tab = tab.clone();
    other_tab.enter().await;
    tab.cancel(&link).await;
    assert_eq!(other_tab.who().await, None);
    assert_cancelled(&harness, tab, &link).await;
}

#[tokio::test]
async fn a_cancel_with_an_invalid_secret_signs_no_one_out() {
    let harness = Harness::open().await;
    let link = token("link");
    harness.start_worker();
    let thief = harness.bound(&link, ada()).await;
    let mut browser = thief.clone();
    browser.enter().await;
    assert!(browser.who().await.is_some());
    thief.cancel(&link).await;
    assert!(browser.who().await.is_some());
}

#[tokio::test]
async fn a_cancel_is_announced_to_the_other_tabs() {
    let harness = Harness::open().await;
    let link = token("link");
    let browser = harness.begun(&link).await;
    browser.cancel(&link).await;
    let cancelled = Announcement::Outcome(rejected(Rejection::Cancelled));
    assert_eq!(
        harness.announced().await,
        (browser.channel(&link), cancelled)
    );
}

#[tokio::test]
async fn a_cancel_without_the_pending_secret_changes_nothing() {
    let harness = Harness::open().await;
    let link = token("link");
    harness.start_worker();
    let mut browser = harness.begun(&link).await;
    let question = harness.question().await;
    let mut stranger = harness.browser();
    let mut other = harness.browser();
    assert_eq!(stranger.cancel(&link).await.progress, Progress::Unknown);
    stranger.land(&link);
    assert_eq!(stranger.cancel(&link).await.progress, Progress::Unknown);
    other.land(&token("another"));
    other.plant(&link, browser.cookie(&link).unwrap().replace('A', "B"));
    other.cancel(&link).await;
    question.answer(Ok(Verdict::Valid(ada(), None)));
    assert_eq!(harness.outcome().await, confirmed());
    assert_eq!(browser.greeted().await.as_deref(), Some("Ada"));
}

#[tokio::test]
async fn cancelling_one_link_leaves_the_others_of_the_browser_alone() {
    let harness = Harness::open().await;
    let mine = token("mine");
    let yours = token("yours");
    harness.start_worker();
    let mut browser = harness.bound(&mine, ada()).await;
    harness.bind(&mut browser, &yours, bob()).await;
    browser.cancel(&mine).await;
    assert_eq!(browser.greeted().await.as_deref(), Some("Bob"));
}
