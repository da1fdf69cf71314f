//! A validator that is down while many wait: it gets only a few probes, and once it is back, all
//! are asked about.

use crate::support::{Browser, Harness, Plan, Running, ada, confirmed, rejected, token};
use std::{collections::HashMap, time::Duration};
use vestibule::{
    confirmation::{ConfirmationId, Decided, Ending, Queued, Rejection, State},
    link::LinkToken,
    outcome::Outcome,
    publisher::Announcement,
    secret::SystemEntropy,
    sign_ins::Step,
    testing::Question,
    token::Token,
    validator::{ValidationError, Verdict},
};

const SECOND: Duration = Duration::from_secs(1);
/// The longest pause between probes.
const PAUSE: Duration = Duration::from_secs(5);
/// How many failures in a row open the breaker of a worker with [`IN_FLIGHT`] places.
const IN_A_ROW: usize = 10;
const IN_FLIGHT: usize = 10;

/// A house whose validator has just failed often enough to open the breaker.
struct Outage {
    harness: Harness,
    worker: Running,
    /// The browsers whose attempt failed, in the order in which they began.
    failed: Vec<(Browser, Token)>,
}

fn away() -> Result<Verdict, ValidationError> {
    Err(ValidationError::temporary("503"))
}

impl Outage {
    async fn begin() -> Self {
        let harness = Harness::built(Plan {
            in_flight: IN_FLIGHT,
            ..Plan::default()
        })
        .await;
        let failed = begin(&harness, "early", IN_A_ROW).await;
        let worker = harness.start_worker();
        let outage = Self {
            harness,
            worker,
            failed,
        };
        for question in outage.questions(IN_A_ROW).await {
            question.answer(away());
        }
        for _ in 0..IN_A_ROW {
            assert_eq!(
                outage.harness.announced().await.1,
                Announcement::Progress(Step::Retrying { attempt: 2 })
            );
        }
        outage
    }

    async fn questions(&self, count: usize) -> Vec<Question> {
        let mut questions = Vec::new();
        for _ in 0..count {
            questions.push(self.harness.question().await);
        }
        questions
    }

    /// Fails if the validator is asked about more than `asked` has taken.
    async fn nobody_is_asked_about(&self) {
        self.worker_waits().await;
        assert!(
            self.harness.validator.try_next().await.is_none(),
            "the validator is asked"
        );
    }

    /// Has the worker look, until it waits again. No attempt waits for so short a time.
    async fn worker_waits(&self) {
        let mut sleeps = self.harness.clock.later_sleeps();
        self.harness.dispatch.wake();
        sleeps
            .one_until(self.harness.now() + self.harness.environment.timing.poll)
            .await;
    }

    async fn state(&self, (browser, token): &(Browser, Token)) -> State {
        self.harness.confirmation(browser, token).await.state
    }
}

/// Browsers that begin one after the other, a millisecond apart.
async fn begin(harness: &Harness, name: &str, count: usize) -> Vec<(Browser, Token)> {
    let mut begun = Vec::new();
    for number in 0..count {
        let link = token(&format!("{name}-{number}"));
        begun.push((harness.begun(&link).await, link));
        harness.advance(Duration::from_millis(1));
    }
    begun
}

#[tokio::test]
async fn who_waits_while_the_validator_is_away_is_not_asked_about_and_has_not_failed() {
    let outage = Outage::begin().await;
    let waiting = begin(&outage.harness, "late", 50).await;
    outage.nobody_is_asked_about().await;
    for one in &waiting {
        assert!(matches!(
            outage.state(one).await,
            State::Queued(Queued {
                failed: 0,
                fence: 0,
                lease: None,
                ..
            })
        ));
    }
}

#[tokio::test]
async fn a_few_probes_are_all_that_a_validator_hears_while_it_is_away() {
    let outage = Outage::begin().await;
    begin(&outage.harness, "late", 50).await;
    let mut probes = Vec::new();
    for _ in 0..5 {
        outage.harness.advance(PAUSE);
        probes.push(outage.harness.question().await);
        outage.worker_waits().await;
        while let Some(another) = outage.harness.validator.try_next().await {
            probes.push(another);
        }
        probes.drain(..).for_each(|probe| probe.answer(away()));
        outage.nobody_is_asked_about().await;
    }
}

