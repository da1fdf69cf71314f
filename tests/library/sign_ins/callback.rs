//! A validator that calls back: at any time, more than once, about anything.

use crate::support::{Harness, ada, bob, confirmed, rejected, token};
use futures_util::future::join_all;
use std::{collections::HashMap, time::Duration};
use vestibule::{
    confirmation::{ConfirmationId, Rejection, Stage},
    outcome::Outcome,
    publisher::Announcement,
    sign_ins::{Progress, Reception, Step},
    store::UserStore as _,
    testing::Question,
    validator::{Answer, Reason, ValidationError, Verdict},
};

const MINUTE: Duration = Duration::from_mins(1);

fn valid() -> Answer {
    Answer::Verdict(Verdict::Valid(ada(), None))
}

fn invalid(reason: Reason) -> Answer {
    Answer::Verdict(Verdict::Invalid(reason))
}

async fn call(harness: &Harness, id: ConfirmationId, answer: Answer) -> Reception {
    harness.sign_ins.receive(id, answer).await.unwrap()
}

fn later(question: Question) {
    question.answer(Err(ValidationError::Later {
        ask_again: 10 * MINUTE,
        stage: None,
    }));
}

#[tokio::test]
async fn it_is_taken_before_the_question_while_it_is_open_and_after_a_202() {
    let link = token("link");
    for asked in ["not yet", "now", "before"] {
        let harness = Harness::open().await;
        let worker = (asked != "not yet").then(|| harness.start_worker());
        let mut browser = harness.begun(&link).await;
        let id = harness.confirmation(&browser, &link).await.id;
        let question = match asked {
            "not yet" => None,
            _ => Some(harness.question().await),
        };
        let open = if asked == "before" {
            if let Some(question) = question {
                later(question);
            }
            harness.announced().await;
            None
        } else {
            question
        };
        assert_eq!(
            call(&harness, id, valid()).await,
            Reception::Taken,
            "{asked}"
        );
        let announced = harness.announced().await;
        let expected = Announcement::Outcome(confirmed());
        assert_eq!(announced, (browser.channel(&link), expected), "{asked}");
        assert_eq!(browser.greeted().await.as_deref(), Some("Ada"), "{asked}");
        // What the worker hears afterwards changes nothing.
        if let Some(question) = open {
            question.answer(Ok(Verdict::Invalid(Reason::Used)));
            assert_eq!(harness.outcome().await, confirmed());
        }
        if let Some(worker) = worker {
            worker.stop();
            worker.stopped().await;
        }
        assert!(harness.validator.try_next().await.is_none(), "{asked}");
    }
}

#[tokio::test]
async fn the_first_decision_stands_and_the_same_again_is_taken() {
    let harness = Harness::open().await;
    let mut told = Vec::new();
    for (number, first, others) in [
        (
            1,
            valid(),
            [
                invalid(Reason::Used),
                Answer::Verdict(Verdict::Valid(bob(), None)),
                Answer::Pending(Some(Stage::Almost)),
            ],
        ),
        (
            2,
            invalid(Reason::Expired),
            [invalid(Reason::Used), valid(), Answer::Pending(None)],
        ),
    ] {
        let link = token(&format!("link-{number}"));
        let browser = harness.begun(&link).await;
        let id = harness.confirmation(&browser, &link).await.id;
        assert_eq!(call(&harness, id, first.clone()).await, Reception::Taken);
        let stored = harness.confirmation(&browser, &link).await;
        for other in others {
            let reception = call(&harness, id, other.clone()).await;
            assert_eq!(reception, Reception::Contradicts, "{other:?}");
        }
        assert_eq!(call(&harness, id, first).await, Reception::Taken);
        assert_eq!(harness.confirmation(&browser, &link).await, stored);
        told.push(browser.channel(&link));
    }
    // Each once: none is told of between the two.
    for channel in told {
        assert_eq!(harness.announced().await.0, channel);
    }
}

