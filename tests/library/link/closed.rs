//! Registration is closed: links sign in those who are known, and those whom an operator invites.

use super::house::{LinkHouse, ada};
use crate::support::{confirmed, rejected};
use std::time::Duration;
use vestibule::{
    confirmation::Rejection,
    link::{LinkStore as _, Registration},
    secret::SystemEntropy,
    user::{Identity, PASSWORD_ISSUER, User, UserId, UserStore as _},
    vestibule::Progress,
};

async fn closed() -> LinkHouse {
    let mut house = LinkHouse::at_work().await;
    house.links = house.links.clone().with_registration(Registration::Closed);
    house
}

async fn put_bob(house: &LinkHouse) {
    let subject = "bob@example.com".to_owned();
    let identity = Identity { issuer: PASSWORD_ISSUER.into(), email: Some(subject.clone()), subject, name: None };
    let bob = User { id: UserId::generate(&SystemEntropy), identity, since: house.now() };
    house.store.put_user(&bob, None).await.unwrap();
}

#[tokio::test]
async fn whoever_is_known_is_written_to_and_whoever_is_not_sees_no_difference() {
    let house = closed().await;
    put_bob(&house).await;
    let waiting = house.asked().await;
    assert_eq!(house.status(&waiting).await, Progress::Queued);
    let link = house.links.waited_for(&waiting.token, Some(waiting.cookie())).await.unwrap().unwrap();
    assert_eq!(link.address, ada());
    house.asked_for(&"bob@example.com".parse().unwrap()).await;
    assert_eq!(house.sent().await.to.as_str(), "bob@example.com", "nothing was sent to Ada before it");
}

#[tokio::test]
async fn a_link_of_which_nobody_has_heard_lets_nobody_in_even_if_it_is_guessed() {
    let house = closed().await;
    let waiting = house.asked().await;
    let link = house.links.waited_for(&waiting.token, Some(waiting.cookie())).await.unwrap().unwrap();
    assert!(house.store.replace_link(&link.approve(house.now()).unwrap()).await.unwrap());
    house.wake.notify_one();
    assert_eq!(house.outcome_without_a_question().await, rejected(Rejection::Expired));
    assert_eq!(house.store.user_by_identity(PASSWORD_ISSUER, "ada@example.com").await.unwrap(), None);
}

#[tokio::test]
async fn whom_an_operator_invites_comes_in() {
    let house = closed().await;
    let token = house.links.create(&ada(), Duration::from_hours(24)).await.unwrap();
    house.advance(Duration::from_hours(23));
    let mut browser = house.begun(&token).await;
    assert_eq!(house.outcome_without_a_question().await, confirmed());
    assert_eq!(browser.greeted().await.as_deref(), Some("ada@example.com"));
}
