//! Mails, waiting browsers and guesses are capped, and a client at its cap does not affect others.

use super::harness::{LinkHarness, ada};
use crate::support::{Plan, by_password, confirmed};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use vestibule::{
    caps::{Capped, Caps},
    email_address::Address,
    entry::PresentedSecrets,
    link::{self, InvalidLink, WINDOW},
    pending::{PendingCookie, TokenTag},
    secret::SystemEntropy,
    store::{ConfirmationQueue as _, LinkStore as _, MailStore as _, UserStore as _},
    user::PASSWORD_ISSUER,
};

fn person(number: usize) -> Address {
    format!("p{number}@example.com").parse().unwrap()
}

#[tokio::test]
async fn the_code_of_a_link_that_was_never_mailed_lets_no_one_in() {
    let harness = LinkHarness::at_work().await;
    harness.flooded().await;
    let waiting = harness.asked().await;
    let link = harness
        .links
        .waited_for(&waiting.token, Some(waiting.cookie()))
        .await
        .unwrap()
        .unwrap();
    assert!(
        link.guess(true, harness.now())
            .is_ok_and(|guessed| guessed.guesses == 1),
        "as if it were wrong"
    );
}

#[tokio::test]
async fn an_invitation_stays_valid_when_a_link_to_its_address_is_requested() {
    let harness = LinkHarness::at_work().await;
    let day = Duration::from_hours(24);
    let link = link::create(
        &harness.store,
        harness.sign_ins.keys(),
        &SystemEntropy,
        harness.now(),
        &ada(),
        day,
    )
    .await
    .unwrap();
    harness.written_to().await;
    harness.begun(&harness.token(&link)).await;
    assert_eq!(harness.outcome_without_a_question().await, confirmed());
}

#[tokio::test]
async fn a_client_that_asks_too_often_is_refused_for_an_hour_and_no_one_else_is() {
    let harness = LinkHarness::built(Plan {
        caps: Caps {
            of_client: 4,
            ..Caps::default()
        },
        ..Plan::default()
    })
    .await;
    harness.start_worker();
    for number in 0..4 {
        let waiting = harness
            .try_to_ask(&person(number), 1)
            .await
            .unwrap_or_else(|error| panic!("{error}"));
        harness
            .links
            .cancel(&waiting.token, Some(waiting.cookie()))
            .await
            .unwrap();
    }
    assert_eq!(harness.refused(&person(4), 1).await, Capped::Links);
    assert_eq!(
        harness.store.undecided(10).await.unwrap(),
        0,
        "what was refused waits for nothing"
    );
    harness
        .try_to_ask(&person(5), 2)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    harness.advance(WINDOW);
    harness
        .try_to_ask(&person(6), 1)
        .await
        .unwrap_or_else(|error| panic!("{error}"));
}

#[tokio::test]
async fn waiting_for_mail_takes_at_most_half_of_a_clients_own_cap() {
    let harness = LinkHarness::built(Plan {
        caps: Caps {
            of_client: 4,
            ..Caps::default()
        },
        ..Plan::default()
    })
    .await;
    harness.asked().await;
    harness.asked_for(&person(1)).await;
    assert_eq!(harness.refused(&person(2), 1).await, Capped::Client);
}

#[tokio::test]
async fn signing_out_ends_the_wait_for_a_link() {
    let harness = LinkHarness::at_work().await;
    let (waiting, letter) = harness.written_to().await;
    let keys = harness.sign_ins.keys();
    let cookie = PendingCookie::decode(keys, &waiting.token, waiting.cookie()).unwrap();
    let tag = TokenTag::each(keys, &waiting.token)[0];
    let shown = PresentedSecrets {
        pending: vec![(tag, cookie.secret)],
        ..PresentedSecrets::default()
    };
    harness.links.sign_out(&shown, false).await.unwrap();
    assert_eq!(
        harness.links.look(&letter.link).await,
        Err(InvalidLink::Expired.into())
    );
    assert_eq!(
        harness.links.open_here(&letter.link).await,
        Err(InvalidLink::Expired.into())
    );
}

#[tokio::test]
async fn mails_without_a_recipient_take_no_place_among_those_that_are_sent() {
    let mut harness = LinkHarness::open().await;
    harness.links = harness
        .links
        .clone()
        .with_registration(link::Registration::Closed);
    for number in 0..40 {
        harness.asked_for(&person(number)).await;
    }
    harness.links = harness
        .links
        .clone()
        .with_registration(link::Registration::Open);
    harness.asked().await;
    harness.start_mail_worker();
    assert_eq!(harness.sent().await.to, ada());
}

#[tokio::test]
async fn links_and_mails_are_swept_even_where_none_are_sent() {
    let harness = LinkHarness::open().await;
    let waiting = harness.asked().await;
    let link = harness
        .links
        .waited_for(&waiting.token, Some(waiting.cookie()))
        .await
        .unwrap()
        .unwrap();
    let shutdown = CancellationToken::new();
    let mut sleeps = harness.clock.later_sleeps();
    let sweeping = tokio::spawn(link::sweep(
        harness.environment.stores.clone(),
        harness.clock.clone(),
        shutdown.clone(),
    ));
    sleeps
        .one_until(harness.now() + Duration::from_mins(1))
        .await;
    assert!(
        harness
            .store
            .link_by_token(&link.token)
            .await
            .unwrap()
            .is_some()
    );
    let mut sleeps = harness.clock.later_sleeps();
    harness.advance(link::LIFETIME + WINDOW + Duration::from_millis(1));
    sleeps
        .one_until(harness.now() + Duration::from_mins(1))
        .await;
    assert_eq!(
        harness.store.link_by_token(&link.token).await.unwrap(),
        None
    );
    assert_eq!(harness.store.next_mail().await.unwrap(), None);
    shutdown.cancel();
    sweeping.await.unwrap();
}

#[tokio::test]
async fn only_a_fresh_sign_in_takes_links_back_when_it_ends_other_sessions() {
    for (age, taken_back) in [
        (Duration::from_mins(19), true),
        (Duration::from_mins(20), false),
    ] {
        let harness = LinkHarness::at_work().await;
        harness.put_bob().await;
        let address = "bob@example.com".parse().unwrap();
        let bob = harness
            .store
            .user_by_identity(PASSWORD_ISSUER, "bob@example.com")
            .await
            .unwrap()
            .expect("he is a user");
        let secret = by_password(&harness.sign_ins, bob.id, &PresentedSecrets::default()).await;
        harness.advance(age);
        let who = harness.sign_ins.who(Some(&secret)).await.unwrap().unwrap();
        harness.asked_for(&address).await;
        let letter = harness.letter().await;
        harness.links.end_others(&who).await.unwrap();
        let closed = harness.links.look(&letter.link).await.err();
        let revoked = taken_back.then_some(InvalidLink::Expired.into());
        assert_eq!(closed, revoked, "{age:?}");
    }
}
