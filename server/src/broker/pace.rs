//! How much one socket may ask for: so many messages at once, and then one at a time.

use super::config::Limits;
use std::time::Duration;
use tokio::time::Instant;

/// What a socket has asked for lately, as the time at which none of it counts any more.
#[derive(Debug)]
pub(super) struct Pace {
    at_once: Duration,
    each: Duration,
    forgotten_at: Instant,
}

impl Pace {
    pub(super) fn new(limits: &Limits, now: Instant) -> Self {
        let each = limits.message_every;
        Self {
            at_once: each * limits.messages,
            each,
            forgotten_at: now,
        }
    }

    /// Counts a message; says whether it may still come.
    pub(super) fn allows(&mut self, now: Instant) -> bool {
        self.forgotten_at = self.forgotten_at.max(now) + self.each;
        self.forgotten_at <= now + self.at_once
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_may_come_at_once_and_then_as_many_as_time_passes() {
        let start = Instant::now();
        let limits = Limits {
            messages: 3,
            message_every: Duration::from_secs(1),
            ..Limits::default()
        };
        let mut pace = Pace::new(&limits, start);
        let allowed = |pace: &mut Pace, after: u64| pace.allows(start + Duration::from_secs(after));
        assert_eq!([0, 0, 0].map(|after| allowed(&mut pace, after)), [true; 3]);
        assert_eq!(
            [1, 2, 4, 4].map(|after| allowed(&mut pace, after)),
            [true; 4]
        );
        assert!(!allowed(&mut pace, 4));
    }

    #[test]
    fn silence_saves_up_no_more_than_what_may_come_at_once() {
        let start = Instant::now();
        let limits = Limits {
            messages: 2,
            message_every: Duration::from_secs(1),
            ..Limits::default()
        };
        let mut pace = Pace::new(&limits, start);
        let later = start + Duration::from_hours(1);
        assert_eq!([later; 3].map(|now| pace.allows(now)), [true, true, false]);
    }
}
