//! A user has no more sessions than the cap: one more ends the one that was used longest ago.

use crate::support::{Browser, Harness, Plan, ada, bob, by_password, token};
use std::time::Duration;
use vestibule::{caps::Caps, entry::PresentedSecrets, store::SessionStore as _, user::UserId};

const A_WHILE: Duration = Duration::from_mins(2);

/// A house in which a user has three sessions at most, and a worker.
async fn harness() -> Harness {
    let harness = Harness::built(Plan {
        caps: Caps {
            sessions: 3,
            ..Caps::default()
        },
        ..Plan::default()
    })
    .await;
    harness.start_worker();
    harness
}

/// Browsers in which Ada has signed in, one a while after the other.
async fn signed_in(harness: &Harness, count: usize) -> Vec<Browser> {
    let mut browsers = Vec::new();
    for number in 0..count {
        harness.advance(A_WHILE);
        browsers.push(harness.signed_in(&token(&format!("link-{number}"))).await);
    }
    browsers
}

async fn who_are_signed_in(browsers: &[Browser]) -> Vec<bool> {
    let mut signed_in = Vec::new();
    for browser in browsers {
        signed_in.push(
            browser
                .sign_ins
                .recognise(browser.session.as_ref())
                .await
                .unwrap()
                .is_some(),
        );
    }
    signed_in
}

async fn user_of(browser: &Browser) -> UserId {
    browser.who().await.expect("a user is signed in").user.id
}

#[tokio::test]
async fn one_more_ends_the_one_that_was_used_longest_ago() {
    let harness = harness().await;
    let mut browsers = signed_in(&harness, 3).await;
    harness.advance(A_WHILE);
    browsers[0].who().await;
    harness.advance(A_WHILE);
    browsers.push(harness.signed_in(&token("one-more")).await);
    assert_eq!(
        who_are_signed_in(&browsers).await,
        [true, false, true, true]
    );
}

#[tokio::test]
async fn a_password_sign_in_counts_like_any_other() {
    let harness = harness().await;
    let mut browsers = signed_in(&harness, 3).await;
    harness.advance(A_WHILE);
    let secret = by_password(
        &harness.sign_ins,
        user_of(&browsers[2]).await,
        &PresentedSecrets::default(),
    )
    .await;
    browsers.push(Browser::holding(harness.sign_ins.clone(), secret));
    assert_eq!(
        who_are_signed_in(&browsers).await,
        [false, true, true, true]
    );
}

#[tokio::test]
async fn sessions_of_others_and_links_that_wait_are_left_alone() {
    let harness = harness().await;
    let mut bobs = harness.bound(&token("bobs"), bob()).await;
    let mut waiting = harness.bound(&token("waiting"), ada()).await;
    bobs.enter().await;
    let browsers = signed_in(&harness, 4).await;
    assert!(bobs.who().await.is_some());
    assert_eq!(waiting.greeted().await.as_deref(), Some("Ada"));
    assert_eq!(
        who_are_signed_in(&browsers).await,
        [false, false, true, true]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_that_sign_in_at_once_no_more_stay_than_the_cap() {
    let harness = harness().await;
    let user = user_of(&signed_in(&harness, 1).await[0]).await;
    let sign_ins: Vec<_> = (0..32)
        .map(|_| {
            let sign_ins = harness.sign_ins.clone();
            tokio::spawn(
                async move { by_password(&sign_ins, user, &PresentedSecrets::default()).await },
            )
        })
        .collect();
    for sign_in in sign_ins {
        sign_in.await.unwrap();
    }
    let left = harness.store.sessions_of(user).await.unwrap().len();
    assert!((1..=3).contains(&left), "{left}");
}
