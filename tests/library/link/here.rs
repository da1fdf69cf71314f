//! The link is opened in the browser that asked for it.

use super::house::{LinkHouse, ada, browser};
use crate::support::{Plan, confirmed, rejected, token};
use std::time::Duration;
use vestibule::{
    caps::{Capped, Caps},
    confirmation::Rejection,
    link::{InvalidLink, LIFETIME, RESEND_AFTER},
    secret::SystemEntropy,
    store::{LinkStore as _, UserStore as _},
    user::{Identity, PASSWORD_ISSUER, User, UserId},
    vestibule::{Progress, Step},
};

#[tokio::test]
async fn the_browser_that_asked_is_let_in_at_once_without_asking_the_validator() {
    let house = LinkHouse::open().await;
    house.start_postman();
    let (waiting, letter) = house.written_to().await;
    let shown = |token: &_| (*token == waiting.token).then(|| waiting.cookie());
    assert_eq!(
        house.links.asked_here(&letter.link, shown),
        Some(waiting.token.clone())
    );
    house.links.open_here(&letter.link).await.unwrap();
    assert_eq!(house.outcome_without_a_question().await, confirmed());
    assert_eq!(house.status(&waiting).await, Progress::Done(confirmed()));
    let known = house
        .store
        .user_by_identity(PASSWORD_ISSUER, "ada@example.com")
        .await
        .unwrap();
    assert_eq!(
        known.map(|user| user.identity.email),
        Some(Some("ada@example.com".into()))
    );
}

#[tokio::test]
async fn another_browser_is_not_the_one_that_asked() {
    let house = LinkHouse::open().await;
    house.start_postman();
    let (_, letter) = house.written_to().await;
    let other = house.asked_for(&"bob@example.com".parse().unwrap()).await;
    assert_eq!(house.links.asked_here(&letter.link, |_| None), None);
    assert_eq!(
        house
            .links
            .asked_here(&letter.link, |_| Some(other.cookie())),
        None,
        "a cookie of another link"
    );
}

#[tokio::test]
async fn a_known_user_keeps_their_name() {
    let house = LinkHouse::at_work().await;
    let email = Some("ada@example.com".to_owned());
    let name = Some("Ada Lovelace".to_owned());
    let identity = Identity {
        issuer: PASSWORD_ISSUER.into(),
        subject: "ada@example.com".into(),
        name,
        email,
    };
    let ada = User::new(UserId::generate(&SystemEntropy), identity, house.now());
    house.store.put_user(&ada, Some("$hash")).await.unwrap();
    let (_, letter) = house.written_to().await;
    house.links.open_here(&letter.link).await.unwrap();
    assert_eq!(house.outcome().await, confirmed());
    assert_eq!(house.store.user(ada.id).await.unwrap(), Some(ada));
}

#[tokio::test]
async fn a_server_that_is_killed_after_the_link_was_opened_leaves_the_rest_to_a_worker() {
    let house = LinkHouse::open().await;
    house.start_postman();
    let (_, letter) = house.written_to().await;
    let link = house
        .store
        .link_by_token(&letter.link.hash())
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
    house.start_worker();
    assert_eq!(house.outcome_without_a_question().await, confirmed());
}

#[tokio::test]
async fn an_unopened_link_expires_and_says_so() {
    let house = LinkHouse::at_work().await;
    let (waiting, letter) = house.written_to().await;
    assert_eq!(
        house.status(&waiting).await,
        Progress::Waiting(Step::Queued)
    );
    house.advance(LIFETIME);
    assert_eq!(
        house.outcome_without_a_question().await,
        rejected(Rejection::Expired)
    );
    assert_eq!(
        house.links.open_here(&letter.link).await,
        Err(InvalidLink::Expired.into())
    );
}

#[tokio::test]
async fn a_newer_link_takes_the_former_ones_of_the_same_address_back() {
    let house = LinkHouse::at_work().await;
    let bob = house.asked_for(&"bob@example.com".parse().unwrap()).await;
    house.letter().await;
    let former = house.asked_as(browser(1, "hers")).await;
    let old = house.letter().await;
    house.advance(RESEND_AFTER);
    let _ = house.asked_as(browser(1, "hers")).await;
    let new = house.letter().await;
    assert_eq!(
        house.outcome_without_a_question().await,
        rejected(Rejection::Expired)
    );
    assert_eq!(
        house.status(&former).await,
        Progress::Done(rejected(Rejection::Expired))
    );
    assert_eq!(
        house.links.open_here(&old.link).await,
        Err(InvalidLink::Expired.into())
    );
    assert_eq!(house.links.open_here(&new.link).await, Ok(()));
    assert_eq!(house.status(&bob).await, Progress::Waiting(Step::Queued));
}

#[tokio::test]
async fn an_address_at_its_limit_is_sent_no_more_and_the_requester_cannot_tell() {
    let house = LinkHouse::at_work().await;
    house.flooded().await;
    let waiting = house.asked().await;
    assert_eq!(
        house.status(&waiting).await,
        Progress::Waiting(Step::Queued)
    );
    house.asked_for(&"bob@example.com".parse().unwrap()).await;
    assert_eq!(
        house.sent().await.to.as_str(),
        "bob@example.com",
        "nothing was sent to Ada before it"
    );
    house.advance(Duration::from_hours(1));
    house.asked().await;
    assert_eq!(house.sent().await.to, ada());
}

#[tokio::test]
async fn cancelling_revokes_the_link() {
    let house = LinkHouse::at_work().await;
    let (waiting, letter) = house.written_to().await;
    let report = house
        .links
        .cancel(&waiting.token, Some(waiting.cookie()))
        .await
        .unwrap();
    assert_eq!(
        report.progress,
        Progress::Done(rejected(Rejection::Cancelled))
    );
    assert_eq!(
        house.links.open_here(&letter.link).await,
        Err(InvalidLink::Expired.into())
    );
    assert_eq!(
        house.status(&waiting).await,
        Progress::Done(rejected(Rejection::Cancelled))
    );
}

#[tokio::test]
async fn those_who_wait_for_mail_leave_room_for_those_who_do_not() {
    let caps = Caps {
        in_all: 4,
        ..Caps::default()
    };
    let house = LinkHouse::built(Plan {
        caps,
        ..Plan::default()
    })
    .await;
    for _ in 0..2 {
        house.asked().await;
    }
    assert_eq!(house.refused(&ada(), 1).await, Capped::All);
    for name in ["first", "second"] {
        house.begun(&token(name)).await;
    }
    let mut browser = house.browser();
    browser.land(&token("third"));
    assert!(browser.try_to_begin(&token("third"), false).await.is_err());
}