#[tokio::test]
async fn a_user_s_name_may_have_changed_when_the_same_is_said_again() {
    let harness = Harness::open().await;
    let link = token("link");
    let browser = harness.begun(&link).await;
    let id = harness.confirmation(&browser, &link).await.id;
    call(&harness, id, valid()).await;
    let mut renamed = ada();
    renamed.name = Some("Ada King".into());
    let again = Answer::Verdict(Verdict::Valid(renamed, None));
    assert_eq!(call(&harness, id, again).await, Reception::Taken);
}

#[tokio::test]
async fn a_disabled_user_is_not_let_in_however_often_it_is_said() {
    let harness = Harness::open().await;
    let first = token("first");
    let browser = harness.begun(&first).await;
    let id = harness.confirmation(&browser, &first).await.id;
    call(&harness, id, valid()).await;
    let person = ada();
    let user = harness
        .store
        .user_by_identity(&person.issuer, &person.subject)
        .await
        .unwrap()
        .expect("Ada is known");
    assert!(
        harness
            .store
            .disable_user(user.id, true, harness.now())
            .await
            .unwrap()
    );
    let second = token("second");
    let mut browser = harness.begun(&second).await;
    let id = harness.confirmation(&browser, &second).await.id;
    for _ in 0..2 {
        assert_eq!(call(&harness, id, valid()).await, Reception::Taken);
    }
    let progress = browser.status(&second).await.progress;
    assert_eq!(progress, Progress::Done(rejected(Rejection::Invalid)));
    assert_eq!(browser.greeted().await, None);
}

#[tokio::test]
async fn it_is_too_late_after_a_cancel_and_from_the_deadline_on() {
    let harness = Harness::open().await;
    let [cancelled, late] = ["cancelled", "late"].map(token);
    let browser = harness.begun(&cancelled).await;
    browser.cancel(&cancelled).await;
    let id = harness.confirmation(&browser, &cancelled).await.id;
    for answer in [valid(), invalid(Reason::Used), Answer::Pending(None)] {
        assert_eq!(call(&harness, id, answer).await, Reception::TooLate);
    }
    let browser = harness.begun(&late).await;
    let id = harness.confirmation(&browser, &late).await.id;
    let before = harness.confirmation(&browser, &late).await;
    harness.advance(MINUTE);
    for answer in [valid(), invalid(Reason::Used), Answer::Pending(None)] {
        assert_eq!(call(&harness, id, answer).await, Reception::TooLate);
    }
    assert_eq!(harness.confirmation(&browser, &late).await, before);
    harness.start_worker();
    harness.outcome().await;
    assert_eq!(harness.outcome().await, Outcome::Unavailable);
    assert_eq!(call(&harness, id, valid()).await, Reception::TooLate);
}

#[tokio::test]
async fn nothing_is_known_of_what_no_validator_was_asked_about() {
    let harness = Harness::open().await;
    let unknown = ConfirmationId::from_bytes([9; 16]);
    assert_eq!(call(&harness, unknown, valid()).await, Reception::Unknown);
    // A link of our own, or what has become of one.
    let link = token("a-vestibule-link.of-ours");
    let browser = harness.begun(&link).await;
    let id = harness.confirmation(&browser, &link).await.id;
    for answer in [valid(), Answer::Pending(Some(Stage::Almost))] {
        assert_eq!(call(&harness, id, answer).await, Reception::Unknown);
    }
    let progress = browser.status(&link).await.progress;
    assert_eq!(progress, Progress::Waiting(Step::Queued));
}

#[tokio::test]
async fn what_was_sealed_under_a_lost_key_is_not_decided_by_a_call() {
    let harness = Harness::open().await;
    let link = token("link");
    let browser = harness.begun(&link).await;
    let id = harness.confirmation(&browser, &link).await.id;
    let elsewhere = harness.sign_ins_with(&[8]);
    let reception = elsewhere.receive(id, valid()).await.unwrap();
    assert_eq!(reception, Reception::TooLate);
    assert_eq!(harness.confirmation(&browser, &link).await.ending(), None);
}

