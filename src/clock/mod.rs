//! Time, as a parameter. Nothing else in Vestibule reads a clock, so a test can drive it.

#[cfg(feature = "postgres")]
mod told;

#[cfg(feature = "postgres")]
pub(crate) use told::ToldTime;

use async_trait::async_trait;
use std::{
    fmt::Debug,
    future::Future,
    ops::{Add, Sub},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// A moment in UTC, in whole milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The moment `millis` milliseconds after the start of 1970 in UTC.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the start of 1970 in UTC.
    #[must_use]
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// The time from `earlier` to this moment; zero if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// A moment before 1970 is its start: nothing here is that old.
impl From<Timestamp> for SystemTime {
    fn from(moment: Timestamp) -> Self {
        UNIX_EPOCH + Duration::from_millis(u64::try_from(moment.0).unwrap_or(0))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, later_by: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(later_by.as_millis()).unwrap_or(i64::MAX)),
        )
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;

    fn sub(self, earlier_by: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(i64::try_from(earlier_by.as_millis()).unwrap_or(i64::MAX)),
        )
    }
}

/// Tells the time and waits for it.
#[async_trait]
pub trait Clock: Debug + Send + Sync + 'static {
    /// The present moment.
    fn now(&self) -> Timestamp;

    /// Returns once [`now`](Self::now) has reached `at`.
    async fn sleep_until(&self, at: Timestamp);
}

/// The time ran out before the work was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the time ran out")]
pub struct Elapsed;

/// Runs `work` until `at`.
///
/// # Errors
/// [`Elapsed`] if the clock reached `at` first; `work` is dropped then.
pub async fn until<W: Future>(
    clock: &dyn Clock,
    at: Timestamp,
    work: W,
) -> Result<W::Output, Elapsed> {
    tokio::select! {
        biased;
        done = work => Ok(done),
        () = clock.sleep_until(at) => Err(Elapsed),
    }
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the time"
    )]
    fn now(&self) -> Timestamp {
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Timestamp(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }

    async fn sleep_until(&self, at: Timestamp) {
        // A sleep is measured by a clock that does not step; the wall clock may have been set
        // meanwhile.
        while self.now() < at {
            tokio::time::sleep(at.since(self.now())).await;
        }
    }
}
