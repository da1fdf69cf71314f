//! Registration is closed: links sign in known users and those an operator invites.

use super::harness::{LinkHarness, ada};
use crate::support::{confirmed, rejected};
use std::time::Duration;
use vestibule::{
    confirmation::Rejection,
    link::{self, InvalidLink, Registration},
    secret::SystemEntropy,
    sign_ins::{Progress, Step},
    store::{LinkStore as _, UserStore as _},
    token::Token,
    user::PASSWORD_ISSUER,
};

async fn closed() -> LinkHarness {
    let mut harness = LinkHarness::at_work().await;
    harness.links = harness
        .links
        .clone()
        .with_registration(Registration::Closed);
    harness
}

#[tokio::test]
async fn only_known_users_are_mailed_and_the_requester_cannot_tell() {
    let harness = closed().await;
    harness.put_bob().await;
    let waiting = harness.asked().await;
    assert_eq!(
        harness.status(&waiting).await,
        Progress::Waiting(Step::Queued)
    );
    let link = harness
        .links
        .waited_for(&waiting.token, Some(waiting.cookie()))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(link.address, ada());
    harness.asked_for(&"bob@example.com".parse().unwrap()).await;
    let sent = harness.sent().await;
    assert_eq!(
        sent.to.as_str(),
        "bob@example.com",
        "nothing was sent to Ada before it"
    );
    sent.answer(Ok(()));
    harness.nothing_is_left().await;
}

#[tokio::test]
async fn a_disabled_user_gets_no_mail_and_their_links_are_invalid() {
    let harness = closed().await;
    harness.put_bob().await;
    let bob = harness
        .store
        .user_by_identity(PASSWORD_ISSUER, "bob@example.com")
        .await
        .unwrap()
        .expect("he is known")
        .id;
    let address = "bob@example.com".parse().unwrap();
    harness.asked_for(&address).await;
    let letter = harness.letter().await;
    harness
        .store
        .disable_user(bob, true, harness.now())
        .await
        .unwrap();
    // As it looks by itself from time to time.
    harness.dispatch.wake();
    assert_eq!(
        harness.links.open_here(&letter.link).await,
        Err(InvalidLink::Expired.into())
    );
    assert_eq!(
        harness.outcome_without_a_question().await,
        rejected(Rejection::Expired)
    );
    harness.asked_for(&address).await;
    harness.nothing_is_left().await;
    harness
        .store
        .disable_user(bob, false, harness.now())
        .await
        .unwrap();
    harness.asked_for(&address).await;
    assert_eq!(harness.sent().await.to, address);
}

#[tokio::test]
async fn a_link_that_was_never_sent_lets_no_one_in_even_if_it_is_guessed() {
    let harness = closed().await;
    let waiting = harness.asked().await;
    let link = harness
        .links
        .waited_for(&waiting.token, Some(waiting.cookie()))
        .await
        .unwrap()
        .unwrap();
    assert!(
        harness
            .store
            .replace_link(&link.approve(harness.now()).unwrap())
            .await
            .unwrap()
    );
    harness.dispatch.wake();
    assert_eq!(
        harness.outcome_without_a_question().await,
        rejected(Rejection::Expired)
    );
    assert_eq!(
        harness
            .store
            .user_by_identity(PASSWORD_ISSUER, "ada@example.com")
            .await
            .unwrap(),
        None
    );
}

/// A link that an operator hands to Ada.
async fn invited(harness: &LinkHarness) -> Token {
    let day = Duration::from_hours(24);
    let link = link::create(
        &harness.store,
        harness.sign_ins.keys(),
        &SystemEntropy,
        harness.now(),
        &ada(),
        day,
    )
    .await;
    harness.token(&link.unwrap())
}

async fn remove_bob(harness: &LinkHarness) {
    let bob = harness
        .store
        .user_by_identity(PASSWORD_ISSUER, "bob@example.com")
        .await
        .unwrap()
        .expect("he is known");
    assert!(harness.store.remove_user(bob.id).await.unwrap());
}

