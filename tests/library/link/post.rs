//! Mail is sent until a mail server has taken it, and is never waited for.

use super::house::{LinkHouse, ada};
use std::time::Duration;
use vestibule::{
    link::LIFETIME,
    mail::{Letter, MailError},
    store::MailStore as _,
};

fn greylisted() -> Result<(), MailError> {
    Err(MailError::Temporary("450 try again in five minutes".into()))
}

#[tokio::test]
async fn a_mail_that_is_put_off_is_sent_again_with_the_same_id() {
    let house = LinkHouse::at_work().await;
    house.asked().await;
    let first = house.sent().await;
    let id = first.id;
    let mut later = house.clock.later_sleeps();
    first.answer(greylisted());
    later.one_until(house.now() + Duration::from_secs(5)).await;
    house.advance(Duration::from_secs(5));
    let second = house.sent().await;
    assert_eq!((second.id, second.to.clone()), (id, ada()));
    second.answer(Ok(()));
    house.nothing_is_left().await;
}

#[tokio::test]
async fn a_mail_that_is_refused_for_good_is_given_up() {
    let house = LinkHouse::at_work().await;
    house.asked().await;
    house
        .sent()
        .await
        .answer(Err(MailError::Permanent("550 no such user".into())));
    house.nothing_is_left().await;
}

#[tokio::test]
async fn a_mail_that_has_expired_is_not_sent() {
    let house = LinkHouse::open().await;
    house.asked().await;
    house.advance(LIFETIME);
    house.start_postman();
    house.nothing_is_left().await;
    house.asked_for(&"bob@example.com".parse().unwrap()).await;
    assert_eq!(house.sent().await.to.as_str(), "bob@example.com");
}

#[tokio::test]
async fn a_mail_whose_sender_was_killed_is_sent_by_another_once_its_time_has_passed() {
    let house = LinkHouse::open().await;
    house.asked().await;
    let now = house.now();
    let taken = house
        .store
        .take_mail(8, now, now + Duration::from_secs(30))
        .await
        .unwrap();
    assert_eq!(taken.len(), 1);
    assert!(
        house
            .store
            .take_mail(8, now, now + Duration::from_secs(30))
            .await
            .unwrap()
            .is_empty()
    );
    house.advance(Duration::from_secs(30));
    house.start_postman();
    assert_eq!(house.sent().await.id, taken[0].id);
}

#[tokio::test]
async fn nothing_of_a_letter_is_in_the_database_in_clear_and_nothing_at_all_once_it_is_sent() {
    let house = LinkHouse::open().await;
    house.asked().await;
    let mail = house
        .store
        .take_mail(8, house.now(), house.now())
        .await
        .unwrap()
        .remove(0);
    let Ok(Letter::Link(letter)) = mail.letter.open(house.desk.keys(), mail.id) else {
        panic!("it opens")
    };
    let clear = [
        house.token(&letter.link).expose().as_bytes().to_vec(),
        letter.link.expose().to_vec(),
        letter.code.expect("it has a code").digits().into_bytes(),
    ];
    for entry in std::fs::read_dir(house.file().parent().unwrap()).unwrap() {
        let kept = std::fs::read(entry.unwrap().path()).unwrap();
        for secret in &clear {
            assert!(!kept.windows(secret.len()).any(|window| window == secret));
        }
    }
    house.start_postman();
    house.letter().await;
    house.nothing_is_left().await;
}