#[tokio::test]
async fn a_stage_is_shown_and_pushed_and_never_goes_back() {
    let harness = Harness::open().await;
    let link = token("link");
    let browser = harness.begun(&link).await;
    let confirmation = harness.confirmation(&browser, &link).await;
    let deadline = confirmation.created_at + harness.sign_ins.timing().wait;
    let mut news = Vec::new();
    for (said, shown) in [
        // As a 202 without a word does.
        (None, None),
        (Some(Stage::Reviewing), Some(Stage::Reviewing)),
        (Some(Stage::Received), Some(Stage::Reviewing)),
        (None, Some(Stage::Reviewing)),
        (Some(Stage::Almost), Some(Stage::Almost)),
    ] {
        let pending = Answer::Pending(said);
        assert_eq!(
            call(&harness, confirmation.id, pending).await,
            Reception::Taken
        );
        let stored = harness.confirmation(&browser, &link).await;
        assert_eq!(stored.deadline, deadline);
        let step = Step::Later { stage: shown };
        assert_eq!(
            browser.status(&link).await.progress,
            Progress::Waiting(step)
        );
        if said == shown {
            let (channel, announcement) = harness.announced().await;
            assert_eq!(channel, browser.channel(&link));
            news.push(announcement);
        }
    }
    let stages = [None, Some(Stage::Reviewing), Some(Stage::Almost)];
    let steps = stages.map(|stage| Announcement::Progress(Step::Later { stage }));
    assert_eq!(news, steps);
    // Nothing was told between.
    call(&harness, confirmation.id, valid()).await;
    let told = harness.announced().await.1;
    assert_eq!(told, Announcement::Outcome(confirmed()));
}

#[tokio::test]
async fn a_stage_in_a_202_counts_beside_one_that_was_called() {
    let harness = Harness::open().await;
    let link = token("link");
    harness.start_worker();
    let browser = harness.begun(&link).await;
    let question = harness.question().await;
    let pending = Answer::Pending(Some(Stage::Almost));
    assert_eq!(call(&harness, question.id, pending).await, Reception::Taken);
    harness.announced().await;
    // The answer to the question was sent before.
    question.answer(Err(ValidationError::Later {
        ask_again: MINUTE,
        stage: Some(Stage::Received),
    }));
    harness.announced().await;
    let almost = Progress::Waiting(Step::Later {
        stage: Some(Stage::Almost),
    });
    assert_eq!(browser.status(&link).await.progress, almost);
    harness.advance(MINUTE);
    let question = harness.question().await;
    question.answer(Ok(Verdict::Valid(ada(), None)));
    assert_eq!(harness.outcome().await, confirmed());
}

#[tokio::test]
async fn of_64_calls_at_once_that_contradict_each_other_one_decides() {
    let harness = Harness::open().await;
    let link = token("link");
    let browser = harness.begun(&link).await;
    let id = harness.confirmation(&browser, &link).await.id;
    let calls = (0..64).map(|number| {
        let answer = match number % 4 {
            0 => valid(),
            1 => Answer::Verdict(Verdict::Valid(bob(), None)),
            2 => invalid(Reason::Used),
            _ => invalid(Reason::Expired),
        };
        let sign_ins = harness.sign_ins.clone();
        tokio::spawn(async move { sign_ins.receive(id, answer).await })
    });
    let mut receptions = HashMap::new();
    for reception in join_all(calls.collect::<Vec<_>>()).await {
        *receptions
            .entry(format!("{:?}", reception.unwrap().unwrap()))
            .or_insert(0) += 1;
    }
    let expected = [("Taken".into(), 16), ("Contradicts".into(), 48)];
    assert_eq!(receptions, HashMap::from(expected));
}
