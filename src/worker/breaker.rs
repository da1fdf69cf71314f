//! Whether the validator is worth asking: a circuit breaker. Pure: time and chance are parameters.
//!
//! *Closed*, everybody is asked about. Failures in a row, without an answer between them, *open* it: nobody is asked about
//! but a few probes, after a pause that grows. The first answer to a probe has it *recover*: each answer lets one more be
//! asked about at once, each failure one fewer. That doubles with every round of answers, and does not flatten a service that
//! has just come back. It ends closed when as many are let through as the worker can ask about, or open again at none.
//!
//! A verdict and a refusal for good are both answers: somebody is there.

use super::backoff::between;
use crate::{clock::Timestamp, secret::Entropy};
use std::time::Duration;

/// How many failures in a row open it: more than one bad token can have on its own.
const IN_A_ROW: usize = 20;
/// The same for a worker that asks about few at once, where so many take long.
const IN_A_ROW_OF_FEW: usize = 5;
/// The first pause between probes, at most.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// The longest pause between probes: so late may a return be noticed.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// The most probes after one pause. After the first it is one; a token that fails on its own must not keep everybody else
/// waiting, so their number grows with the pauses.
const MOST_PROBES: usize = 16;
/// How many are asked about at once after the first answer: one more for it.
const RECOVER_WITH: usize = 2;

/// The breaker of one worker and its validator.
#[derive(Debug)]
pub struct Breaker {
    /// How many the worker can ask about at once.
    limit: usize,
    state: State,
    /// What was asked in an earlier round says nothing about now: an outage's time-outs arrive long after its end.
    round: Round,
    /// How many of this round are being asked about.
    asking: usize,
    /// How many pauses there have been since it was closed.
    pauses: u32,
}

#[derive(Debug)]
enum State {
    Closed { failures: usize },
    Open { probe_at: Timestamp, probes: usize },
    Recovering { at_once: usize },
}

/// When something was asked: between which two changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Round(u64);

/// What was heard of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Somebody is there.
    Answer,
    /// No answer, or one that is none.
    Failure {
        /// How long the validator asked to be left alone.
        retry_after: Option<Duration>,
    },
    /// It was not asked after all, or not for long enough to say anything.
    Nothing,
}

/// What an operator wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nobody is asked about any more but a few probes.
    Opened,
    /// The validator answers again.
    Recovers,
}

impl Breaker {
    /// A closed breaker of a worker that asks about up to `limit` at once.
    pub fn new(limit: usize) -> Self {
        Self { limit, state: State::Closed { failures: 0 }, round: Round(0), asking: 0, pauses: 0 }
    }

    /// Whether everybody is asked about.
    pub const fn is_closed(&self) -> bool {
        matches!(self.state, State::Closed { .. })
    }

    /// How many more may be asked about now.
    pub fn room(&mut self, now: Timestamp, entropy: &dyn Entropy) -> usize {
        match &mut self.state {
            State::Closed { .. } => self.limit.saturating_sub(self.asking),
            State::Recovering { at_once } => at_once.saturating_sub(self.asking),
            State::Open { probe_at, probes } => {
                // Of a probe that is not answered nobody waits to hear: the next pause has probes of its own. A clock that
                // was set back must not lengthen a pause.
                if *probe_at <= now || probe_at.since(now) > LONGEST_PAUSE {
                    *probes = MOST_PROBES.min(1 << (self.pauses - 1).min(8)).min(self.limit);
                    self.pauses = self.pauses.saturating_add(1);
                    *probe_at = now + pause(self.pauses, entropy);
                }
                *probes
            }
        }
    }

    /// When there will be probes, if it is open.
    pub const fn probe_at(&self) -> Option<Timestamp> {
        match self.state {
            State::Open { probe_at, .. } => Some(probe_at),
            State::Closed { .. } | State::Recovering { .. } => None,
        }
    }

