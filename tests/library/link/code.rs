//! The code of the mail is typed into the waiting page.

use super::house::{LinkHouse, Waiting};
use crate::support::{confirmed, rejected};
use vestibule::{
    confirmation::Rejection,
    link::{Code, GUESSES, Guessed, Spent},
    secret::SystemEntropy,
    vestibule::Progress,
};

async fn guess(house: &LinkHouse, waiting: &Waiting, code: &Code) -> Guessed {
    house.links.guess(&waiting.token, Some(waiting.cookie()), code).await.unwrap()
}

fn other_than(code: &Code) -> Code {
    std::iter::repeat_with(|| Code::generate(&SystemEntropy)).find(|other| other != code).unwrap()
}

#[tokio::test]
async fn the_right_code_lets_the_waiting_browser_in() {
    let house = LinkHouse::at_work().await;
    let (waiting, letter) = house.written_to().await;
    assert_eq!(guess(&house, &waiting, &letter.code).await, Guessed::Right);
    assert_eq!(house.status(&waiting).await, Progress::Done(confirmed()));
}

#[tokio::test]
async fn wrong_codes_are_counted_and_the_last_takes_the_link_back() {
    let house = LinkHouse::at_work().await;
    let (waiting, letter) = house.written_to().await;
    let wrong = other_than(&letter.code);
    for left in (1..GUESSES).rev() {
        assert_eq!(guess(&house, &waiting, &wrong).await, Guessed::Wrong { left });
    }
    assert_eq!(guess(&house, &waiting, &wrong).await, Guessed::Spent(Spent::Expired));
    assert_eq!(guess(&house, &waiting, &letter.code).await, Guessed::Spent(Spent::Expired));
    assert_eq!(house.status(&waiting).await, Progress::Done(rejected(Rejection::Expired)));
}

#[tokio::test]
async fn guesses_at_once_are_as_many_as_guesses_one_by_one() {
    let house = LinkHouse::open().await;
    house.start_postman();
    let (waiting, letter) = house.written_to().await;
    let wrong = other_than(&letter.code);
    let guesses = (0..64).map(|_| guess(&house, &waiting, &wrong));
    let wrong = futures_util::future::join_all(guesses).await;
    let counted = wrong.iter().filter(|guessed| matches!(guessed, Guessed::Wrong { .. })).count();
    assert_eq!(counted, GUESSES as usize - 1);
    assert_eq!(guess(&house, &waiting, &letter.code).await, Guessed::Spent(Spent::Expired));
}

#[tokio::test]
async fn a_code_is_worth_nothing_in_a_browser_that_did_not_ask() {
    let house = LinkHouse::at_work().await;
    let (waiting, letter) = house.written_to().await;
    let other = house.asked_for(&"bob@example.com".parse().unwrap()).await;
    let foreign = house.links.guess(&waiting.token, Some(other.cookie()), &letter.code).await.unwrap();
    assert_eq!(foreign, Guessed::Spent(Spent::Expired));
    assert!(matches!(guess(&house, &other, &letter.code).await, Guessed::Wrong { .. }));
    assert_eq!(house.status(&waiting).await, Progress::Queued);
}
