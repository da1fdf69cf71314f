//! A clock driven by hand.

use crate::clock::{Clock, Timestamp};
use async_trait::async_trait;
use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};
use tokio::sync::Notify;

/// A clock that stands still until a test moves it.
#[derive(Debug)]
pub struct ManualClock {
    millis: AtomicI64,
    moved: Notify,
}

impl Default for ManualClock {
    /// A clock at 2026-01-01 00:00 UTC.
    fn default() -> Self {
        Self::at(Timestamp::from_millis(1_767_225_600_000))
    }
}

impl ManualClock {
    /// A clock at `now`.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self {
            millis: AtomicI64::new(now.as_millis()),
            moved: Notify::new(),
        }
    }

    /// Moves the clock on and wakes who waited for that.
    pub fn advance(&self, by: Duration) {
        self.millis.fetch_add(
            (self.now() + by).as_millis() - self.now().as_millis(),
            Ordering::SeqCst,
        );
        self.moved.notify_waiters();
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.millis.load(Ordering::SeqCst))
    }

    async fn sleep_until(&self, at: Timestamp) {
        loop {
            let mut moved = std::pin::pin!(self.moved.notified());
            moved.as_mut().enable();
            if self.now() >= at {
                return;
            }
            moved.await;
        }
    }
}
