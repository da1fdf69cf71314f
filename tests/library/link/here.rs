//! The link is opened in the browser that asked for it.

use super::harness::{LinkHarness, ada, browser};
use crate::support::{Plan, confirmed, rejected, token};
use std::time::Duration;
use vestibule::{
    caps::{Capped, Caps},
    confirmation::Rejection,
    link::{InvalidLink, LIFETIME, RESEND_AFTER},
    secret::SystemEntropy,
    sign_ins::{Progress, Step},
    store::{LinkStore as _, UserStore as _},
    user::{Identity, PASSWORD_ISSUER, User, UserId},
};

#[tokio::test]
async fn the_browser_that_asked_is_let_in_at_once_without_asking_the_validator() {
    let harness = LinkHarness::open().await;
    harness.start_mail_worker();
    let (waiting, letter) = harness.written_to().await;
    let shown = |token: &_| (*token == waiting.token).then(|| waiting.cookie());
    assert_eq!(
        harness.links.asked_here(&letter.link, shown),
        Some(waiting.token.clone())
    );
    harness.links.open_here(&letter.link).await.unwrap();
    assert_eq!(harness.outcome_without_a_question().await, confirmed());
    assert_eq!(harness.status(&waiting).await, Progress::Done(confirmed()));
    let known = harness
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
    let harness = LinkHarness::open().await;
    harness.start_mail_worker();
    let (_, letter) = harness.written_to().await;
    let other = harness.asked_for(&"bob@example.com".parse().unwrap()).await;
    assert_eq!(harness.links.asked_here(&letter.link, |_| None), None);
    assert_eq!(
        harness
            .links
            .asked_here(&letter.link, |_| Some(other.cookie())),
        None,
        "a cookie of another link"
    );
}

#[tokio::test]
async fn a_known_user_keeps_their_name() {
    let harness = LinkHarness::at_work().await;
    let email = Some("ada@example.com".to_owned());
    let name = Some("Ada Lovelace".to_owned());
    let identity = Identity {
        issuer: PASSWORD_ISSUER.into(),
        subject: "ada@example.com".into(),
        name,
        email,
    };
    let ada = User::new(UserId::generate(&SystemEntropy), identity, harness.now());
    harness.store.put_user(&ada, Some("$hash")).await.unwrap();
    let (_, letter) = harness.written_to().await;
    harness.links.open_here(&letter.link).await.unwrap();
    assert_eq!(harness.outcome().await, confirmed());
    assert_eq!(harness.store.user(ada.id).await.unwrap(), Some(ada));
}

#[tokio::test]
async fn a_server_that_is_killed_after_the_link_was_opened_leaves_the_rest_to_a_worker() {
    let harness = LinkHarness::open().await;
    harness.start_mail_worker();
    let (_, letter) = harness.written_to().await;
    let link = harness
        .store
        .link_by_token(&letter.link.hash())
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
    harness.start_worker();
    assert_eq!(harness.outcome_without_a_question().await, confirmed());
}

#[tokio::test]
async fn an_unopened_link_expires_and_says_so() {
    let harness = LinkHarness::at_work().await;
    let (waiting, letter) = harness.written_to().await;
    assert_eq!(
        harness.status(&waiting).await,
        Progress::Waiting(Step::Queued)
    );
    harness.advance(LIFETIME);
    assert_eq!(
        harness.outcome_without_a_question().await,
        rejected(Rejection::Expired)
    );
    assert_eq!(
        harness.links.open_here(&letter.link).await,
        Err(InvalidLink::Expired.into())
    );
}

#[tokio::test]
async fn a_newer_link_takes_the_former_ones_of_the_same_address_back() {
    let harness = LinkHarness::at_work().await;
    let bob = harness.asked_for(&"bob@example.com".parse().unwrap()).await;
    harness.letter().await;
    let former = harness.asked_as(browser(1, "hers")).await;
    let old = harness.letter().await;
    harness.advance(RESEND_AFTER);
    let _ = harness.asked_as(browser(1, "hers")).await;
    let new = harness.letter().await;
    assert_eq!(
        harness.outcome_without_a_question().await,
        rejected(Rejection::Expired)
    );
    assert_eq!(
        harness.status(&former).await,
        Progress::Done(rejected(Rejection::Expired))
    );
    assert_eq!(
        harness.links.open_here(&old.link).await,
        Err(InvalidLink::Expired.into())
    );
    assert_eq!(harness.links.open_here(&new.link).await, Ok(()));
    assert_eq!(harness.status(&bob).await, Progress::Waiting(Step::Queued));
}

#[tokio::test]
async fn an_address_at_its_limit_is_sent_no_more_and_the_requester_cannot_tell() {
    let harness = LinkHarness::at_work().await;
    harness.flooded().await;
    let waiting = harness.asked().await;
    assert_eq!(
        harness.status(&waiting).await,
        Progress::Waiting(Step::Queued)
    );
    harness.asked_for(&"bob@example.com".parse().unwrap()).await;
    assert_eq!(
        harness.sent().await.to.as_str(),
        "bob@example.com",
        "nothing was sent to Ada before it"
    );
    harness.advance(Duration::from_hours(1));
    harness.asked().await;
    assert_eq!(harness.sent().await.to, ada());
}

#[tokio::test]
async fn cancelling_revokes_the_link() {
    let harness = LinkHarness::at_work().await;
    let (waiting, letter) = harness.written_to().await;
    let report = harness
        .links
        .cancel(&waiting.token, Some(waiting.cookie()))
        .await
        .unwrap();
    assert_eq!(
        report.progress,
        Progress::Done(rejected(Rejection::Cancelled))
    );
    assert_eq!(
        harness.links.open_here(&letter.link).await,
        Err(InvalidLink::Expired.into())
    );
    assert_eq!(
        harness.status(&waiting).await,
        Progress::Done(rejected(Rejection::Cancelled))
    );
}

#[tokio::test]
async fn those_who_wait_for_mail_leave_room_for_those_who_do_not() {
    let caps = Caps {
        in_all: 4,
        ..Caps::default()
    };
    let harness = LinkHarness::built(Plan {
        caps,
        ..Plan::default()
    })
    .await;
    for _ in 0..2 {
        harness.asked().await;
    }
    assert_eq!(harness.refused(&ada(), 1).await, Capped::All);
    for name in ["first", "second"] {
        harness.begun(&token(name)).await;
    }
    let mut browser = harness.browser();
    browser.land(&token("third"));
    assert!(browser.try_to_begin(&token("third"), false).await.is_err());
}
