//! A clock that the world moves, forwards and sometimes back.

use async_trait::async_trait;
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::Notify;
use vestibule::clock::{Clock, Timestamp};

#[derive(Debug)]
pub struct SimClock {
    time: Mutex<Time>,
    moved: Notify,
}

#[derive(Debug)]
struct Time {
    now: Timestamp,
    latest: Timestamp,
    sleepers: Vec<Timestamp>,
}

impl Default for SimClock {
    fn default() -> Self {
        let now = Timestamp::from_millis(1_767_225_600_000);
        Self {
            time: Mutex::new(Time {
                now,
                latest: now,
                sleepers: Vec::new(),
            }),
            moved: Notify::new(),
        }
    }
}

impl SimClock {
    fn lock(&self) -> MutexGuard<'_, Time> {
        self.time.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn set(&self, now: Timestamp) {
        let mut time = self.lock();
        time.now = now;
        time.latest = time.latest.max(now);
        drop(time);
        self.moved.notify_waiters();
    }

    pub fn advance(&self, by: Duration) {
        self.set(self.now() + by);
    }

    /// The latest moment that it has ever shown.
    pub fn latest(&self) -> Timestamp {
        self.lock().latest
    }

    /// When the next sleeper wakes.
    pub fn next_sleeper(&self) -> Option<Timestamp> {
        self.lock().sleepers.iter().min().copied()
    }
}

/// Takes the sleeper off the list again, also when its sleep is given up.
struct Sleep<'c> {
    clock: &'c SimClock,
    until: Timestamp,
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        let mut time = self.clock.lock();
        if let Some(place) = time.sleepers.iter().position(|until| *until == self.until) {
            time.sleepers.swap_remove(place);
        }
    }
}

#[async_trait]
impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        self.lock().now
    }

    async fn sleep_until(&self, at: Timestamp) {
        self.lock().sleepers.push(at);
        let _sleep = Sleep {
            clock: self,
            until: at,
        };
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
