//! How long each part of a sign-in may take, and why it fits together.

use std::time::Duration;

/// How long each part of a sign-in may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timing {
    /// One call of the validator (default 10 s).
    pub attempt: Duration,
    /// From `begin` to the outcome (default 60 s).
    pub deadline: Duration,
    /// From `begin` to the outcome, once the validator has said that it answers later (default
    /// 15 min); no shorter than the deadline.
    pub wait: Duration,
    /// How long a claim is exclusive (default 30 s); longer than an attempt.
    pub lease: Duration,
    /// How often the worker looks without having been woken, and the page asks (default 5 s).
    pub poll: Duration,
    /// From the landing to `begin` (default 1 h).
    pub begin_within: Duration,
    /// How long a bound session waits for its browser (default 15 min); no shorter than the wait,
    /// for which a page may be closed.
    pub bound: Duration,
    /// How long an exchange may be repeated (30 s at most, and by default).
    pub grace: Duration,
    /// How long an established session lives unused (default 14 days).
    pub idle: Duration,
    /// How long one lives however much it is used (default 90 days); no shorter than idle.
    pub absolute: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            attempt: Duration::from_secs(10),
            deadline: Duration::from_mins(1),
            wait: Duration::from_mins(15),
            lease: Duration::from_secs(30),
            poll: Duration::from_secs(5),
            begin_within: Duration::from_hours(1),
            bound: Duration::from_mins(15),
            grace: Duration::from_secs(30),
            idle: Duration::from_hours(14 * 24),
            absolute: Duration::from_hours(90 * 24),
        }
    }
}

impl Timing {
    /// How long a validator has to be silent for its silence to tell something: an attempt, but
    /// where the deadline hardly leaves time for one, less.
    #[must_use]
    pub fn telling(&self) -> Duration {
        self.attempt.min(self.deadline / 2)
    }

    /// How long a pending cookie lives: it outlives the begin window, the latest deadline and the
    /// wait of a bound session.
    #[must_use]
    pub fn pending_cookie(&self) -> Duration {
        self.begin_within + self.wait + self.bound
    }
}