#[tokio::test]
async fn a_link_of_ours_takes_no_probe_of_a_validator_that_is_away() {
    let outage = Outage::begin().await;
    let harness = &outage.harness;
    harness.advance(harness.environment.timing.deadline);
    for _ in 0..IN_A_ROW {
        assert_eq!(harness.outcome().await, Outcome::Unavailable);
    }
    outage.worker_waits().await;
    let own = LinkToken::generate(&SystemEntropy).token(harness.sign_ins.keys());
    harness.begun(&own).await;
    let expired = rejected(Rejection::Expired);
    assert_eq!(harness.outcome_without_a_question().await, expired);
    let another = token("late");
    harness.begun(&another).await;
    assert_eq!(harness.question().await.token, another);
}

#[tokio::test]
async fn a_deadline_is_kept_while_the_validator_is_away() {
    let outage = Outage::begin().await;
    outage.harness.advance(SECOND / 10);
    let waiting = begin(&outage.harness, "late", 3).await;
    for one in waiting.iter().chain(&outage.failed) {
        let deadline = outage.harness.confirmation(&one.0, &one.1).await.deadline;
        outage.harness.advance(deadline.since(outage.harness.now()));
    }
    for _ in 0..IN_A_ROW + 3 {
        assert_eq!(outage.harness.outcome().await, Outcome::Unavailable);
    }
    for one in waiting.iter().chain(&outage.failed) {
        assert!(matches!(
            outage.state(one).await,
            State::Settled(Decided {
                ending: Ending::Unavailable,
                ..
            })
        ));
    }
}

#[tokio::test]
async fn a_deadline_is_kept_to_the_millisecond_without_a_wake_up() {
    let outage = Outage::begin().await;
    let first = &outage.failed[0];
    let deadline = outage
        .harness
        .confirmation(&first.0, &first.1)
        .await
        .deadline;
    let just_before = deadline - Duration::from_millis(1);
    let mut probes = Vec::new();
    outage
        .harness
        .advance(just_before.since(outage.harness.now()));
    outage.worker_waits().await;
    while let Some(probe) = outage.harness.validator.try_next().await {
        probes.push(probe);
    }
    outage.harness.clock.somebody_sleeps_until(deadline).await;
    outage.harness.advance(Duration::from_millis(1));
    assert_eq!(outage.harness.outcome().await, Outcome::Unavailable);
    let decided = Decided {
        ending: Ending::Unavailable,
        at: deadline,
    };
    assert_eq!(outage.state(first).await, State::Settled(decided));
}

/// A place in the order in which they began.
fn places(begun: &[(Browser, ConfirmationId)]) -> HashMap<ConfirmationId, usize> {
    begun
        .iter()
        .enumerate()
        .map(|(place, (_, id))| (*id, place))
        .collect()
}

#[tokio::test]
async fn a_validator_that_comes_back_is_asked_about_all_who_wait_those_first_who_have_waited_longest()
 {
    let outage = Outage::begin().await;
    let waiting = begin(&outage.harness, "late", 70).await;
    let mut begun = Vec::new();
    for (browser, link) in outage.failed.iter().chain(&waiting) {
        begun.push((
            browser.clone(),
            outage.harness.confirmation(browser, link).await.id,
        ));
    }
    let places = places(&begun);
    outage.harness.advance(PAUSE);
    let mut in_flight = vec![outage.harness.question().await];
    let mut heard = Vec::new();
    let mut most = 0;
    while heard.len() < begun.len() {
        outage.worker_waits().await;
        while let Some(question) = outage.harness.validator.try_next().await {
            in_flight.push(question);
        }
        most = most.max(in_flight.len());
        assert!(
            in_flight.len() <= (heard.len() + 1).next_power_of_two().min(IN_FLIGHT),
            "it is flattened"
        );
        let question = in_flight.remove(0);
        heard.push(places[&question.id]);
        question.answer(Ok(Verdict::Valid(ada(), None)));
        assert_eq!(outage.harness.outcome().await, confirmed());
    }
    assert_eq!(most, IN_FLIGHT, "it ends at full speed");
    // Within one round, the order is arbitrary.
    let strays = heard
        .iter()
        .enumerate()
        .filter(|(turn, place)| turn.abs_diff(**place) > IN_FLIGHT);
    assert_eq!(strays.count(), 0, "{heard:?}");
}

