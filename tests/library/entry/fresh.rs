//! How old a sign-in may be: for actions that an unattended browser must not allow, and after a
//! change of how the user signs in.

use crate::support::{Browser, Harness, ada, by_password, token};
use std::time::Duration;
use vestibule::entry::{Entry, PresentedSecrets};

const MOMENT: Duration = Duration::from_millis(1);

#[tokio::test]
async fn a_proof_of_identity_grows_old() {
    let harness = Harness::open().await;
    let link = token("link");
    harness.start_worker();
    let browser = harness.signed_in(&link).await;
    for (after, fresh) in [
        (Duration::ZERO, true),
        (Duration::from_mins(19), true),
        (Duration::from_mins(1), false),
    ] {
        harness.advance(after);
        assert_eq!(
            browser
                .who()
                .await
                .expect("she stays signed in")
                .is_fresh(harness.now()),
            fresh
        );
    }
}

#[tokio::test]
async fn a_new_password_ends_every_session_that_began_before_even_if_none_is_deleted() {
    let harness = Harness::open().await;
    harness.start_worker();
    let browser = harness.signed_in(&token("link")).await;
    let mut waiting = harness.bound(&token("another"), ada()).await;
    let who = browser.who().await.expect("she is signed in");
    let user = who.user.id;
    let before = harness.now();
    harness.advance(MOMENT);
    assert_eq!(
        harness.sign_ins.set_password(&who, "$hash").await.unwrap(),
        Some(harness.now())
    );
    assert_eq!(browser.who().await, None);
    assert_eq!(waiting.enter().await, Entry::SignedOut);
    // The former password, which began to be checked before it was changed, or was read then and
    // checked after it.
    for since in [before, harness.now()] {
        assert_eq!(
            harness
                .sign_ins
                .sign_in(
                    user,
                    who.user.valid_from,
                    since,
                    &PresentedSecrets::default()
                )
                .await
                .unwrap(),
            None
        );
    }
    let late = harness
        .sign_ins
        .sign_in(user, harness.now(), before, &PresentedSecrets::default())
        .await
        .unwrap();
    assert_eq!(
        Browser::holding(harness.sign_ins.clone(), late.expect("nothing changes now"))
            .who()
            .await,
        None
    );
    let new = by_password(&harness.sign_ins, user, &PresentedSecrets::default()).await;
    let new = Browser::holding(harness.sign_ins.clone(), new);
    let who = new.who().await.expect("she has the new password");
    assert_eq!(
        harness.sign_ins.own_sessions(&who).await.unwrap().len(),
        1,
        "a session that signs no one in is not shown"
    );
}

#[tokio::test]
async fn a_sign_in_that_is_refused_leaves_the_browser_signed_in_as_it_was() {
    let harness = Harness::open().await;
    harness.start_worker();
    let browser = harness.signed_in(&token("link")).await;
    let who = browser.who().await.expect("she is signed in");
    let outdated = harness.now() + Duration::from_secs(1);
    let refused = harness
        .sign_ins
        .sign_in(who.user.id, outdated, harness.now(), &browser.shown())
        .await;
    assert_eq!(refused.unwrap(), None);
    assert_eq!(browser.who().await, Some(who.clone()));
    assert_eq!(
        harness.sign_ins.own_sessions(&who).await.unwrap().len(),
        1,
        "nothing is left of it"
    );
}
