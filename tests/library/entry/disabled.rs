//! A user disabled by an operator cannot sign in until they are enabled again.

use crate::support::{Harness, ada, rejected, token};
use std::time::Duration;
use vestibule::{confirmation::Rejection, entry::Entry, store::UserStore as _, validator::Verdict};

#[tokio::test]
async fn a_session_signs_a_disabled_user_in_no_more_also_once_they_are_enabled_but_a_new_one_does()
{
    let harness = Harness::open().await;
    let link = token("link");
    harness.start_worker();
    let browser = harness.signed_in(&link).await;
    let user = browser.who().await.expect("she is signed in").user.id;
    harness.advance(Duration::from_millis(1));
    assert!(
        harness
            .store
            .disable_user(user, true, harness.now())
            .await
            .unwrap()
    );
    assert_eq!(browser.who().await, None);
    assert!(
        !harness
            .sign_ins
            .would_enter(&browser.shown())
            .await
            .unwrap()
    );
    assert!(
        harness
            .store
            .disable_user(user, false, harness.now())
            .await
            .unwrap()
    );
    assert_eq!(
        browser.who().await,
        None,
        "a thief who had it then must not have it now"
    );
    assert!(
        harness
            .signed_in(&token("another"))
            .await
            .who()
            .await
            .is_some()
    );
}

#[tokio::test]
async fn a_session_that_waits_for_a_disabled_user_lets_no_one_in() {
    let harness = Harness::open().await;
    let link = token("link");
    harness.start_worker();
    let mut browser = harness.bound(&link, ada()).await;
    let user = harness
        .store
        .user_by_identity("practice", "Ada")
        .await
        .unwrap()
        .expect("she is known")
        .id;
    harness
        .store
        .disable_user(user, true, harness.now())
        .await
        .unwrap();
    assert!(
        !harness
            .sign_ins
            .would_enter(&browser.shown())
            .await
            .unwrap(),
        "or the login page would send them on"
    );
    assert_eq!(browser.enter().await, Entry::SignedOut);
}

#[tokio::test]
async fn a_good_link_of_a_disabled_user_is_said_to_be_no_good() {
    let harness = Harness::open().await;
    let link = token("link");
    harness.start_worker();
    let browser = harness.signed_in(&link).await;
    let user = browser.who().await.expect("she is signed in").user.id;
    harness
        .store
        .disable_user(user, true, harness.now())
        .await
        .unwrap();
    harness.begun(&token("another")).await;
    harness
        .question()
        .await
        .answer(Ok(Verdict::Valid(ada(), None)));
    assert_eq!(harness.outcome().await, rejected(Rejection::Invalid));
}
