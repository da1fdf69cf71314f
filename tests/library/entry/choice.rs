//! No one becomes another user without having been asked.

use crate::support::{Browser, Harness, ada, bob, by_password, token};
use vestibule::{
    entry::Entry,
    pending::TokenTag,
    session::SessionId,
    store::{SessionStore as _, UserStore as _},
    token::Token,
};

/// The current user and the user that the page offers.
async fn asked(browser: &mut Browser) -> (Option<String>, Vec<(TokenTag, String)>) {
    match browser.enter().await {
        Entry::ChooseAccount {
            current,
            candidates,
        } => {
            let named = candidates
                .into_iter()
                .map(|(tag, user)| (tag, user.display_name().to_owned()));
            (
                current.map(|user| user.display_name().to_owned()),
                named.collect(),
            )
        }
        other => panic!("the page asks: {other:?}"),
    }
}

/// A browser where Ada is signed in and Bob's link was confirmed.
async fn ada_with_bobs_link(harness: &Harness) -> (Browser, Token) {
    let bobs = token("bobs");
    let mut browser = harness.signed_in(&token("adas")).await;
    harness.bind(&mut browser, &bobs, bob()).await;
    (browser, bobs)
}

async fn session_of(harness: &Harness, browser: &Browser, token: &Token) -> SessionId {
    harness.confirmation(browser, token).await.session
}

#[tokio::test]
async fn another_users_link_asks_first_and_changes_nothing_until_it_is_answered() {
    let harness = Harness::open().await;
    harness.start_worker();
    let (mut browser, bobs) = ada_with_bobs_link(&harness).await;
    let before = (browser.session.clone(), browser.who().await);
    for _ in 0..2 {
        let (current, candidates) = asked(&mut browser).await;
        assert_eq!(current.as_deref(), Some("Ada"));
        assert_eq!(candidates, [(browser.tag(&bobs), "Bob".to_owned())]);
    }
    assert_eq!((browser.session.clone(), browser.who().await), before);
}

#[tokio::test]
async fn continuing_as_the_other_ends_the_session_before() {
    let harness = Harness::open().await;
    harness.start_worker();
    let (mut browser, bobs) = ada_with_bobs_link(&harness).await;
    let before = browser.clone();
    let choice = browser.tag(&bobs);
    browser.choose(Some(choice)).await;
    assert_eq!(browser.greeted().await.as_deref(), Some("Bob"));
    assert_eq!(before.who().await, None, "Ada's session has ended");
    assert_eq!(browser.cookie(&bobs), None);
}

#[tokio::test]
async fn staying_ends_the_other_link() {
    let harness = Harness::open().await;
    harness.start_worker();
    let (mut browser, bobs) = ada_with_bobs_link(&harness).await;
    let declined = session_of(&harness, &browser, &bobs).await;
    browser.choose(None).await;
    assert_eq!(browser.greeted().await.as_deref(), Some("Ada"));
    assert_eq!(harness.store.session(declined).await.unwrap(), None);
    assert_eq!(browser.cookie(&bobs), None);
}

#[tokio::test]
async fn two_links_of_two_people_ask_although_no_one_is_signed_in() {
    let harness = Harness::open().await;
    let adas = token("adas");
    let bobs = token("bobs");
    harness.start_worker();
    let mut browser = harness.bound(&adas, ada()).await;
    harness.bind(&mut browser, &bobs, bob()).await;
    let (current, mut candidates) = asked(&mut browser).await;
    assert_eq!(current, None);
    candidates.sort_by(|one, two| one.1.cmp(&two.1));
    assert_eq!(
        candidates,
        [
            (browser.tag(&adas), "Ada".to_owned()),
            (browser.tag(&bobs), "Bob".to_owned())
        ]
    );
    let choice = browser.tag(&bobs);
    let declined = session_of(&harness, &browser, &adas).await;
    browser.choose(Some(choice)).await;
    assert_eq!(browser.greeted().await.as_deref(), Some("Bob"));
    assert_eq!(
        harness.store.session(declined).await.unwrap(),
        None,
        "what was not chosen is ended"
    );
}

#[tokio::test]
async fn not_continuing_at_all_ends_both_links() {
    let harness = Harness::open().await;
    let adas = token("adas");
    let bobs = token("bobs");
    harness.start_worker();
    let mut browser = harness.bound(&adas, ada()).await;
    harness.bind(&mut browser, &bobs, bob()).await;
    assert_eq!(browser.choose(None).await, Entry::SignedOut);
    assert_eq!(browser.greeted().await, None);
}

#[tokio::test]
async fn a_choice_that_this_browser_does_not_have_changes_nothing() {
    let harness = Harness::open().await;
    harness.start_worker();
    let (mut browser, bobs) = ada_with_bobs_link(&harness).await;
    let elsewhere = TokenTag::from_bytes([9; 8]);
    browser.choose(Some(elsewhere)).await;
    assert_eq!(browser.who().await.unwrap().user.display_name(), "Ada");
    let (_, candidates) = asked(&mut browser).await;
    assert_eq!(
        candidates,
        [(browser.tag(&bobs), "Bob".to_owned())],
        "the question still stands"
    );
}

#[tokio::test]
async fn another_link_of_the_same_person_is_exchanged_and_the_older_session_ends() {
    let harness = Harness::open().await;
    let second = token("second");
    harness.start_worker();
    let mut browser = harness.signed_in(&token("first")).await;
    let older = browser.clone();
    let user = older.who().await.unwrap().user;
    harness.bind(&mut browser, &second, ada()).await;
    assert_eq!(browser.greeted().await.as_deref(), Some("Ada"));
    assert_ne!(browser.session, older.session);
    assert_eq!(older.who().await, None);
    assert!(browser.who().await.is_some());
    assert_eq!(harness.store.sessions_of(user.id).await.unwrap().len(), 1);
    assert!(harness.store.user(user.id).await.unwrap().is_some());
}

#[tokio::test]
async fn two_links_of_one_person_leave_one_session_whatever_the_order() {
    let harness = Harness::open().await;
    let one = token("one");
    let two = token("two");
    harness.start_worker();
    let mut browser = harness.bound(&one, ada()).await;
    harness.bind(&mut browser, &two, ada()).await;
    let mut other_tab = browser.clone();
    browser.enter().await;
    other_tab.enter().await;
    assert_eq!(
        browser.session, other_tab.session,
        "tabs that show the same cookies take the same link"
    );
    browser.enter().await;
    let user = browser.who().await.expect("Ada").user;
    assert_eq!(harness.store.sessions_of(user.id).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_password_sign_in_ends_the_session_before_it() {
    let harness = Harness::open().await;
    harness.start_worker();
    let mut browser = harness.signed_in(&token("link")).await;
    let before = browser.clone();
    let user = browser.who().await.unwrap().user.id;
    browser.session = Some(by_password(&harness.sign_ins, user, &browser.shown()).await);
    assert_ne!(browser.session, before.session, "the secret is renewed");
    assert_eq!(before.who().await, None);
    assert!(browser.who().await.is_some());
}
