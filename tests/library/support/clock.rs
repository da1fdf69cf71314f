//! A clock moved by hand that reports its sleepers.

use super::soon;
use async_trait::async_trait;
use std::time::Duration;
use tokio::sync::watch;
use vestibule::{
    clock::{Clock, Timestamp},
    testing::ManualClock,
};

/// A [`ManualClock`] on which a test can see that a task sleeps before it moves the clock.
#[derive(Debug, Default)]
pub struct WatchedClock {
    clock: ManualClock,
    sleepers: watch::Sender<Vec<Timestamp>>,
    /// All that have ever gone to sleep.
    sleeps: watch::Sender<Vec<Timestamp>>,
}

impl WatchedClock {
    /// Moves the clock on.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// The sleeps that begin from now on.
    pub fn later_sleeps(&self) -> LaterSleeps {
        let sleeps = self.sleeps.subscribe();
        let earlier = sleeps.borrow().len();
        LaterSleeps { sleeps, earlier }
    }

    /// Waits until a task sleeps until `at`.
    pub async fn somebody_sleeps_until(&self, at: Timestamp) {
        let mut sleepers = self.sleepers.subscribe();
        let asleep = soon(
            "a sleeper",
            sleepers.wait_for(|sleepers| sleepers.contains(&at)),
        )
        .await;
        assert!(asleep.is_ok(), "the clock itself keeps the sender");
    }
}

/// The sleeps that begin from a moment on.
pub struct LaterSleeps {
    sleeps: watch::Receiver<Vec<Timestamp>>,
    earlier: usize,
}

impl LaterSleeps {
    /// Waits for one until `latest` or before.
    pub async fn one_until(&mut self, latest: Timestamp) {
        let earlier = self.earlier;
        let later =
            |sleeps: &Vec<Timestamp>| sleeps[earlier..].iter().any(|until| *until <= latest);
        assert!(
            soon("a new sleeper", self.sleeps.wait_for(later))
                .await
                .is_ok(),
            "the clock itself keeps the sender"
        );
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
        let _sleep = Sleep {
            clock: self,
            until: at,
        };
        self.sleepers.send_modify(|sleepers| sleepers.push(at));
        self.sleeps.send_modify(|sleeps| sleeps.push(at));
        self.clock.sleep_until(at).await;
    }
}
