//! The pending secret is swapped for a session secret by the first page that needs a user.

use crate::support::{Browser, Harness, ada, token};
use std::{collections::HashSet, time::Duration};
use vestibule::{
    entry::{Entry, PresentedSecrets, SignIn},
    secret::{PendingSecret, SessionSecret},
    store::SessionStore as _,
    token::Token,
};

const GRACE: Duration = Duration::from_secs(30);
const MOMENT: Duration = Duration::from_millis(1);

/// The pending secret, shown in the session cookie.
fn as_session(browser: &Browser, token: &Token) -> SessionSecret {
    let pending = browser.pending(token).expect("it has landed");
    SessionSecret::from_bytes(*pending.secret.expose())
}

#[tokio::test]
async fn a_pending_session_signs_no_one_in() {
    let harness = Harness::open().await;
    let link = token("link");
    let mut browser = harness.begun(&link).await;
    assert_eq!(browser.enter().await, Entry::SignedOut);
    assert!(
        !harness
            .sign_ins
            .would_enter(&browser.shown())
            .await
            .unwrap()
    );
    browser.session = Some(as_session(&browser, &link));
    assert_eq!(browser.who().await, None);
    assert_eq!(browser.enter().await, Entry::SignedOut);
}

#[tokio::test]
async fn a_bound_session_authenticates_nothing_but_its_exchange() {
    let harness = Harness::open().await;
    let link = token("link");
    harness.start_worker();
    let mut browser = harness.bound(&link, ada()).await;
    assert_eq!(browser.who().await, None);
    let shown_as_session = Browser::holding(harness.sign_ins.clone(), as_session(&browser, &link));
    assert_eq!(shown_as_session.who().await, None);
    assert_eq!(shown_as_session.clone().enter().await, Entry::SignedOut);
    assert!(
        !harness
            .sign_ins
            .came_from(&link, shown_as_session.session.as_ref())
            .await
            .unwrap()
    );
    assert!(
        harness
            .sign_ins
            .would_enter(&browser.shown())
            .await
            .unwrap()
    );
    assert_eq!(browser.greeted().await.as_deref(), Some("Ada"));
}

