//! Registration is closed: links sign in known users and those an operator invites.

use super::house::{LinkHouse, ada};
use crate::support::{confirmed, rejected};
use std::time::Duration;
use vestibule::{
    confirmation::Rejection,
    link::{self, InvalidLink, Registration},
    secret::SystemEntropy,
    store::{LinkStore as _, UserStore as _},
    token::Token,
    user::PASSWORD_ISSUER,
    vestibule::{Progress, Step},
};

async fn closed() -> LinkHouse {
    let mut house = LinkHouse::at_work().await;
    house.links = house.links.clone().with_registration(Registration::Closed);
    house
}

#[tokio::test]
async fn only_known_users_are_mailed_and_the_requester_cannot_tell() {
    let house = closed().await;
    house.put_bob().await;
    let waiting = house.asked().await;
    assert_eq!(
        house.status(&waiting).await,
        Progress::Waiting(Step::Queued)
    );
    let link = house
        .links
        .waited_for(&waiting.token, Some(waiting.cookie()))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(link.address, ada());
    house.asked_for(&"bob@example.com".parse().unwrap()).await;
    let sent = house.sent().await;
    assert_eq!(
        sent.to.as_str(),
        "bob@example.com",
        "nothing was sent to Ada before it"
    );
    sent.answer(Ok(()));
    house.nothing_is_left().await;
}

#[tokio::test]
async fn a_disabled_user_gets_no_mail_and_their_links_are_invalid() {
    let house = closed().await;
    house.put_bob().await;
    let bob = house
        .store
        .user_by_identity(PASSWORD_ISSUER, "bob@example.com")
        .await
        .unwrap()
        .expect("he is known")
        .id;
    let address = "bob@example.com".parse().unwrap();
    house.asked_for(&address).await;
    let letter = house.letter().await;
    house
        .store
        .disable_user(bob, true, house.now())
        .await
        .unwrap();
    // As it looks by itself from time to time.
    house.wake.notify_one();
    assert_eq!(
        house.links.open_here(&letter.link).await,
        Err(InvalidLink::Expired.into())
    );
    assert_eq!(
        house.outcome_without_a_question().await,
        rejected(Rejection::Expired)
    );
    house.asked_for(&address).await;
    house.nothing_is_left().await;
    house
        .store
        .disable_user(bob, false, house.now())
        .await
        .unwrap();
    house.asked_for(&address).await;
    assert_eq!(house.sent().await.to, address);
}

#[tokio::test]
async fn a_link_that_was_never_sent_lets_no_one_in_even_if_it_is_guessed() {
    let house = closed().await;
    let waiting = house.asked().await;
    let link = house
        .links
        .waited_for(&waiting.token, Some(waiting.cookie()))
        .await
        .unwrap()
        .unwrap();
    assert!(
        house
            .store
            .replace_link(&link.approve(house.now()).unwrap())
            .await
            .unwrap()
    );
    house.wake.notify_one();
    assert_eq!(
        house.outcome_without_a_question().await,
        rejected(Rejection::Expired)
    );
    assert_eq!(
        house
            .store
            .user_by_identity(PASSWORD_ISSUER, "ada@example.com")
            .await
            .unwrap(),
        None
    );
}

/// A link that an operator hands to Ada.
async fn invited(house: &LinkHouse) -> Token {
    let day = Duration::from_hours(24);
    let link = link::create(
        &house.store,
        house.desk.keys(),
        &SystemEntropy,
        house.now(),
        &ada(),
        day,
    )
    .await;
    house.token(&link.unwrap())
}

async fn remove_bob(house: &LinkHouse) {
    let bob = house
        .store
        .user_by_identity(PASSWORD_ISSUER, "bob@example.com")
        .await
        .unwrap()
        .expect("he is known");
    assert!(house.store.remove_user(bob.id).await.unwrap());
}

#[tokio::test]
async fn a_link_on_its_way_to_a_removed_user_no_longer_lets_them_in() {
    let house = closed().await;
    house.put_bob().await;
    let waiting = house.asked_for(&"bob@example.com".parse().unwrap()).await;
    let letter = house.letter().await;
    remove_bob(&house).await;
    assert_eq!(
        house.links.look(&letter.link).await,
        Err(InvalidLink::Expired.into())
    );
    house.wake.notify_one();
    assert_eq!(
        house.outcome_without_a_question().await,
        rejected(Rejection::Expired)
    );
    assert_eq!(
        house.status(&waiting).await,
        Progress::Done(rejected(Rejection::Expired))
    );
    house.begun(&house.token(&letter.link)).await;
    assert_eq!(
        house.outcome_without_a_question().await,
        rejected(Rejection::Expired)
    );
    assert_eq!(
        house
            .store
            .user_by_identity(PASSWORD_ISSUER, "bob@example.com")
            .await
            .unwrap(),
        None
    );
}

#[tokio::test]
async fn nor_does_one_that_was_let_in_and_not_judged_yet() {
    let mut house = LinkHouse::open().await;
    house.links = house.links.clone().with_registration(Registration::Closed);
    house.start_postman();
    house.put_bob().await;
    let waiting = house.asked_for(&"bob@example.com".parse().unwrap()).await;
    let link = house
        .links
        .waited_for(&waiting.token, Some(waiting.cookie()))
        .await
        .unwrap()
        .unwrap();
    assert!(
        house
            .store
            .replace_link(&link.approve(house.now()).unwrap())
            .await
            .unwrap()
    );
    remove_bob(&house).await;
    house.start_worker();
    assert_eq!(
        house.outcome_without_a_question().await,
        rejected(Rejection::Expired)
    );
    assert_eq!(
        house
            .store
            .user_by_identity(PASSWORD_ISSUER, "bob@example.com")
            .await
            .unwrap(),
        None
    );
}

#[tokio::test]
async fn a_removed_user_does_not_come_back_by_an_operators_link_from_before_but_by_a_new_one() {
    let house = closed().await;
    let first = invited(&house).await;
    let second = invited(&house).await;
    house.begun(&first).await;
    assert_eq!(house.outcome_without_a_question().await, confirmed());
    let user = house
        .store
        .user_by_identity(PASSWORD_ISSUER, "ada@example.com")
        .await
        .unwrap()
        .expect("she is known");
    assert!(house.store.remove_user(user.id).await.unwrap());
    house.begun(&second).await;
    assert_eq!(
        house.outcome_without_a_question().await,
        rejected(Rejection::Expired)
    );
    house.begun(&invited(&house).await).await;
    assert_eq!(house.outcome_without_a_question().await, confirmed());
}

#[tokio::test]
async fn where_registration_is_open_a_removed_user_may_ask_for_another_link() {
    let mut house = closed().await;
    house.links = house.links.clone().with_registration(Registration::Open);
    house.put_bob().await;
    remove_bob(&house).await;
    house.asked_for(&"bob@example.com".parse().unwrap()).await;
    house.begun(&house.token(&house.letter().await.link)).await;
    assert_eq!(house.outcome_without_a_question().await, confirmed());
}

#[tokio::test]
async fn a_person_invited_by_an_operator_is_let_in() {
    let house = closed().await;
    let token = invited(&house).await;
    house.advance(Duration::from_hours(23));
    let mut browser = house.begun(&token).await;
    assert_eq!(house.outcome_without_a_question().await, confirmed());
    assert_eq!(browser.greeted().await.as_deref(), Some("ada@example.com"));
}
