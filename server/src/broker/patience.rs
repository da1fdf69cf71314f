//! How long a silent or useless socket is kept: one deadline at a time, without I/O.

use super::config::Limits;
use std::time::Duration;
use tokio::time::Instant;

/// The deadlines of one socket.
#[derive(Debug)]
pub(super) struct Patience {
    activity_timeout: Duration,
    pong_within: Duration,
    subscribe_within: Duration,
    /// When the silent peer is pinged or, once pinged, disconnected.
    silent_at: Instant,
    pinged: bool,
    /// When the socket has been without a subscription for too long.
    useless_at: Option<Instant>,
}

/// What a passed deadline calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Overdue {
    /// Nothing heard for a while: ask.
    Ping,
    /// No answer.
    NoPong,
    /// No subscription.
    Useless,
}

impl Patience {
    pub(super) fn new(limits: &Limits, now: Instant) -> Self {
        Self {
            activity_timeout: limits.activity_timeout,
            pong_within: limits.pong_within,
            subscribe_within: limits.subscribe_within,
            silent_at: now + limits.activity_timeout,
            pinged: false,
            useless_at: Some(now + limits.subscribe_within),
        }
    }

    /// The peer sent something, whatever it was: it is alive.
    pub(super) fn heard(&mut self, now: Instant) {
        self.silent_at = now + self.activity_timeout;
        self.pinged = false;
    }

    /// The socket has subscriptions now, or has none. Only losing the last one restarts the time
    /// without any.
    pub(super) fn subscribed(&mut self, any: bool, now: Instant) {
        self.useless_at = if any {
            None
        } else {
            self.useless_at.or(Some(now + self.subscribe_within))
        };
    }

    /// When to look again.
    pub(super) fn deadline(&self) -> Instant {
        self.useless_at
            .map_or(self.silent_at, |useless_at| useless_at.min(self.silent_at))
    }

    /// What is due at `now`, if anything is.
    pub(super) fn overdue(&mut self, now: Instant) -> Option<Overdue> {
        if self.useless_at.is_some_and(|useless_at| useless_at <= now) {
            return Some(Overdue::Useless);
        }
        if self.silent_at > now {
            return None;
        }
        if self.pinged {
            return Some(Overdue::NoPong);
        }
        self.pinged = true;
        self.silent_at = now + self.pong_within;
        Some(Overdue::Ping)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    /// Starts at some moment with 120 s until a ping, 30 s for the pong and 30 s for a
    /// subscription.
    fn patience() -> (Patience, Instant) {
        let start = Instant::now();
        (Patience::new(&Limits::default(), start), start)
    }

    #[test]
    fn a_silent_socket_is_pinged_and_then_given_up() {
        let (mut patience, start) = patience();
        patience.subscribed(true, start);
        assert_eq!(patience.deadline(), start + seconds(120));
        assert_eq!(patience.overdue(start + seconds(119)), None);
        assert_eq!(patience.overdue(start + seconds(120)), Some(Overdue::Ping));
        assert_eq!(patience.deadline(), start + seconds(150));
        assert_eq!(
            patience.overdue(start + seconds(150)),
            Some(Overdue::NoPong)
        );
    }

    #[test]
    fn anything_heard_is_an_answer() {
        let (mut patience, start) = patience();
        patience.subscribed(true, start);
        assert_eq!(patience.overdue(start + seconds(120)), Some(Overdue::Ping));
        patience.heard(start + seconds(149));
        assert_eq!(patience.deadline(), start + seconds(269));
        assert_eq!(patience.overdue(start + seconds(269)), Some(Overdue::Ping));
    }

    #[test]
    fn a_socket_without_a_subscription_is_given_up_however_much_it_talks() {
        let (mut patience, start) = patience();
        patience.heard(start + seconds(29));
        patience.subscribed(false, start + seconds(29));
        assert_eq!(
            patience.overdue(start + seconds(30)),
            Some(Overdue::Useless)
        );
    }

    #[test]
    fn losing_the_last_subscription_starts_the_time_again() {
        let (mut patience, start) = patience();
        patience.subscribed(true, start + seconds(1));
        patience.subscribed(false, start + seconds(60));
        assert_eq!(patience.deadline(), start + seconds(90));
        patience.subscribed(true, start + seconds(61));
        assert_eq!(patience.deadline(), start + seconds(120));
    }
}
