//! A landing writes nothing, asks no service, and adopts only what this server minted for this very
//! token.

use crate::support::{Harness, ada, confirmed, token};
use std::time::Duration;
use vestibule::{
    pending::PendingCookie,
    secret::{Keys, PendingSecret, SystemEntropy},
    sign_ins::Progress,
};

#[tokio::test]
async fn a_landing_writes_nothing() {
    let harness = Harness::open().await;
    let link = token("link");
    let mut raw = harness.raw().await;
    let mut version = async || {
        sqlx::query_scalar::<_, i64>("pragma data_version")
            .fetch_one(&mut raw)
            .await
            .unwrap()
    };
    let before = version().await;
    let mut browser = harness.browser();
    for _ in 0..10 {
        browser.land(&link);
        harness.browser().land(&link);
    }
    assert_eq!(browser.status(&link).await.progress, Progress::Unknown);
    assert_eq!(version().await, before);
    browser.begin(&link).await;
    assert_ne!(
        version().await,
        before,
        "the test must be able to see a write"
    );
}

#[tokio::test]
async fn a_reload_keeps_a_good_cookie() {
    let harness = Harness::open().await;
    let link = token("link");
    let mut browser = harness.browser();
    assert!(browser.land(&link));
    let first = browser.cookie(&link).map(str::to_owned);
    assert!(!browser.land(&link));
    browser.begin(&link).await;
    assert!(!browser.land(&link));
    assert_eq!(browser.cookie(&link).map(str::to_owned), first);
}

#[tokio::test]
async fn a_planted_cookie_is_never_adopted() {
    let harness = Harness::open().await;
    let link = token("link");
    let forged = PendingCookie {
        secret: PendingSecret::from_bytes([6; 32]),
        minted: harness.now(),
    };
    let mut attacker = harness.browser();
    attacker.land(&token("the-attackers-own"));
    let planted = [
        forged.encode(&Keys::from_secret(&[66; 32]), &link),
        forged.encode(harness.sign_ins.keys(), &token("another")),
        attacker
            .cookie(&token("the-attackers-own"))
            .unwrap()
            .to_owned(),
        "rubbish".into(),
        String::new(),
    ];
    for planted in planted {
        let mut browser = harness.browser();
        browser.plant(&link, planted.clone());
        assert!(browser.land(&link), "{planted}");
        let mut browser = harness.browser();
        browser.plant(&link, planted.clone());
        browser.begin(&link).await;
        assert_ne!(
            browser.cookie(&link),
            Some(planted.as_str()),
            "begin adopts it no more than a landing does"
        );
        assert!(browser.pending(&link).is_some());
        let mut browser = harness.browser();
        browser.plant(&link, planted);
        assert_eq!(
            browser.status(&link).await.channel,
            None,
            "nor may it listen"
        );
    }
}

#[tokio::test]
async fn a_cookie_that_has_outlived_its_use_is_replaced() {
    let harness = Harness::open().await;
    let link = token("link");
    let mut browser = harness.browser();
    browser.land(&link);
    harness.advance(
        harness
            .environment
            .timing
            .pending_cookie()
            .saturating_sub(Duration::from_millis(1)),
    );
    assert!(!browser.land(&link));
    harness.advance(Duration::from_millis(1));
    assert!(browser.land(&link));
}

#[tokio::test]
async fn links_open_side_by_side_do_not_disturb_each_other() {
    let harness = Harness::open().await;
    let one = token("one");
    let two = token("two");
    let mut browser = harness.browser();
    browser.land(&one);
    let first = browser.cookie(&one).map(str::to_owned);
    browser.land(&two);
    assert_eq!(browser.cookie(&one).map(str::to_owned), first);
    assert_ne!(browser.tag(&one), browser.tag(&two));
    assert_ne!(browser.pending(&one), browser.pending(&two));
}

#[tokio::test]
async fn a_landing_changes_nothing_for_a_browser_that_is_signed_in() {
    let harness = Harness::open().await;
    let link = token("link");
    harness.start_worker();
    let mut browser = harness.signed_in(&token("first")).await;
    let before = (browser.session.clone(), browser.who().await);
    browser.land(&link);
    browser.land(&token("first"));
    assert_eq!((browser.session.clone(), browser.who().await), before);
    assert!(harness.validator.try_next().await.is_none());
}

#[tokio::test]
async fn beginning_and_being_confirmed_changes_nothing_either_until_a_page_is_entered() {
    let harness = Harness::open().await;
    let link = token("link");
    harness.start_worker();
    let mut browser = harness.signed_in(&token("first")).await;
    let before = browser.who().await;
    harness.bind(&mut browser, &link, ada()).await;
    browser.land(&link);
    assert_eq!(
        browser.status(&link).await.progress,
        Progress::Done(confirmed())
    );
    assert_eq!(browser.who().await, before);
}

#[tokio::test]
async fn a_channel_is_named_only_to_the_holder_of_the_pending_secret() {
    let harness = Harness::open().await;
    let link = token("link");
    let mut browser = harness.browser();
    let mut stranger = harness.browser();
    browser.land(&link);
    stranger.land(&link);
    let channel =
        |browser: &crate::support::Browser| harness.sign_ins.channel(&link, browser.cookie(&link));
    assert_eq!(channel(&browser), Some(browser.channel(&link)));
    assert_ne!(channel(&browser), channel(&stranger));
    assert_eq!(channel(&harness.browser()), None);
    assert_eq!(
        harness
            .sign_ins
            .channel(&token("another"), browser.cookie(&link)),
        None
    );
    let minted_elsewhere = PendingCookie::mint(&SystemEntropy, harness.now())
        .encode(&Keys::from_secret(&[66; 32]), &link);
    assert_eq!(
        harness.sign_ins.channel(&link, Some(&minted_elsewhere)),
        None
    );
}
