//! A user disabled by an operator cannot sign in until they are enabled again.

use crate::support::{House, ada, rejected, token};
use std::time::Duration;
use vestibule::{confirmation::Rejection, entry::Entry, store::UserStore as _, validator::Verdict};

#[tokio::test]
async fn a_session_signs_a_disabled_user_in_no_more_also_once_they_are_enabled_but_a_new_one_does()
{
    let house = House::open().await;
    let link = token("link");
    house.start_worker();
    let browser = house.signed_in(&link).await;
    let user = browser.who().await.expect("she is signed in").user.id;
    house.advance(Duration::from_millis(1));
    assert!(
        house
            .store
            .disable_user(user, true, house.now())
            .await
            .unwrap()
    );
    assert_eq!(browser.who().await, None);
    assert!(!house.desk.would_enter(&browser.shown()).await.unwrap());
    assert!(
        house
            .store
            .disable_user(user, false, house.now())
            .await
            .unwrap()
    );
    assert_eq!(
        browser.who().await,
        None,
        "a thief who had it then must not have it now"
    );
    assert!(
        house
            .signed_in(&token("another"))
            .await
            .who()
            .await
            .is_some()
    );
}

#[tokio::test]
async fn a_session_that_waits_for_a_disabled_user_lets_no_one_in() {
    let house = House::open().await;
    let link = token("link");
    house.start_worker();
    let mut browser = house.bound(&link, ada()).await;
    let user = house
        .store
        .user_by_identity("practice", "Ada")
        .await
        .unwrap()
        .expect("she is known")
        .id;
    house
        .store
        .disable_user(user, true, house.now())
        .await
        .unwrap();
    assert!(
        !house.desk.would_enter(&browser.shown()).await.unwrap(),
        "or the login page would send them on"
    );
    assert_eq!(browser.enter().await, Entry::Stranger);
}

#[tokio::test]
async fn a_good_link_of_a_disabled_user_is_said_to_be_no_good() {
    let house = House::open().await;
    let link = token("link");
    house.start_worker();
    let browser = house.signed_in(&link).await;
    let user = browser.who().await.expect("she is signed in").user.id;
    house
        .store
        .disable_user(user, true, house.now())
        .await
        .unwrap();
    house.begun(&token("another")).await;
    house.question().await.answer(Ok(Verdict::Valid(ada())));
    assert_eq!(house.outcome().await, rejected(Rejection::Invalid));
}
