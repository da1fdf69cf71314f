//! The clock of a practice mode whose time can be moved forward.

use async_trait::async_trait;
use std::{sync::Arc, time::Duration};
use tokio::sync::watch;
use vestibule::clock::{Clock, Timestamp};

/// How far it can be moved in all.
const FARTHEST: Duration = Duration::from_hours(10 * 366 * 24);

/// Another clock, and how far ahead of it the time is. It can be moved forward, never back: what is
/// stored would then lie in the future.
#[derive(Debug)]
pub struct PracticeClock {
    machine: Arc<dyn Clock>,
    ahead: watch::Sender<Duration>,
}

/// The clock would be too far ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the clock can be moved ten years ahead in all; a restart sets it to the machine's time")]
pub struct TooFar;

impl PracticeClock {
    /// A clock that goes as `machine` does until it is moved.
    pub fn new(machine: Arc<dyn Clock>) -> Self {
        let (ahead, _) = watch::channel(Duration::ZERO);
        Self { machine, ahead }
    }

    /// Lets this much time pass, and returns the new time. All that sleeps until a moment
    /// that is reached by that wakes up.
    ///
    /// # Errors
    /// [`TooFar`] if it would be ten years ahead of the machine's clock.
    pub fn advance(&self, by: Duration) -> Result<Timestamp, TooFar> {
        let mut moved = false;
        self.ahead.send_if_modified(|ahead| {
            let next = ahead.checked_add(by).filter(|next| *next <= FARTHEST);
            moved = next.is_some();
            *ahead = next.unwrap_or(*ahead);
            moved
        });
        if moved { Ok(self.now()) } else { Err(TooFar) }
    }
}

#[async_trait]
impl Clock for PracticeClock {
    fn now(&self) -> Timestamp {
        self.machine.now() + *self.ahead.borrow()
    }

    async fn sleep_until(&self, at: Timestamp) {
        let mut changes = self.ahead.subscribe();
        loop {
            let ahead = *changes.borrow_and_update();
            if self.machine.now() + ahead >= at {
                return;
            }
            tokio::select! {
                () = self.machine.sleep_until(at - ahead) => {}
                // The sender is this clock's own.
                _ = changes.changed() => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{FutureExt as _, poll};
    use std::{pin::pin, task::Poll};
    use vestibule::clock::SystemClock;

    /// A clock that stands still.
    #[derive(Debug)]
    struct Noon;

    const NOON: Timestamp = Timestamp::from_millis(43_200_000);

    #[async_trait]
    impl Clock for Noon {
        fn now(&self) -> Timestamp {
            NOON
        }

        async fn sleep_until(&self, at: Timestamp) {
            if at > NOON {
                std::future::pending::<()>().await;
            }
        }
    }

    #[test]
    fn it_goes_as_the_machine_does_until_it_is_moved() {
        let clock = PracticeClock::new(Arc::new(Noon));
        assert_eq!(clock.now(), NOON);
        let hour = Duration::from_hours(1);
        assert_eq!(clock.advance(hour), Ok(NOON + hour));
        assert_eq!(clock.advance(hour), Ok(NOON + hour * 2));
        assert_eq!(clock.now(), NOON + hour * 2);
    }

    #[tokio::test]
    async fn a_sleeper_wakes_once_its_moment_is_reached_and_not_before() {
        let clock = PracticeClock::new(Arc::new(Noon));
        let mut sleep = pin!(clock.sleep_until(NOON + Duration::from_mins(1)));
        assert_eq!(poll!(sleep.as_mut()), Poll::Pending);
        clock.advance(Duration::from_secs(59)).unwrap();
        assert_eq!(poll!(sleep.as_mut()), Poll::Pending);
        clock.advance(Duration::from_secs(1)).unwrap();
        assert_eq!(poll!(sleep.as_mut()), Poll::Ready(()));
        assert!(clock.sleep_until(NOON).now_or_never().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn it_still_follows_the_machine_s_clock() {
        let clock = PracticeClock::new(Arc::new(SystemClock));
        clock.advance(Duration::from_mins(1)).unwrap();
        let until = clock.now() + Duration::from_millis(5);
        clock.sleep_until(until).await;
        assert!(clock.now() >= until);
    }

    #[test]
    fn it_cannot_be_moved_out_of_reach() {
        let clock = PracticeClock::new(Arc::new(Noon));
        assert_eq!(clock.advance(FARTHEST), Ok(NOON + FARTHEST));
        for by in [Duration::from_millis(1), Duration::MAX] {
            assert_eq!(clock.advance(by), Err(TooFar));
        }
        assert_eq!(clock.now(), NOON + FARTHEST);
    }
}
