//! The code of the mail is typed into the waiting page.

use super::harness::{LinkHarness, Waiting, ada, browser, known, stranger};
use crate::support::{confirmed, rejected};
use vestibule::{
    confirmation::Rejection,
    link::{Alarm, Asker, CODES_OFF, Code, GUESSES, Guess, Guessed, InvalidLink, Tries},
    secret::SystemEntropy,
    sign_ins::{Progress, Step},
    store::LinkStore as _,
};

async fn guess(harness: &LinkHarness, waiting: &Waiting, code: &Code) -> Guessed {
    judged(harness, waiting, code).await.came_to
}

async fn judged(harness: &LinkHarness, waiting: &Waiting, code: &Code) -> Guess {
    harness
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
async fn coded(harness: &LinkHarness, asker: Asker) -> (Waiting, Code) {
    (
        harness.asked_as(asker).await,
        harness.letter().await.code.expect("it has a code"),
    )
}

/// Makes `times` wrong guesses, and returns what the owner is told, in turn.
async fn guess_wrong(
    harness: &LinkHarness,
    (waiting, code): &(Waiting, Code),
    times: u32,
) -> Vec<Alarm> {
    let wrong = other_than(code);
    let mut alarms = Vec::new();
    for _ in 0..times {
        alarms.extend(
            judged(harness, waiting, &wrong)
                .await
                .wrong
                .and_then(|wrong| wrong.alarm),
        );
    }
    alarms
}

#[tokio::test]
async fn the_right_code_lets_the_waiting_browser_in() {
    let harness = LinkHarness::at_work().await;
    let (waiting, code) = coded(&harness, stranger(1)).await;
    assert_eq!(
        judged(&harness, &waiting, &code).await,
        Guess {
            came_to: Guessed::Right,
            wrong: None
        }
    );
    assert_eq!(harness.status(&waiting).await, Progress::Done(confirmed()));
}

#[tokio::test]
async fn wrong_codes_are_counted_and_the_last_takes_the_link_back() {
    let harness = LinkHarness::at_work().await;
    let (waiting, code) = coded(&harness, stranger(1)).await;
    let wrong = other_than(&code);
    for left in (1..GUESSES).rev() {
        assert_eq!(
            guess(&harness, &waiting, &wrong).await,
            Guessed::Wrong { left }
        );
    }
    assert_eq!(
        guess(&harness, &waiting, &wrong).await,
        Guessed::Invalid(InvalidLink::Expired)
    );
    assert_eq!(
        guess(&harness, &waiting, &code).await,
        Guessed::Invalid(InvalidLink::Expired)
    );
    assert_eq!(
        harness.status(&waiting).await,
        Progress::Done(rejected(Rejection::Expired))
    );
}

#[tokio::test]
async fn guesses_at_once_are_as_many_as_guesses_one_by_one() {
    let harness = LinkHarness::open().await;
    harness.start_mail_worker();
    let (waiting, code) = coded(&harness, stranger(1)).await;
    let wrong = other_than(&code);
    let guesses = (0..64).map(|_| guess(&harness, &waiting, &wrong));
    let wrong = futures_util::future::join_all(guesses).await;
    let counted = wrong
        .iter()
        .filter(|guessed| matches!(guessed, Guessed::Wrong { .. }))
        .count();
    assert_eq!(counted, GUESSES as usize - 1);
    assert_eq!(
        guess(&harness, &waiting, &code).await,
        Guessed::Invalid(InvalidLink::Expired)
    );
}

#[tokio::test]
async fn a_code_is_worth_nothing_in_a_browser_that_did_not_ask() {
    let harness = LinkHarness::at_work().await;
    let (waiting, code) = coded(&harness, stranger(1)).await;
    let other = harness.asked_for(&"bob@example.com".parse().unwrap()).await;
    let foreign = harness
        .links
        .guess(&waiting.token, Some(other.cookie()), &code)
        .await
        .unwrap();
    assert_eq!(foreign.came_to, Guessed::Invalid(InvalidLink::Expired));
    assert!(matches!(
        guess(&harness, &other, &code).await,
        Guessed::Wrong { .. }
    ));
    assert_eq!(
        harness.status(&waiting).await,
        Progress::Waiting(Step::Queued)
    );
}

#[tokio::test]
async fn after_ten_wrong_codes_in_a_row_an_address_has_links_alone_for_days() {
    let harness = LinkHarness::at_work().await;
    let first = coded(&harness, browser(1, "theirs")).await;
    assert_eq!(
        guess_wrong(&harness, &first, GUESSES).await,
        [Alarm::Revoked]
    );
    // Two browsers wait while nine guesses are counted: the tenth ends both waits.
    let second = coded(&harness, browser(2, "theirs")).await;
    let third = coded(&harness, browser(3, "others")).await;
    assert_eq!(guess_wrong(&harness, &second, GUESSES - 1).await, []);
    assert_eq!(guess_wrong(&harness, &third, 1).await, [Alarm::Off]);
    assert!(
        matches!(
            guess(&harness, &second.0, &second.1).await,
            Guessed::Invalid(_)
        ),
        "its last guess, and worth nothing"
    );
    assert_eq!(
        guess(&harness, &third.0, &third.1).await,
        Guessed::Wrong { left: GUESSES - 2 },
        "as if it were wrong"
    );
    let waiting = harness.asked_as(browser(4, "hers")).await;
    let letter = harness.letter().await;
    assert_eq!(letter.code, None);
    harness.links.open_here(&letter.link).await.unwrap();
    assert_eq!(harness.status(&waiting).await, Progress::Done(confirmed()));
    harness.advance(CODES_OFF);
    coded(&harness, browser(5, "hers")).await;
}

#[tokio::test]
async fn wrong_codes_of_strangers_take_no_code_from_a_known_browser() {
    let harness = LinkHarness::at_work().await;
    for client in 1..=2 {
        let theirs = coded(&harness, browser(client, "theirs")).await;
        guess_wrong(&harness, &theirs, GUESSES).await;
    }
    let (waiting, code) = coded(&harness, known(3, "hers")).await;
    assert_eq!(guess(&harness, &waiting, &code).await, Guessed::Right);
    harness.asked_as(browser(4, "theirs")).await;
    assert_eq!(
        harness.letter().await.code,
        None,
        "they stay off for strangers"
    );
}

#[tokio::test]
async fn a_sign_in_of_the_owner_ends_the_row() {
    let harness = LinkHarness::at_work().await;
    let theirs = coded(&harness, browser(1, "theirs")).await;
    guess_wrong(&harness, &theirs, GUESSES).await;
    let hers = coded(&harness, browser(2, "hers")).await;
    guess_wrong(&harness, &hers, GUESSES - 1).await;
    assert_eq!(
        guess(&harness, &hers.0, &hers.1).await,
        Guessed::Right,
        "the tenth"
    );
    let tries = Tries {
        address: ada(),
        known: false,
    };
    assert_eq!(
        harness
            .store
            .codes_tried(&tries, harness.now() - CODES_OFF)
            .await
            .unwrap(),
        0
    );
}

#[tokio::test]
async fn guesses_at_a_link_that_was_never_mailed_notify_no_one_and_turn_nothing_off() {
    let harness = LinkHarness::at_work().await;
    harness.flooded().await;
    let code = Code::generate(&SystemEntropy);
    for client in 11..=13 {
        let unmailed = (
            harness.asked_as(browser(client, "theirs")).await,
            code.clone(),
        );
        assert_eq!(guess_wrong(&harness, &unmailed, GUESSES).await, []);
    }
    let tries = Tries {
        address: ada(),
        known: false,
    };
    assert_eq!(
        harness
            .store
            .codes_tried(&tries, harness.now() - CODES_OFF)
            .await
            .unwrap(),
        0
    );
}
