//! The code of the mail is typed into the waiting page.

use super::house::{LinkHouse, Waiting, ada, browser, known, stranger};
use crate::support::{confirmed, rejected};
use vestibule::{
    confirmation::Rejection,
    link::{Alarm, Asker, CODES_OFF, Code, GUESSES, Guess, Guessed, InvalidLink, Tries},
    secret::SystemEntropy,
    store::LinkStore as _,
    vestibule::{Progress, Step},
};

async fn guess(house: &LinkHouse, waiting: &Waiting, code: &Code) -> Guessed {
    judged(house, waiting, code).await.came_to
}

async fn judged(house: &LinkHouse, waiting: &Waiting, code: &Code) -> Guess {
    house
        .links
        .guess(&waiting.token, Some(waiting.cookie()), code)
        .await
        .unwrap()
}

fn other_than(code: &Code) -> Code {
    std::iter::repeat_with(|| Code::generate(&SystemEntropy))
        .find(|other| other != code)
        .unwrap()
}

/// A browser that waits, and the code in its mail.
async fn coded(house: &LinkHouse, asker: Asker) -> (Waiting, Code) {
    (
        house.asked_as(asker).await,
        house.letter().await.code.expect("it has a code"),
    )
}

/// Makes `times` wrong guesses, and returns what the owner is told, in turn.
async fn guess_wrong(
    house: &LinkHouse,
    (waiting, code): &(Waiting, Code),
    times: u32,
) -> Vec<Alarm> {
    let wrong = other_than(code);
    let mut alarms = Vec::new();
    for _ in 0..times {
        alarms.extend(
            judged(house, waiting, &wrong)
                .await
                .wrong
                .and_then(|wrong| wrong.alarm),
        );
    }
    alarms
}

#[tokio::test]
async fn the_right_code_lets_the_waiting_browser_in() {
    let house = LinkHouse::at_work().await;
    let (waiting, code) = coded(&house, stranger(1)).await;
    assert_eq!(
        judged(&house, &waiting, &code).await,
        Guess {
            came_to: Guessed::Right,
            wrong: None
        }
    );
    assert_eq!(house.status(&waiting).await, Progress::Done(confirmed()));
}

#[tokio::test]
async fn wrong_codes_are_counted_and_the_last_takes_the_link_back() {
    let house = LinkHouse::at_work().await;
    let (waiting, code) = coded(&house, stranger(1)).await;
    let wrong = other_than(&code);
    for left in (1..GUESSES).rev() {
        assert_eq!(
            guess(&house, &waiting, &wrong).await,
            Guessed::Wrong { left }
        );
    }
    assert_eq!(
        guess(&house, &waiting, &wrong).await,
        Guessed::Invalid(InvalidLink::Expired)
    );
    assert_eq!(
        guess(&house, &waiting, &code).await,
        Guessed::Invalid(InvalidLink::Expired)
    );
    assert_eq!(
        house.status(&waiting).await,
        Progress::Done(rejected(Rejection::Expired))
    );
}

#[tokio::test]
async fn guesses_at_once_are_as_many_as_guesses_one_by_one() {
    let house = LinkHouse::open().await;
    house.start_postman();
    let (waiting, code) = coded(&house, stranger(1)).await;
    let wrong = other_than(&code);
    let guesses = (0..64).map(|_| guess(&house, &waiting, &wrong));
    let wrong = futures_util::future::join_all(guesses).await;
    let counted = wrong
        .iter()
        .filter(|guessed| matches!(guessed, Guessed::Wrong { .. }))
        .count();
    assert_eq!(counted, GUESSES as usize - 1);
    assert_eq!(
        guess(&house, &waiting, &code).await,
        Guessed::Invalid(InvalidLink::Expired)
    );
}