#[tokio::test]
async fn a_probe_picks_a_confirmation_with_time_for_an_answer_if_there_is_one() {
    let outage = Outage::begin().await;
    outage.harness.advance(51 * SECOND);
    let newcomer = token("newcomer");
    outage.harness.begun(&newcomer).await;
    let asked = outage.harness.question().await;
    // A worker that looked before the newcomer came asks about another one first, but only once.
    if asked.token != newcomer {
        outage.harness.advance(PAUSE);
        assert_eq!(
            outage.harness.question().await.token,
            newcomer,
            "the others' deadline would cut it short"
        );
    }
}

#[tokio::test]
async fn a_validator_that_comes_back_just_before_the_deadline_is_still_asked() {
    let outage = Outage::begin().await;
    outage.harness.advance(58 * SECOND);
    for _ in 0..IN_A_ROW {
        outage
            .harness
            .question()
            .await
            .answer(Ok(Verdict::Valid(ada(), None)));
        assert_eq!(outage.harness.outcome().await, confirmed());
    }
}

#[tokio::test]
async fn a_token_that_always_fails_keeps_no_one_else_waiting() {
    let harness = Harness::built(Plan {
        in_flight: 2,
        ..Plan::default()
    })
    .await;
    let bad = token("always-fails");
    harness.start_worker();
    harness.begun(&bad).await;
    harness.question().await.answer(away());
    harness.announced().await;
    for number in 0..20 {
        harness.advance(SECOND);
        let good = token(&format!("good-{number}"));
        harness.begun(&good).await;
        loop {
            let question = harness.question().await;
            if question.token == good {
                question.answer(Ok(Verdict::Valid(ada(), None)));
                break;
            }
            question.answer(away());
        }
        assert_eq!(harness.outcome().await, confirmed());
    }
}

#[tokio::test]
async fn a_probe_that_fails_by_its_own_token_is_not_the_only_one_for_long() {
    let outage = Outage::begin().await;
    let bad = outage.failed[0].1.clone();
    let mut confirmed_others = 0;
    while confirmed_others < IN_A_ROW - 1 {
        outage.harness.advance(PAUSE);
        outage.worker_waits().await;
        while let Some(question) = outage.harness.validator.try_next().await {
            if question.token == bad {
                question.answer(away());
            } else {
                question.answer(Ok(Verdict::Valid(ada(), None)));
                assert_eq!(outage.harness.outcome().await, confirmed());
                confirmed_others += 1;
            }
            outage.worker_waits().await;
        }
    }
}

#[tokio::test]
async fn a_probe_is_handed_back_at_a_shutdown_and_has_not_failed() {
    let outage = Outage::begin().await;
    outage.harness.advance(PAUSE);
    let probe = outage.harness.question().await;
    outage.worker.stop();
    outage
        .harness
        .clock
        .somebody_sleeps_until(outage.harness.now() + PAUSE)
        .await;
    outage.harness.advance(PAUSE);
    let Outage {
        harness,
        worker,
        failed,
    } = outage;
    worker.stopped().await;
    let mut handed_back = 0;
    for (browser, link) in &failed {
        let confirmation = harness.confirmation(browser, link).await;
        let State::Queued(Queued {
            failed: 1,
            lease: None,
            ..
        }) = confirmation.state
        else {
            panic!("it is queued again, and only its first attempt has failed")
        };
        handed_back += usize::from(confirmation.id == probe.id);
    }
    assert_eq!(handed_back, 1);
}
