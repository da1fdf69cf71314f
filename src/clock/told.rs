//! A clock that goes on from what another has told.

use super::Timestamp;
use std::{
    sync::{PoisonError, RwLock},
    time::Duration,
};
use tokio::time::Instant;

/// Another clock's time. Between readings it follows the machine's steady clock, so that setting
/// the machine's wall clock changes nothing.
#[derive(Debug)]
pub(crate) struct ToldTime(RwLock<Told>);

#[derive(Clone, Copy, Debug)]
struct Told {
    /// What the other clock said
    time: Timestamp,
    /// at this moment of the steady one.
    at: Instant,
}

/// An answer that took longer says too little about when it was given.
const USEFUL_WITHIN: Duration = Duration::from_millis(500);

impl ToldTime {
    /// Starts with `time`, which was asked for at `asked` and has been told just now.
    pub fn new(time: Timestamp, asked: Instant) -> Self {
        Self(RwLock::new(Told::half_way(time, asked)))
    }

    /// Takes over `time`, which was asked for at `asked` and has been told just now.
    pub fn correct(&self, time: Timestamp, asked: Instant) {
        if asked.elapsed() <= USEFUL_WITHIN {
            *self.0.write().unwrap_or_else(PoisonError::into_inner) = Told::half_way(time, asked);
        }
    }

    pub fn now(&self) -> Timestamp {
        let told = *self.0.read().unwrap_or_else(PoisonError::into_inner);
        told.time + told.at.elapsed()
    }
}

impl Told {
    /// The answer was given between the question and now: the middle is the best guess.
    fn half_way(time: Timestamp, asked: Instant) -> Self {
        Self {
            time,
            at: asked + asked.elapsed() / 2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    const NOON: Timestamp = Timestamp::from_millis(43_200_000);

    #[tokio::test(start_paused = true)]
    async fn it_goes_on_from_what_it_was_told() {
        let time = ToldTime::new(NOON, Instant::now());
        advance(Duration::from_secs(20)).await;
        assert_eq!(time.now(), NOON + Duration::from_secs(20));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_is_taken_to_be_half_as_old_as_its_question() {
        let asked = Instant::now();
        advance(Duration::from_millis(100)).await;
        assert_eq!(
            ToldTime::new(NOON, asked).now(),
            NOON + Duration::from_millis(50)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn it_follows_a_correction_in_either_direction_unless_that_took_long() {
        let time = ToldTime::new(NOON, Instant::now());
        for told in [NOON + Duration::from_secs(5), NOON - Duration::from_secs(5)] {
            time.correct(told, Instant::now());
            assert_eq!(time.now(), told);
        }
        let asked = Instant::now();
        advance(Duration::from_secs(2)).await;
        time.correct(NOON + Duration::from_mins(1), asked);
        assert_eq!(time.now(), NOON - Duration::from_secs(3));
    }
}