    /// One more is asked about. What is heard of it names the round.
    pub fn ask(&mut self) -> Round {
        self.asking += 1;
        if let State::Open { probes, .. } = &mut self.state {
            *probes = probes.saturating_sub(1);
        }
        self.round
    }

    /// Takes note of what was heard of a question of `round`.
    pub fn hear(&mut self, round: Round, heard: Heard, now: Timestamp, entropy: &dyn Entropy) -> Option<Change> {
        if round != self.round {
            return None;
        }
        self.asking = self.asking.saturating_sub(1);
        match (&mut self.state, heard) {
            (_, Heard::Nothing) => None,
            (State::Closed { failures }, Heard::Answer) => {
                *failures = 0;
                None
            }
            (State::Closed { failures }, Heard::Failure { retry_after }) => {
                *failures += 1;
                let opens = *failures >= self.limit.clamp(IN_A_ROW_OF_FEW, IN_A_ROW);
                opens.then(|| self.open(retry_after, now, entropy))
            }
            (State::Open { .. }, Heard::Answer) => {
                self.turn(State::Recovering { at_once: RECOVER_WITH });
                self.close_if_all_are_let_through();
                Some(Change::Recovers)
            }
            (State::Open { probe_at, .. }, Heard::Failure { retry_after }) => {
                *probe_at = (*probe_at).max(now + asked(retry_after));
                None
            }
            (State::Recovering { at_once }, Heard::Answer) => {
                *at_once += 1;
                self.close_if_all_are_let_through();
                None
            }
            (State::Recovering { at_once }, Heard::Failure { retry_after }) => {
                *at_once -= 1;
                (*at_once == 0).then(|| self.open(retry_after, now, entropy))
            }
        }
    }

    fn open(&mut self, retry_after: Option<Duration>, now: Timestamp, entropy: &dyn Entropy) -> Change {
        // One that opens again while it recovers goes on with longer pauses.
        self.pauses = self.pauses.max(1);
        let wait = pause(self.pauses, entropy).max(asked(retry_after));
        self.turn(State::Open { probe_at: now + wait, probes: 0 });
        Change::Opened
    }

    fn turn(&mut self, state: State) {
        self.state = state;
        self.round = Round(self.round.0 + 1);
        self.asking = 0;
    }

    /// A change within a round: those who are being asked about go on to count.
    fn close_if_all_are_let_through(&mut self) {
        if matches!(self.state, State::Recovering { at_once } if at_once >= self.limit) {
            self.state = State::Closed { failures: 0 };
            self.pauses = 0;
        }
    }
}

/// A pause that doubles up to a limit; between half of that and all of it, so that several workers do not ask together.
fn pause(count: u32, entropy: &dyn Entropy) -> Duration {
    let longest = FIRST_PAUSE.saturating_mul(1 << (count.saturating_sub(1)).min(8)).min(LONGEST_PAUSE);
    between(longest / 2, longest, entropy)
}