#[tokio::test]
async fn a_code_is_worth_nothing_in_a_browser_that_did_not_ask() {
    let house = LinkHouse::at_work().await;
    let (waiting, code) = coded(&house, stranger(1)).await;
    let other = house.asked_for(&"bob@example.com".parse().unwrap()).await;
    let foreign = house
        .links
        .guess(&waiting.token, Some(other.cookie()), &code)
        .await
        .unwrap();
    assert_eq!(foreign.came_to, Guessed::Invalid(InvalidLink::Expired));
    assert!(matches!(
        guess(&house, &other, &code).await,
        Guessed::Wrong { .. }
    ));
    assert_eq!(
        house.status(&waiting).await,
        Progress::Waiting(Step::Queued)
    );
}

#[tokio::test]
async fn after_ten_wrong_codes_in_a_row_an_address_has_links_alone_for_days() {
    let house = LinkHouse::at_work().await;
    let first = coded(&house, browser(1, "theirs")).await;
    assert_eq!(guess_wrong(&house, &first, GUESSES).await, [Alarm::Revoked]);
    // Two browsers wait while nine guesses are counted: the tenth ends both waits.
    let second = coded(&house, browser(2, "theirs")).await;
    let third = coded(&house, browser(3, "others")).await;
    assert_eq!(guess_wrong(&house, &second, GUESSES - 1).await, []);
    assert_eq!(guess_wrong(&house, &third, 1).await, [Alarm::Off]);
    assert!(
        matches!(
            guess(&house, &second.0, &second.1).await,
            Guessed::Invalid(_)
        ),
        "its last guess, and worth nothing"
    );
    assert_eq!(
        guess(&house, &third.0, &third.1).await,
        Guessed::Wrong { left: GUESSES - 2 },
        "as if it were wrong"
    );
    let waiting = house.asked_as(browser(4, "hers")).await;
    let letter = house.letter().await;
    assert_eq!(letter.code, None);
    house.links.open_here(&letter.link).await.unwrap();
    assert_eq!(house.status(&waiting).await, Progress::Done(confirmed()));
    house.advance(CODES_OFF);
    coded(&house, browser(5, "hers")).await;
}

#[tokio::test]
async fn wrong_codes_of_strangers_take_no_code_from_a_known_browser() {
    let house = LinkHouse::at_work().await;
    for client in 1..=2 {
        let theirs = coded(&house, browser(client, "theirs")).await;
        guess_wrong(&house, &theirs, GUESSES).await;
    }
    let (waiting, code) = coded(&house, known(3, "hers")).await;
    assert_eq!(guess(&house, &waiting, &code).await, Guessed::Right);
    house.asked_as(browser(4, "theirs")).await;
    assert_eq!(
        house.letter().await.code,
        None,
        "they stay off for strangers"
    );
}

#[tokio::test]
async fn a_sign_in_of_the_owner_ends_the_row() {
    let house = LinkHouse::at_work().await;
    let theirs = coded(&house, browser(1, "theirs")).await;
    guess_wrong(&house, &theirs, GUESSES).await;
    let hers = coded(&house, browser(2, "hers")).await;
    guess_wrong(&house, &hers, GUESSES - 1).await;
    assert_eq!(
        guess(&house, &hers.0, &hers.1).await,
        Guessed::Right,
        "the tenth"
    );
    let tries = Tries {
        address: ada(),
        known: false,
    };
    assert_eq!(
        house
            .store
            .codes_tried(&tries, house.now() - CODES_OFF)
            .await
            .unwrap(),
        0
    );
}

#[tokio::test]
async fn guesses_at_a_link_that_was_never_mailed_notify_no_one_and_turn_nothing_off() {
    let house = LinkHouse::at_work().await;
    house.flooded().await;
    let code = Code::generate(&SystemEntropy);
    for client in 11..=13 {
        let unmailed = (
            house.asked_as(browser(client, "theirs")).await,
            code.clone(),
        );
        assert_eq!(guess_wrong(&house, &unmailed, GUESSES).await, []);
    }
    let tries = Tries {
        address: ada(),
        known: false,
    };
    assert_eq!(
        house
            .store
            .codes_tried(&tries, house.now() - CODES_OFF)
            .await
            .unwrap(),
        0
    );
}
