//! How many messages one socket may send: a burst, and then one at a time.

use crate::config::Limits;
use std::time::Duration;
use tokio::time::Instant;

/// A token bucket for one socket's messages, stored as the time at which it is full again.
#[derive(Debug)]
pub(crate) struct MessageRate {
    burst: Duration,
    interval: Duration,
    full_at: Instant,
}

impl MessageRate {
    pub(crate) fn new(limits: &Limits, now: Instant) -> Self {
        let interval = limits.message_every;
        Self {
            burst: interval * limits.messages,
            interval,
            full_at: now,
        }
    }

    /// Counts a message. Returns whether it is within the limit.
    pub(crate) fn allows(&mut self, now: Instant) -> bool {
        self.full_at = self.full_at.max(now) + self.interval;
        self.full_at <= now + self.burst
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_burst_one_message_is_allowed_per_interval() {
        let start = Instant::now();
        let limits = Limits {
            messages: 3,
            message_every: Duration::from_secs(1),
            ..Limits::default()
        };
        let mut rate = MessageRate::new(&limits, start);
        let allowed =
            |rate: &mut MessageRate, after: u64| rate.allows(start + Duration::from_secs(after));
        assert_eq!([0, 0, 0].map(|after| allowed(&mut rate, after)), [true; 3]);
        assert_eq!(
            [1, 2, 4, 4].map(|after| allowed(&mut rate, after)),
            [true; 4]
        );
        assert!(!allowed(&mut rate, 4));
    }

    #[test]
    fn silence_saves_up_no_more_than_one_burst() {
        let start = Instant::now();
        let limits = Limits {
            messages: 2,
            message_every: Duration::from_secs(1),
            ..Limits::default()
        };
        let mut rate = MessageRate::new(&limits, start);
        let later = start + Duration::from_hours(1);
        assert_eq!([later; 3].map(|now| rate.allows(now)), [true, true, false]);
    }
}
