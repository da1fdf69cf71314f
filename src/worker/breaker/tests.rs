//! The breaker alone, moment by moment.

use super::*;
use crate::secret::SystemEntropy;

/// A source that is there again and again.
const ONE: Source = [0; 16];

const FAILURE: CallResult = CallResult::Failure { retry_after: None };

/// A breaker in its time.
struct Scene {
    breaker: Breaker,
    now: Timestamp,
    /// How many sources there have been.
    sources: u128,
}

impl Scene {
    fn closed(limit: usize) -> Self {
        Self {
            breaker: Breaker::new(limit),
            now: Timestamp::from_millis(1_000_000),
            sources: 0,
        }
    }

    fn open(limit: usize) -> Self {
        let mut scene = Self::closed(limit);
        while scene.breaker.is_closed() {
            scene.hear(FAILURE);
        }
        scene
    }

    fn room(&mut self) -> usize {
        self.breaker.room(self.now, &SystemEntropy)
    }

    /// Asks about a source that has not been there before.
    fn ask(&mut self) -> BreakerTicket {
        self.sources += 1;
        self.breaker.ask(self.sources.to_be_bytes())
    }

    fn hear_of(&mut self, question: BreakerTicket, heard: CallResult) -> Option<BreakerChange> {
        self.breaker.hear(question, heard, self.now, &SystemEntropy)
    }

    fn hear(&mut self, heard: CallResult) -> Option<BreakerChange> {
        let question = self.ask();
        self.hear_of(question, heard)
    }

    /// The same, of one source each time.
    fn hear_of_one(&mut self, heard: CallResult) -> Option<BreakerChange> {
        let question = self.breaker.ask(ONE);
        self.hear_of(question, heard)
    }

    /// Sits a pause out, and tells how long it was.
    fn pause(&mut self) -> Duration {
        let start = self.now;
        let end = self.breaker.probe_at().expect("it is open");
        self.now = end;
        end.since(start)
    }

    fn recovering(limit: usize) -> Self {
        let mut scene = Self::open(limit);
        scene.pause();
        assert_eq!(scene.room(), 1);
        assert_eq!(
            scene.hear(CallResult::Answer),
            Some(BreakerChange::Recovers)
        );
        scene
    }
}

#[test]
fn failures_in_a_row_open_it_once_and_no_source_is_asked_about() {
    let mut scene = Scene::closed(100);
    let late = scene.ask();
    for _ in 1..IN_A_ROW {
        assert_eq!(scene.hear(FAILURE), None);
        assert_eq!(scene.room(), 99);
    }
    assert_eq!(scene.hear(FAILURE), Some(BreakerChange::Opened));
    assert_eq!(scene.room(), 0);
    assert_eq!(scene.hear_of(late, FAILURE), None);
}

#[test]
fn one_answer_among_failures_keeps_it_closed() {
    let mut scene = Scene::closed(100);
    for _ in 0..10 {
        for _ in 1..IN_A_ROW {
            scene.hear(FAILURE);
        }
        scene.hear(CallResult::Answer);
    }
    assert!(scene.breaker.is_closed());
}

#[test]
fn what_was_not_asked_after_all_says_nothing() {
    let mut scene = Scene::closed(100);
    for _ in 1..IN_A_ROW {
        scene.hear(FAILURE);
    }
    assert_eq!(scene.hear(CallResult::Inconclusive), None);
    assert_eq!(scene.room(), 100);
    assert_eq!(scene.hear(FAILURE), Some(BreakerChange::Opened));
}

#[test]
fn a_worker_with_few_places_notices_sooner() {
    let mut scene = Scene::closed(1);
    for _ in 1..IN_A_ROW_OF_FEW {
        scene.hear(FAILURE);
    }
    assert!(scene.breaker.is_closed());
    assert_eq!(scene.hear(FAILURE), Some(BreakerChange::Opened));
}

#[test]
fn pauses_grow_to_a_limit_and_so_do_the_probes_after_them() {
    let mut scene = Scene::open(100);
    for (longest, probes) in [(1, 1), (2, 2), (4, 4), (5, 8), (5, 16), (5, 16)] {
        let longest = Duration::from_secs(longest);
        let pause = scene.pause();
        assert!(
            (longest / 2..=longest).contains(&pause),
            "{pause:?} of {longest:?}"
        );
        assert_eq!(scene.room(), probes);
        for left in (0..probes).rev() {
            assert_eq!(scene.hear(FAILURE), None);
            assert_eq!(scene.room(), left);
        }
    }
}

#[test]
fn a_probe_that_is_never_answered_does_not_keep_the_next_one_waiting() {
    let mut scene = Scene::open(100);
    scene.pause();
    assert_eq!(scene.room(), 1);
    scene.ask();
    assert_eq!(scene.room(), 0);
    scene.pause();
    assert_eq!(scene.room(), 2);
}

