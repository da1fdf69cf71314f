//! No one waits because of another client: whatever the validator makes of one client's tokens,
//! others are asked about at once.

use crate::support::{House, Plan, ada, confirmed, token};
use std::time::Duration;
use vestibule::{
    caps::Client,
    outcome::Outcome,
    testing::Question,
    token::Token,
    validator::{ValidationError, Verdict},
};

/// How many failures in a row, from all clients, stop all questions to the validator.
const IN_A_ROW: u8 = 20;
const IN_FLIGHT: usize = 40;

type Answer = fn() -> Result<Verdict, ValidationError>;

/// The answers that are not a verdict.
const NO_VERDICTS: [Answer; 3] = [
    || Err(ValidationError::temporary("503")),
    || {
        Err(ValidationError::Temporary {
            what: "503".into(),
            retry_after: Some(Duration::from_secs(20)),
        })
    },
    || Err(ValidationError::Throttled { retry_after: None }),
];

async fn house(in_flight: usize) -> House {
    House::built(Plan {
        in_flight,
        ..Plan::default()
    })
    .await
}

fn address(number: u8) -> Client {
    Client::from_bytes([number; 16])
}

/// The clients of one /48 of IPv6, each in a /64 of its own.
fn neighbour(number: u8) -> Client {
    Client::in_networks([[number; 16], [100 + number % 4; 16], [200; 16]])
}

/// Has `count` tokens begin, each from the client that `client` names.
async fn flood(house: &House, count: u8, client: fn(u8) -> Client) {
    for number in 0..count {
        house
            .begun_at(client(number), &token(&format!("bad-{number}")))
            .await;
    }
}

async fn questions(house: &House, count: usize) -> Vec<Question> {
    let mut questions = Vec::new();
    for _ in 0..count {
        questions.push(house.question().await);
    }
    questions
}

/// Another client begins, and is asked about and signed in while the time stands still.
async fn a_stranger_is_signed_in_at_once(house: &House) {
    let link: Token = token("a-strangers");
    house.begun_at(address(99), &link).await;
    loop {
        let question = house.question().await;
        if question.token == link {
            question.answer(Ok(Verdict::Valid(ada())));
            break;
        }
        question.answer(NO_VERDICTS[0]());
    }
    assert_eq!(house.outcome().await, confirmed());
}

/// All of the flood's first questions get this answer.
async fn fail_all(house: &House, answer: Answer) {
    for _ in 0..IN_A_ROW {
        house.question().await.answer(answer());
        house.announced().await;
    }
}

#[tokio::test]
async fn tokens_of_one_client_that_all_fail_keep_no_stranger_waiting() {
    for answer in NO_VERDICTS {
        for client in [|_| address(1), neighbour] {
            let house = house(IN_FLIGHT).await;
            house.start_worker();
            flood(&house, IN_A_ROW, client).await;
            fail_all(&house, answer).await;
            a_stranger_is_signed_in_at_once(&house).await;
        }
    }
}

#[tokio::test]
async fn a_client_whose_tokens_all_fail_is_asked_about_by_a_few_probes_alone() {
    let house = house(IN_FLIGHT).await;
    house.start_worker();
    flood(&house, IN_A_ROW, |_| address(1)).await;
    fail_all(&house, NO_VERDICTS[0]).await;
    flood(&house, 2 * IN_A_ROW, |_| address(1)).await;
    a_stranger_is_signed_in_at_once(&house).await;
    assert!(
        house.validator.try_next().await.is_none(),
        "the client is asked about before its pause is over"
    );
    house.advance(Duration::from_secs(5));
    house.question().await.answer(Ok(Verdict::Valid(ada())));
    assert_eq!(
        house.outcome().await,
        confirmed(),
        "once it answers, the client goes on"
    );
}

#[tokio::test]
async fn throttled_questions_of_many_clients_do_not_stop_questions_for_others() {
    let house = house(IN_FLIGHT).await;
    house.start_worker();
    flood(&house, IN_A_ROW, address).await;
    fail_all(&house, || {
        Err(ValidationError::Throttled {
            retry_after: Some(Duration::from_secs(20)),
        })
    })
    .await;
    a_stranger_is_signed_in_at_once(&house).await;
}

#[tokio::test]
async fn tokens_of_one_client_that_are_never_answered_leave_places_for_strangers() {
    for (in_flight, held) in [(2, 1), (4, 3), (IN_FLIGHT, 30)] {
        for client in [|_| address(1), neighbour] {
            let house = house(in_flight).await;
            house.start_worker();
            flood(&house, 2 * IN_A_ROW, client).await;
            let held = questions(&house, held).await;
            let link = token("a-strangers");
            house.begun_at(address(99), &link).await;
            let question = house.question().await;
            assert_eq!(
                question.token,
                link,
                "of the client's, no more than {} are asked about",
                held.len()
            );
            question.answer(Ok(Verdict::Valid(ada())));
            assert_eq!(house.outcome().await, confirmed());
            assert!(
                house.validator.try_next().await.is_none(),
                "{} are not all it may have",
                held.len()
            );
        }
    }
}

#[tokio::test]
async fn strangers_who_begin_later_come_before_the_rest_of_a_clients_tokens() {
    let house = house(2).await;
    flood(&house, IN_A_ROW, |_| address(1)).await;
    let mut browsers = Vec::new();
    for number in 2..7 {
        let link = token(&format!("good-{number}"));
        browsers.push(house.begun_at(address(number), &link).await);
    }
    house.start_worker();
    let mut bad = 0;
    for _ in 0..6 {
        let question = house.question().await;
        bad += u32::from(question.token.expose().starts_with("bad"));
        question.answer(Ok(Verdict::Valid(ada())));
        house.outcome().await;
    }
    assert!(
        bad <= 2,
        "{bad} of a client's tokens came before all others"
    );
}

#[tokio::test]
async fn a_deadline_is_kept_of_a_client_that_is_left_out() {
    let house = house(IN_FLIGHT).await;
    house.start_worker();
    flood(&house, IN_A_ROW, |_| address(1)).await;
    fail_all(&house, NO_VERDICTS[0]).await;
    let late = house.begun_at(address(1), &token("late")).await;
    house.advance(house.tools.timing.deadline);
    let mut unanswered = Vec::new();
    for _ in 0..=IN_A_ROW {
        let outcome = loop {
            tokio::select! {
                outcome = house.outcome() => break outcome,
                question = house.validator.next() => unanswered.push(question),
            }
        };
        assert_eq!(outcome, Outcome::Unavailable);
    }
    assert!(
        house
            .confirmation(&late, &token("late"))
            .await
            .ending()
            .is_some()
    );
}