#[tokio::test]
async fn an_exchange_gives_a_new_secret_and_removes_the_pending_cookie() {
    let harness = Harness::open().await;
    let link = token("link");
    harness.start_worker();
    let mut browser = harness.bound(&link, ada()).await;
    let old = browser.pending(&link).unwrap().secret;
    let Entry::SignedIn(SignIn {
        who,
        renewed: Some(new),
        arrived: true,
        spent,
    }) = browser.enter().await
    else {
        panic!("Ada is let in")
    };
    assert_ne!(new.expose(), old.expose());
    assert_eq!(spent, [browser.tag(&link)]);
    assert_eq!(browser.who().await, Some(who));
    assert_eq!(browser.cookie(&link), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_tabs_that_exchange_at_once_all_get_the_same_secret() {
    let harness = Harness::open().await;
    let link = token("link");
    harness.start_worker();
    let browser = harness.bound(&link, ada()).await;
    let tabs: Vec<_> = (0..64)
        .map(|_| {
            let mut tab = browser.clone();
            tokio::spawn(async move {
                let arrived = matches!(
                    tab.enter().await,
                    Entry::SignedIn(SignIn { arrived: true, .. })
                );
                (*tab.session.expect("every tab is let in").expose(), arrived)
            })
        })
        .collect();
    let mut secrets = HashSet::new();
    let mut first = 0;
    for tab in tabs {
        let (secret, arrived) = tab.await.unwrap();
        secrets.insert(secret);
        first += u32::from(arrived);
    }
    assert_eq!((secrets.len(), first), (1, 1));
    let secret = SessionSecret::from_bytes(secrets.drain().next().unwrap());
    let user = Browser::holding(harness.sign_ins.clone(), secret)
        .who()
        .await
        .expect("it is good")
        .user;
    assert_eq!(
        harness.store.sessions_of(user.id).await.unwrap().len(),
        1,
        "one live session came of it"
    );
}

#[tokio::test]
async fn an_exchange_whose_response_was_lost_can_be_repeated_for_30_seconds() {
    for (after, repeated) in [
        (Duration::ZERO, true),
        (GRACE.saturating_sub(MOMENT), true),
        (GRACE, false),
    ] {
        let harness = Harness::open().await;
        let link = token("link");
        harness.start_worker();
        let mut lost = harness.bound(&link, ada()).await;
        let mut browser = lost.clone();
        lost.enter().await;
        harness.advance(after);
        browser.enter().await;
        assert_eq!(browser.session.is_some(), repeated, "{after:?} later");
        if repeated {
            assert_eq!(browser.session, lost.session);
        }
        assert!(
            lost.who().await.is_some(),
            "the new secret is good all the same"
        );
    }
}

#[tokio::test]
async fn the_old_secret_is_invalid_once_the_new_one_was_shown_and_signs_no_one_out() {
    let harness = Harness::open().await;
    let link = token("link");
    harness.start_worker();
    let mut thief = harness.bound(&link, ada()).await;
    let mut browser = thief.clone();
    browser.enter().await;
    assert!(browser.who().await.is_some());
    assert_eq!(thief.enter().await, Entry::SignedOut);
    assert!(!harness.sign_ins.would_enter(&thief.shown()).await.unwrap());
    thief.cancel(&link).await;
    thief.sign_out().await;
    thief.sign_out_everywhere().await;
    assert!(browser.who().await.is_some());
}

#[tokio::test]
async fn the_old_secret_is_invalid_after_30_seconds_and_signs_no_one_out() {
    let harness = Harness::open().await;
    let link = token("link");
    harness.start_worker();
    let mut thief = harness.bound(&link, ada()).await;
    let mut browser = thief.clone();
    browser.enter().await;
    harness.advance(GRACE);
    assert_eq!(thief.enter().await, Entry::SignedOut);
    thief.cancel(&link).await;
    thief.sign_out().await;
    assert!(browser.who().await.is_some());
    assert_eq!(browser.greeted().await.as_deref(), Some("Ada"));
}

#[tokio::test]
async fn a_bound_session_that_no_browser_comes_for_in_15_minutes_is_gone() {
    let wait = Duration::from_mins(15);
    for (after, expected) in [(wait.saturating_sub(MOMENT), Some("Ada")), (wait, None)] {
        let harness = Harness::open().await;
        let link = token("link");
        harness.start_worker();
        let mut browser = harness.bound(&link, ada()).await;
        harness.advance(after);
        assert_eq!(
            browser.greeted().await.as_deref(),
            expected,
            "{after:?} later"
        );
    }
}

#[tokio::test]
async fn use_puts_the_end_of_a_session_off_and_disuse_ends_it() {
    let harness = Harness::open().await;
    let link = token("link");
    harness.start_worker();
    let browser = harness.signed_in(&link).await;
    for _ in 0..3 {
        harness.advance(harness.environment.timing.idle.saturating_sub(MOMENT));
        assert!(browser.who().await.is_some());
    }
    harness.advance(harness.environment.timing.idle);
    assert_eq!(browser.who().await, None);
}

#[tokio::test]
async fn a_session_ends_90_days_after_it_began_however_much_it_is_used() {
    let harness = Harness::open().await;
    let link = token("link");
    harness.start_worker();
    let end = harness.now() + Duration::from_hours(90 * 24);
    let browser = harness.signed_in(&link).await;
    while harness.now() + Duration::from_hours(13 * 24) < end {
        harness.advance(Duration::from_hours(13 * 24));
        assert!(browser.who().await.is_some());
    }
    harness.advance(end.since(harness.now()).saturating_sub(MOMENT));
    assert!(browser.who().await.is_some());
    harness.advance(MOMENT);
    assert_eq!(browser.who().await, None);
}

#[tokio::test]
async fn a_secret_that_was_never_issued_lets_no_one_in() {
    let harness = Harness::open().await;
    let pending = vec![(
        vestibule::pending::TokenTag::from_bytes([1; 8]),
        PendingSecret::from_bytes([1; 32]),
    )];
    let shown = PresentedSecrets {
        session: Some(SessionSecret::from_bytes([2; 32])),
        pending,
        device: None,
    };
    assert_eq!(
        harness.sign_ins.enter(&shown).await.unwrap(),
        Entry::SignedOut
    );
    assert_eq!(
        harness
            .sign_ins
            .enter(&PresentedSecrets::default())
            .await
            .unwrap(),
        Entry::SignedOut
    );
}