#[tokio::test]
async fn a_link_on_its_way_to_a_removed_user_no_longer_lets_them_in() {
    let harness = closed().await;
    harness.put_bob().await;
    let waiting = harness.asked_for(&"bob@example.com".parse().unwrap()).await;
    let letter = harness.letter().await;
    remove_bob(&harness).await;
    assert_eq!(
        harness.links.look(&letter.link).await,
        Err(InvalidLink::Expired.into())
    );
    harness.dispatch.wake();
    assert_eq!(
        harness.outcome_without_a_question().await,
        rejected(Rejection::Expired)
    );
    assert_eq!(
        harness.status(&waiting).await,
        Progress::Done(rejected(Rejection::Expired))
    );
    harness.begun(&harness.token(&letter.link)).await;
    assert_eq!(
        harness.outcome_without_a_question().await,
        rejected(Rejection::Expired)
    );
    assert_eq!(
        harness
            .store
            .user_by_identity(PASSWORD_ISSUER, "bob@example.com")
            .await
            .unwrap(),
        None
    );
}

#[tokio::test]
async fn nor_does_one_that_was_let_in_and_not_judged_yet() {
    let mut harness = LinkHarness::open().await;
    harness.links = harness
        .links
        .clone()
        .with_registration(Registration::Closed);
    harness.start_mail_worker();
    harness.put_bob().await;
    let waiting = harness.asked_for(&"bob@example.com".parse().unwrap()).await;
    let link = harness
        .links
        .waited_for(&waiting.token, Some(waiting.cookie()))
        .await
        .unwrap()
        .unwrap();
    assert!(
        harness
            .store
            .replace_link(&link.approve(harness.now()).unwrap())
            .await
            .unwrap()
    );
    remove_bob(&harness).await;
    harness.start_worker();
    assert_eq!(
        harness.outcome_without_a_question().await,
        rejected(Rejection::Expired)
    );
    assert_eq!(
        harness
            .store
            .user_by_identity(PASSWORD_ISSUER, "bob@example.com")
            .await
            .unwrap(),
        None
    );
}

#[tokio::test]
async fn a_removed_user_does_not_come_back_by_an_operators_link_from_before_but_by_a_new_one() {
    let harness = closed().await;
    let first = invited(&harness).await;
    let second = invited(&harness).await;
    harness.begun(&first).await;
    assert_eq!(harness.outcome_without_a_question().await, confirmed());
    let user = harness
        .store
        .user_by_identity(PASSWORD_ISSUER, "ada@example.com")
        .await
        .unwrap()
        .expect("she is known");
    assert!(harness.store.remove_user(user.id).await.unwrap());
    harness.begun(&second).await;
    assert_eq!(
        harness.outcome_without_a_question().await,
        rejected(Rejection::Expired)
    );
    harness.begun(&invited(&harness).await).await;
    assert_eq!(harness.outcome_without_a_question().await, confirmed());
}

#[tokio::test]
async fn where_registration_is_open_a_removed_user_may_ask_for_another_link() {
    let mut harness = closed().await;
    harness.links = harness.links.clone().with_registration(Registration::Open);
    harness.put_bob().await;
    remove_bob(&harness).await;
    harness.asked_for(&"bob@example.com".parse().unwrap()).await;
    harness
        .begun(&harness.token(&harness.letter().await.link))
        .await;
    assert_eq!(harness.outcome_without_a_question().await, confirmed());
}

#[tokio::test]
async fn a_person_invited_by_an_operator_is_let_in() {
    let harness = closed().await;
    let token = invited(&harness).await;
    harness.advance(Duration::from_hours(23));
    let mut browser = harness.begun(&token).await;
    assert_eq!(harness.outcome_without_a_question().await, confirmed());
    assert_eq!(browser.greeted().await.as_deref(), Some("ada@example.com"));
}