#[test]
fn a_pause_that_the_validator_asks_for_is_kept_within_the_limit() {
    for (asked, kept) in [(4, 4), (60, 5)] {
        let retry_after = Some(Duration::from_secs(asked));
        let mut scene = Scene::closed(100);
        while scene.breaker.is_closed() {
            scene.hear(CallResult::Failure { retry_after });
        }
        assert_eq!(scene.pause(), Duration::from_secs(kept));
        assert_eq!(scene.room(), 1);
        scene.hear(CallResult::Failure { retry_after });
        assert_eq!(scene.pause(), Duration::from_secs(kept));
    }
}

#[test]
fn with_answers_twice_as_many_are_asked_about_each_round_until_it_is_closed() {
    let mut scene = Scene::recovering(1000);
    for at_once in [2, 4, 8, 16, 32, 64, 128, 256, 512] {
        assert_eq!(scene.room(), at_once);
        let asked: Vec<_> = (0..at_once).map(|_| scene.ask()).collect();
        assert_eq!(scene.room(), 0);
        for round in asked {
            assert_eq!(scene.hear_of(round, CallResult::Answer), None);
        }
    }
    assert!(scene.breaker.is_closed());
    assert_eq!(scene.room(), 1000);
}

#[test]
fn with_one_place_a_single_answer_closes_it() {
    let mut scene = Scene::recovering(1);
    assert!(scene.breaker.is_closed());
    assert_eq!(scene.room(), 1);
}

#[test]
fn a_service_that_fails_again_is_not_asked_about_new_sources() {
    let mut scene = Scene::recovering(1000);
    while scene.room() < 100 {
        scene.hear(CallResult::Answer);
    }
    let asked: Vec<_> = (0..100).map(|_| scene.ask()).collect();
    for (place, round) in asked.into_iter().enumerate() {
        let change = scene.hear_of(round, FAILURE);
        assert_eq!(scene.room(), 0);
        assert_eq!(change, (place == 99).then_some(BreakerChange::Opened));
    }
    assert!(
        scene.pause() >= Duration::from_secs(1),
        "its pauses go on from where they were"
    );
}

#[test]
fn time_outs_of_an_outage_do_not_open_it_after_its_end() {
    let mut scene = Scene::closed(100);
    let asked_before: Vec<_> = (0..IN_A_ROW).map(|_| scene.ask()).collect();
    while scene.breaker.is_closed() {
        scene.hear(FAILURE);
    }
    scene.pause();
    scene.room();
    let unanswered_probe = scene.ask();
    scene.pause();
    scene.room();
    scene.hear(CallResult::Answer);
    for round in asked_before.into_iter().chain([unanswered_probe; IN_A_ROW]) {
        assert_eq!(scene.hear_of(round, FAILURE), None);
    }
    assert_eq!(scene.room(), 2);
}

#[test]
fn a_clock_that_is_set_back_lengthens_no_pause() {
    let mut scene = Scene::open(100);
    scene.now = scene.now - Duration::from_hours(1);
    assert_eq!(scene.room(), 1);
    assert!(scene.pause() <= Duration::from_secs(2));
}

#[test]
fn a_question_that_was_cut_short_counts_neither_as_answer_nor_as_failure() {
    let mut scene = Scene::closed(100);
    for _ in 1..IN_A_ROW {
        assert_eq!(scene.hear(FAILURE), None);
    }
    assert_eq!(scene.hear(CallResult::Inconclusive), None);
    assert!(scene.breaker.is_closed());
    assert!(
        scene.hear(FAILURE).is_some(),
        "it has not been forgotten that it failed"
    );
}

#[test]
fn one_source_that_fails_again_and_again_opens_nothing() {
    let mut scene = Scene::closed(100);
    for _ in 0..100 {
        assert_eq!(scene.hear_of_one(FAILURE), None);
    }
    for _ in 2..IN_A_ROW {
        assert_eq!(scene.hear(FAILURE), None);
    }
    assert_eq!(
        scene.hear(FAILURE),
        Some(BreakerChange::Opened),
        "it counts once"
    );
}

#[test]
fn one_source_that_fails_does_not_prevent_recovery() {
    let mut scene = Scene::recovering(100);
    for _ in 0..100 {
        assert_eq!(scene.hear_of_one(FAILURE), None);
    }
    assert_eq!(scene.room(), 1, "it has counted once");
    let hanging = scene.breaker.ask(ONE);
    assert_eq!(
        scene.room(),
        1,
        "a source that has failed takes no place of others"
    );
    assert_eq!(scene.hear(CallResult::Answer), None);
    assert_eq!(scene.room(), 2);
    assert_eq!(scene.hear_of(hanging, CallResult::Answer), None);
    assert_eq!(scene.room(), 3, "its answers count as others' do");
}
