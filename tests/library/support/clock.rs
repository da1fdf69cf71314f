//! A clock driven by hand that tells who sleeps.

use super::soon;
use async_trait::async_trait;
use std::time::Duration;
use tokio::sync::watch;
use vestibule::{
    clock::{Clock, Timestamp},
    testing::ManualClock,
};

/// A [`ManualClock`] on which a test can see that somebody has gone to sleep, before it moves the clock.
#[derive(Debug, Default)]
pub struct WatchedClock {
    clock: ManualClock,
    sleepers: watch::Sender<Vec<Timestamp>>,
}

impl WatchedClock {
    /// Moves the clock on.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// Waits until somebody sleeps until `at`.
    pub async fn somebody_sleeps_until(&self, at: Timestamp) {
        let mut sleepers = self.sleepers.subscribe();
        let asleep = soon("a sleeper", sleepers.wait_for(|sleepers| sleepers.contains(&at))).await;
        assert!(asleep.is_ok(), "the clock itself keeps the sender");
    }
}

/// Takes the sleeper off the list again, also when its sleep is given up.
struct Sleep<'c> {
    clock: &'c WatchedClock,
    until: Timestamp,
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        self.clock.sleepers.send_modify(|sleepers| {
            if let Some(place) = sleepers.iter().position(|until| *until == self.until) {
                sleepers.swap_remove(place);
            }
        });
    }
}

#[async_trait]
impl Clock for WatchedClock {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    async fn sleep_until(&self, at: Timestamp) {
        let _sleep = Sleep { clock: self, until: at };
        self.sleepers.send_modify(|sleepers| sleepers.push(at));
        self.clock.sleep_until(at).await;
    }
}