/// The pause that a validator has asked for, as far as a few probes keep to it.
fn asked(retry_after: Option<Duration>) -> Duration {
    retry_after.unwrap_or_default().min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::SystemEntropy;

    const FAILURE: Heard = Heard::Failure { retry_after: None };

    /// A breaker in its time.
    struct Scene {
        breaker: Breaker,
        now: Timestamp,
    }

    impl Scene {
        fn closed(limit: usize) -> Self {
            Self { breaker: Breaker::new(limit), now: Timestamp::from_millis(1_000_000) }
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

        fn hear_of(&mut self, round: Round, heard: Heard) -> Option<Change> {
            self.breaker.hear(round, heard, self.now, &SystemEntropy)
        }

        fn hear(&mut self, heard: Heard) -> Option<Change> {
            let round = self.breaker.ask();
            self.hear_of(round, heard)
        }

        /// Sits a pause out, and tells how long it was.
        fn pause(&mut self) -> Duration {
            let (start, end) = (self.now, self.breaker.probe_at().expect("it is open"));
            self.now = end;
            end.since(start)
        }

        fn recovering(limit: usize) -> Self {
            let mut scene = Self::open(limit);
            scene.pause();
            assert_eq!(scene.room(), 1);
            assert_eq!(scene.hear(Heard::Answer), Some(Change::Recovers));
            scene
        }
    }

    #[test]
    fn failures_in_a_row_open_it_once_and_nobody_is_asked_about() {
        let mut scene = Scene::closed(100);
        let late = scene.breaker.ask();
        for _ in 1..IN_A_ROW {
            assert_eq!(scene.hear(FAILURE), None);
            assert_eq!(scene.room(), 99);
        }
        assert_eq!(scene.hear(FAILURE), Some(Change::Opened));
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
            scene.hear(Heard::Answer);
        }
        assert!(scene.breaker.is_closed());
    }

    #[test]
    fn what_was_not_asked_after_all_says_nothing() {
        let mut scene = Scene::closed(100);
        for _ in 1..IN_A_ROW {
            scene.hear(FAILURE);
        }
        assert_eq!(scene.hear(Heard::Nothing), None);
        assert_eq!(scene.room(), 100);
        assert_eq!(scene.hear(FAILURE), Some(Change::Opened));
    }

    #[test]
    fn a_worker_with_few_places_notices_sooner() {
        let mut scene = Scene::closed(1);
        for _ in 1..IN_A_ROW_OF_FEW {
            scene.hear(FAILURE);
        }
        assert!(scene.breaker.is_closed());
        assert_eq!(scene.hear(FAILURE), Some(Change::Opened));
    }

    #[test]
    fn pauses_grow_to_a_limit_and_so_do_the_probes_after_them() {
        let mut scene = Scene::open(100);
        for (longest, probes) in [(1, 1), (2, 2), (4, 4), (5, 8), (5, 16), (5, 16)] {
            let (longest, pause) = (Duration::from_secs(longest), scene.pause());
            assert!((longest / 2..=longest).contains(&pause), "{pause:?} of {longest:?}");
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
        scene.breaker.ask();
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
                scene.hear(Heard::Failure { retry_after });
            }
            assert_eq!(scene.pause(), Duration::from_secs(kept));
            assert_eq!(scene.room(), 1);
            scene.hear(Heard::Failure { retry_after });
            assert_eq!(scene.pause(), Duration::from_secs(kept));
        }
    }

    #[test]
    fn with_answers_twice_as_many_are_asked_about_each_round_until_it_is_closed() {
        let mut scene = Scene::recovering(1000);
        for at_once in [2, 4, 8, 16, 32, 64, 128, 256, 512] {
            assert_eq!(scene.room(), at_once);
            let asked: Vec<_> = (0..at_once).map(|_| scene.breaker.ask()).collect();
            assert_eq!(scene.room(), 0);
            for round in asked {
                assert_eq!(scene.hear_of(round, Heard::Answer), None);
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
    fn a_service_that_falls_over_again_is_not_asked_about_anybody_new() {
        let mut scene = Scene::recovering(1000);
        while scene.room() < 100 {
            scene.hear(Heard::Answer);
        }
        let asked: Vec<_> = (0..100).map(|_| scene.breaker.ask()).collect();
        for (place, round) in asked.into_iter().enumerate() {
            let change = scene.hear_of(round, FAILURE);
            assert_eq!(scene.room(), 0);
            assert_eq!(change, (place == 99).then_some(Change::Opened));
        }
        assert!(scene.pause() >= Duration::from_secs(1), "its pauses go on from where they were");
    }

    #[test]
    fn time_outs_of_an_outage_do_not_open_it_after_its_end() {
        let mut scene = Scene::closed(100);
        let asked_before: Vec<_> = (0..IN_A_ROW).map(|_| scene.breaker.ask()).collect();
        while scene.breaker.is_closed() {
            scene.hear(FAILURE);
        }
        scene.pause();
        scene.room();
        let unanswered_probe = scene.breaker.ask();
        scene.pause();
        scene.room();
        scene.hear(Heard::Answer);
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
}
