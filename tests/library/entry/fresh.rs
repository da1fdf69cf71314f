//! How old a sign-in may be: for actions that an unattended browser must not allow, and after a
//! change of how the user signs in.

use crate::support::{Browser, House, ada, by_password, token};
use std::time::Duration;
use vestibule::entry::{Entry, Shown};

const MOMENT: Duration = Duration::from_millis(1);

#[tokio::test]
async fn a_proof_of_identity_grows_old() {
    let house = House::open().await;
    let link = token("link");
    house.start_worker();
    let browser = house.signed_in(&link).await;
    for (after, fresh) in [
        (Duration::ZERO, true),
        (Duration::from_mins(19), true),
        (Duration::from_mins(1), false),
    ] {
        house.advance(after);
        assert_eq!(
            browser
                .who()
                .await
                .expect("she stays signed in")
                .is_fresh(house.now()),
            fresh
        );
    }
}

#[tokio::test]
async fn a_new_password_ends_every_session_that_began_before_even_if_none_is_deleted() {
    let house = House::open().await;
    house.start_worker();
    let browser = house.signed_in(&token("link")).await;
    let mut waiting = house.bound(&token("another"), ada()).await;
    let who = browser.who().await.expect("she is signed in");
    let user = who.user.id;
    let before = house.now();
    house.advance(MOMENT);
    assert_eq!(
        house.desk.set_password(&who, "$hash").await.unwrap(),
        Some(house.now())
    );
    assert_eq!(browser.who().await, None);
    assert_eq!(waiting.enter().await, Entry::Stranger);
    // The former password, which began to be checked before it was changed, or was read then and
    // checked after it.
    for since in [before, house.now()] {
        assert_eq!(
            house
                .desk
                .sign_in(user, who.user.valid_from, since, &Shown::default())
                .await
                .unwrap(),
            None
        );
    }
    let late = house
        .desk
        .sign_in(user, house.now(), before, &Shown::default())
        .await
        .unwrap();
    assert_eq!(
        Browser::holding(house.desk.clone(), late.expect("nothing changes now"))
            .who()
            .await,
        None
    );
    let new = by_password(&house.desk, user, &Shown::default()).await;
    let new = Browser::holding(house.desk.clone(), new);
    let who = new.who().await.expect("she has the new password");
    assert_eq!(
        house.desk.own_sessions(&who).await.unwrap().len(),
        1,
        "a session that signs no one in is not shown"
    );
}

#[tokio::test]
async fn a_sign_in_that_is_refused_leaves_the_browser_signed_in_as_it_was() {
    let house = House::open().await;
    house.start_worker();
    let browser = house.signed_in(&token("link")).await;
    let who = browser.who().await.expect("she is signed in");
    let outdated = house.now() + Duration::from_secs(1);
    let refused = house
        .desk
        .sign_in(who.user.id, outdated, house.now(), &browser.shown())
        .await;
    assert_eq!(refused.unwrap(), None);
    assert_eq!(browser.who().await, Some(who.clone()));
    assert_eq!(
        house.desk.own_sessions(&who).await.unwrap().len(),
        1,
        "nothing is left of it"
    );
}
