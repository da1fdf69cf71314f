//! A user sees where they are signed in, and ends what they do not want.

use crate::support::{Browser, Harness, ada, bob, token};
use std::time::Duration;
use vestibule::{
    device::Device,
    entry::{OwnSession, SessionHandle, SignedIn},
};

const A_WHILE: Duration = Duration::from_hours(1);

/// A browser of Ada's with this device name.
async fn signed_in(harness: &Harness, device: &str) -> Browser {
    let mut browser = harness
        .bound(&token(&device.replace(' ', "-")), ada())
        .await;
    browser.device = Device::new(device);
    browser.enter().await;
    browser
}

async fn who(browser: &Browser) -> SignedIn {
    browser.who().await.expect("a user is signed in")
}

async fn sessions(browser: &Browser) -> Vec<OwnSession> {
    browser
        .sign_ins
        .own_sessions(&who(browser).await)
        .await
        .unwrap()
}

/// What the page of `browser` calls the session in `device`.
async fn handle(browser: &Browser, device: &str) -> SessionHandle {
    let meant = |session: &OwnSession| session.device == Device::new(device);
    sessions(browser)
        .await
        .into_iter()
        .find(meant)
        .and_then(|session| session.handle)
        .expect("it is another's")
}

async fn end(browser: &Browser, handle: SessionHandle) -> bool {
    browser
        .sign_ins
        .end_session(&who(browser).await, handle)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_user_sees_each_browser_when_it_began_and_when_it_was_used_their_own_first() {
    let harness = Harness::open().await;
    harness.start_worker();
    let begun = harness.now();
    let here = signed_in(&harness, "Firefox on Linux").await;
    let phone = signed_in(&harness, "Safari on iPhone").await;
    harness.advance(A_WHILE);
    let work = signed_in(&harness, "Edge on Windows").await;
    harness.advance(A_WHILE);
    who(&phone).await;
    harness.advance(A_WHILE);
    let hour = |hours| begun + A_WHILE * hours;
    let named = |session: &OwnSession| session.device.clone().unwrap();
    let seen: Vec<_> = sessions(&here)
        .await
        .iter()
        .map(|each| (named(each), each.created_at, each.last_seen_at))
        .collect();
    let row = |device, since, seen| (Device::new(device).unwrap(), hour(since), hour(seen));
    let all = [
        row("Firefox on Linux", 0, 3),
        row("Safari on iPhone", 0, 2),
        row("Edge on Windows", 1, 1),
    ];
    assert_eq!(seen, all);
    let handles: Vec<_> = sessions(&here)
        .await
        .iter()
        .map(|each| each.handle.is_some())
        .collect();
    assert_eq!(handles, [false, true, true]);
    assert_eq!(
        sessions(&work).await[0].device,
        Device::new("Edge on Windows")
    );
}

#[tokio::test]
async fn what_has_expired_is_not_shown() {
    let harness = Harness::open().await;
    harness.start_worker();
    let here = signed_in(&harness, "Firefox on Linux").await;
    signed_in(&harness, "Safari on iPhone").await;
    harness.advance(harness.environment.timing.idle / 2);
    who(&here).await;
    harness.advance(harness.environment.timing.idle / 2);
    assert_eq!(sessions(&here).await.len(), 1);
}

#[tokio::test]
async fn the_session_that_was_meant_ends_and_no_other() {
    let harness = Harness::open().await;
    harness.start_worker();
    let here = signed_in(&harness, "Firefox on Linux").await;
    let mut lost = signed_in(&harness, "Safari on iPhone").await;
    let work = signed_in(&harness, "Edge on Windows").await;
    let lost_one = handle(&here, "Safari on iPhone").await;
    assert!(end(&here, lost_one).await);
    assert_eq!((lost.who().await, lost.greeted().await), (None, None));
    assert!(work.who().await.is_some() && here.who().await.is_some());
    assert!(!end(&here, lost_one).await, "it has ended");
}

#[tokio::test]
async fn a_handle_ends_neither_another_users_session_nor_the_current_one() {
    let harness = Harness::open().await;
    harness.start_worker();
    let here = signed_in(&harness, "Firefox on Linux").await;
    let there = signed_in(&harness, "Safari on iPhone").await;
    let mut bobs = harness.bound(&token("bobs"), bob()).await;
    bobs.enter().await;
    let of_there = handle(&here, "Safari on iPhone").await;
    assert!(!end(&bobs, of_there).await);
    assert!(!end(&there, of_there).await, "it signs out to end");
    assert!(there.who().await.is_some());
}

#[tokio::test]
async fn a_page_from_before_a_rotation_still_ends_what_it_names() {
    let harness = Harness::open().await;
    harness.start_worker();
    let mut here = signed_in(&harness, "Firefox on Linux").await;
    let there = signed_in(&harness, "Safari on iPhone").await;
    let named_before = handle(&here, "Safari on iPhone").await;
    here.sign_ins = harness.sign_ins_with(&[8, 7]);
    assert_ne!(handle(&here, "Safari on iPhone").await, named_before);
    assert!(end(&here, named_before).await);
    assert_eq!(there.who().await, None);
}

#[tokio::test]
async fn ending_all_others_keeps_this_session_and_deletes_those_not_yet_exchanged() {
    let harness = Harness::open().await;
    harness.start_worker();
    let mut here = signed_in(&harness, "Firefox on Linux").await;
    let there = signed_in(&harness, "Safari on iPhone").await;
    let mut waiting = harness.bound(&token("waiting"), ada()).await;
    let mut bobs = harness.bound(&token("bobs"), bob()).await;
    here.sign_ins.end_others(&who(&here).await).await.unwrap();
    assert_eq!((there.who().await, waiting.greeted().await), (None, None));
    assert_eq!(here.greeted().await.as_deref(), Some("Ada"));
    assert_eq!(bobs.greeted().await.as_deref(), Some("Bob"));
    assert_eq!(sessions(&here).await.len(), 1);
}

#[tokio::test]
async fn an_exchange_that_is_repeated_does_not_bring_an_ended_session_back() {
    let harness = Harness::open().await;
    harness.start_worker();
    let here = signed_in(&harness, "Firefox on Linux").await;
    let thief = harness.bound(&token("link"), ada()).await;
    let mut again = thief.clone();
    thief.clone().enter().await;
    here.sign_ins.end_others(&who(&here).await).await.unwrap();
    assert_eq!(again.greeted().await, None);
}
