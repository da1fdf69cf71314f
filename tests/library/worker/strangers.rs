//! No one waits because of another client: whatever the validator makes of one client's tokens,
//! others are asked about at once.

use crate::support::{Harness, Plan, ada, confirmed, token};
use std::time::Duration;
use vestibule::{
    caps::Client,
    outcome::Outcome,
    sign_ins::{Progress, Step},
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

async fn harness(in_flight: usize) -> Harness {
    Harness::built(Plan {
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
async fn flood(harness: &Harness, count: u8, client: fn(u8) -> Client) {
    for number in 0..count {
        harness
            .begun_at(client(number), &token(&format!("bad-{number}")))
            .await;
    }
}

async fn questions(harness: &Harness, count: usize) -> Vec<Question> {
    let mut questions = Vec::new();
    for _ in 0..count {
        questions.push(harness.question().await);
    }
    questions
}

/// Another client begins, and is asked about and signed in while the time stands still.
async fn a_stranger_is_signed_in_at_once(harness: &Harness) {
    let link: Token = token("a-strangers");
    harness.begun_at(address(99), &link).await;
    loop {
        let question = harness.question().await;
        if question.token == link {
            question.answer(Ok(Verdict::Valid(ada(), None)));
            break;
        }
        question.answer(NO_VERDICTS[0]());
    }
    assert_eq!(harness.outcome().await, confirmed());
}

/// All of the flood's first questions get this answer.
async fn fail_all(harness: &Harness, answer: Answer) {
    for _ in 0..IN_A_ROW {
        harness.question().await.answer(answer());
        harness.announced().await;
    }
}

#[tokio::test]
async fn tokens_of_one_client_that_all_fail_keep_no_stranger_waiting() {
    for answer in NO_VERDICTS {
        for client in [|_| address(1), neighbour] {
            let harness = harness(IN_FLIGHT).await;
            harness.start_worker();
            flood(&harness, IN_A_ROW, client).await;
            fail_all(&harness, answer).await;
            a_stranger_is_signed_in_at_once(&harness).await;
        }
    }
}

#[tokio::test]
async fn a_client_whose_tokens_all_fail_is_asked_about_by_a_few_probes_alone() {
    let harness = harness(IN_FLIGHT).await;
    harness.start_worker();
    flood(&harness, IN_A_ROW, |_| address(1)).await;
    fail_all(&harness, NO_VERDICTS[0]).await;
    flood(&harness, 2 * IN_A_ROW, |_| address(1)).await;
    a_stranger_is_signed_in_at_once(&harness).await;
    assert!(
        harness.validator.try_next().await.is_none(),
        "the client is asked about before its pause is over"
    );
    harness.advance(Duration::from_secs(5));
    harness
        .question()
        .await
        .answer(Ok(Verdict::Valid(ada(), None)));
    assert_eq!(
        harness.outcome().await,
        confirmed(),
        "once it answers, the client goes on"
    );
}

#[tokio::test]
async fn throttled_questions_of_many_clients_do_not_stop_questions_for_others() {
    let harness = harness(IN_FLIGHT).await;
    harness.start_worker();
    flood(&harness, IN_A_ROW, address).await;
    fail_all(&harness, || {
        Err(ValidationError::Throttled {
            retry_after: Some(Duration::from_secs(20)),
        })
    })
    .await;
    a_stranger_is_signed_in_at_once(&harness).await;
}

#[tokio::test]
async fn tokens_of_one_client_that_are_never_answered_leave_places_for_strangers() {
    for (in_flight, held) in [(2, 1), (4, 3), (IN_FLIGHT, 30)] {
        for client in [|_| address(1), neighbour] {
            let harness = harness(in_flight).await;
            harness.start_worker();
            flood(&harness, 2 * IN_A_ROW, client).await;
            let held = questions(&harness, held).await;
            let link = token("a-strangers");
            harness.begun_at(address(99), &link).await;
            let question = harness.question().await;
            assert_eq!(
                question.token,
                link,
                "of the client's, no more than {} are asked about",
                held.len()
            );
            question.answer(Ok(Verdict::Valid(ada(), None)));
            assert_eq!(harness.outcome().await, confirmed());
            assert!(
                harness.validator.try_next().await.is_none(),
                "{} are not all it may have",
                held.len()
            );
        }
    }
}

#[tokio::test]
async fn what_is_begun_is_queued_while_anyone_waits() {
    let harness = harness(4).await;
    harness.start_worker();
    flood(&harness, 10, |_| address(2)).await;
    let _held = questions(&harness, 3).await;
    harness.everything_before_is_done().await;
    // The worker looks once more, and sleeps.
    let mut sleeps = harness.clock.later_sleeps();
    harness.dispatch.wake();
    let poll = harness.now() + harness.environment.timing.poll;
    sleeps.one_until(poll).await;
    let link = token("a-strangers");
    let mut browser = harness.browser();
    browser.client = address(99);
    browser.land(&link);
    assert_eq!(
        browser.begin(&link).await.progress,
        Progress::Waiting(Step::Queued)
    );
    assert_eq!(harness.question().await.token, link);
}

#[tokio::test]
async fn strangers_who_begin_later_come_before_the_rest_of_a_clients_tokens() {
    let harness = harness(2).await;
    flood(&harness, IN_A_ROW, |_| address(1)).await;
    let mut browsers = Vec::new();
    for number in 2..7 {
        let link = token(&format!("good-{number}"));
        browsers.push(harness.begun_at(address(number), &link).await);
    }
    harness.start_worker();
    let mut bad = 0;
    for _ in 0..6 {
        let question = harness.question().await;
        bad += u32::from(question.token.expose().starts_with("bad"));
        question.answer(Ok(Verdict::Valid(ada(), None)));
        harness.outcome().await;
    }
    assert!(
        bad <= 2,
        "{bad} of a client's tokens came before all others"
    );
}

#[tokio::test]
async fn a_deadline_is_kept_of_a_client_that_is_left_out() {
    let harness = harness(IN_FLIGHT).await;
    harness.start_worker();
    flood(&harness, IN_A_ROW, |_| address(1)).await;
    fail_all(&harness, NO_VERDICTS[0]).await;
    let late = harness.begun_at(address(1), &token("late")).await;
    harness.advance(harness.environment.timing.deadline);
    let mut unanswered = Vec::new();
    for _ in 0..=IN_A_ROW {
        let outcome = loop {
            tokio::select! {
                outcome = harness.outcome() => break outcome,
                question = harness.validator.next() => unanswered.push(question),
            }
        };
        assert_eq!(outcome, Outcome::Unavailable);
    }
    assert!(
        harness
            .confirmation(&late, &token("late"))
            .await
            .ending()
            .is_some()
    );
}
