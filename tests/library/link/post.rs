//! Mail is sent until a mail server has taken it, and is never waited for.

use super::harness::{LinkHarness, ada};
use std::time::Duration;
use vestibule::{
    link::LIFETIME,
    mail::{MailBody, MailError},
    store::MailStore as _,
};

fn greylisted() -> Result<(), MailError> {
    Err(MailError::Temporary("450 try again in five minutes".into()))
}

#[tokio::test]
async fn a_mail_that_is_put_off_is_sent_again_with_the_same_id() {
    let harness = LinkHarness::at_work().await;
    harness.asked().await;
    let first = harness.sent().await;
    let id = first.id;
    let mut later = harness.clock.later_sleeps();
    first.answer(greylisted());
    later
        .one_until(harness.now() + Duration::from_secs(5))
        .await;
    harness.advance(Duration::from_secs(5));
    let second = harness.sent().await;
    assert_eq!((second.id, second.to.clone()), (id, ada()));
    second.answer(Ok(()));
    harness.nothing_is_left().await;
}

#[tokio::test]
async fn a_mail_that_is_refused_for_good_is_given_up() {
    let harness = LinkHarness::at_work().await;
    harness.asked().await;
    harness
        .sent()
        .await
        .answer(Err(MailError::Permanent("550 no such user".into())));
    harness.nothing_is_left().await;
}

#[tokio::test]
async fn a_mail_that_has_expired_is_not_sent() {
    let harness = LinkHarness::open().await;
    harness.asked().await;
    harness.advance(LIFETIME);
    harness.start_mail_worker();
    harness.nothing_is_left().await;
    harness.asked_for(&"bob@example.com".parse().unwrap()).await;
    assert_eq!(harness.sent().await.to.as_str(), "bob@example.com");
}

#[tokio::test]
async fn a_mail_whose_sender_was_killed_is_sent_by_another_once_its_time_has_passed() {
    let harness = LinkHarness::open().await;
    harness.asked().await;
    let now = harness.now();
    let taken = harness
        .store
        .take_mail(8, now, now + Duration::from_secs(30))
        .await
        .unwrap();
    assert_eq!(taken.len(), 1);
    assert!(
        harness
            .store
            .take_mail(8, now, now + Duration::from_secs(30))
            .await
            .unwrap()
            .is_empty()
    );
    harness.advance(Duration::from_secs(30));
    harness.start_mail_worker();
    assert_eq!(harness.sent().await.id, taken[0].id);
}

#[tokio::test]
async fn nothing_of_a_letter_is_in_the_database_in_clear_and_nothing_at_all_once_it_is_sent() {
    let harness = LinkHarness::open().await;
    harness.asked().await;
    let mail = harness
        .store
        .take_mail(8, harness.now(), harness.now())
        .await
        .unwrap()
        .remove(0);
    let Ok(MailBody::Link(letter)) = mail.body.open(harness.sign_ins.keys(), mail.id) else {
        panic!("it opens")
    };
    let clear = [
        harness.token(&letter.link).expose().as_bytes().to_vec(),
        letter.link.expose().to_vec(),
        letter.code.expect("it has a code").digits().into_bytes(),
    ];
    for entry in std::fs::read_dir(harness.file().parent().unwrap()).unwrap() {
        let kept = std::fs::read(entry.unwrap().path()).unwrap();
        for secret in &clear {
            assert!(!kept.windows(secret.len()).any(|window| window == secret));
        }
    }
    harness.start_mail_worker();
    harness.letter().await;
    harness.nothing_is_left().await;
}
