//! How long a silent or unsubscribed socket is kept: its deadlines, without I/O.

use crate::config::Limits;
use std::time::Duration;
use tokio::time::Instant;

/// The deadlines of one socket.
#[derive(Debug)]
pub(crate) struct Timeouts {
    activity_timeout: Duration,
    pong_within: Duration,
    subscribe_within: Duration,
    /// When the silent client is pinged or, once pinged, disconnected.
    silent_at: Instant,
    pinged: bool,
    /// When the socket has been without a subscription for too long. `None` while it has one.
    unsubscribed_at: Option<Instant>,
}

/// Which deadline has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TimeoutKind {
    /// The client has been silent for a while: send a ping.
    Activity,
    /// The client has not answered the ping.
    Pong,
    /// The client has not subscribed.
    Subscription,
}

impl Timeouts {
    pub(crate) fn new(limits: &Limits, now: Instant) -> Self {
        Self {
            activity_timeout: limits.activity_timeout,
            pong_within: limits.pong_within,
            subscribe_within: limits.subscribe_within,
            silent_at: now + limits.activity_timeout,
            pinged: false,
            unsubscribed_at: Some(now + limits.subscribe_within),
        }
    }

    /// The client has sent something. Whatever it was, the client is there.
    pub(crate) fn record_activity(&mut self, now: Instant) {
        self.silent_at = now + self.activity_timeout;
        self.pinged = false;
    }

    /// Whether the socket has subscriptions now. Only losing the last one starts the time again.
    pub(crate) fn set_subscribed(&mut self, subscribed: bool, now: Instant) {
        self.unsubscribed_at = if subscribed {
            None
        } else {
            self.unsubscribed_at.or(Some(now + self.subscribe_within))
        };
    }

    /// When to call [`expired`](Self::expired) next.
    pub(crate) fn next_deadline(&self) -> Instant {
        self.unsubscribed_at
            .map_or(self.silent_at, |at| at.min(self.silent_at))
    }

    /// The deadline that has passed at `now`, if one has. After [`TimeoutKind::Activity`] the time
    /// for the pong runs.
    pub(crate) fn expired(&mut self, now: Instant) -> Option<TimeoutKind> {
        if self.unsubscribed_at.is_some_and(|at| at <= now) {
            return Some(TimeoutKind::Subscription);
        }
        if self.silent_at > now {
            return None;
        }
        if self.pinged {
            return Some(TimeoutKind::Pong);
        }
        self.pinged = true;
        self.silent_at = now + self.pong_within;
        Some(TimeoutKind::Activity)
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
    fn timeouts() -> (Timeouts, Instant) {
        let start = Instant::now();
        (Timeouts::new(&Limits::default(), start), start)
    }

    #[test]
    fn a_silent_socket_is_pinged_and_then_closed() {
        let (mut timeouts, start) = timeouts();
        timeouts.set_subscribed(true, start);
        assert_eq!(timeouts.next_deadline(), start + seconds(120));
        assert_eq!(timeouts.expired(start + seconds(119)), None);
        assert_eq!(
            timeouts.expired(start + seconds(120)),
            Some(TimeoutKind::Activity)
        );
        assert_eq!(timeouts.next_deadline(), start + seconds(150));
        assert_eq!(
            timeouts.expired(start + seconds(150)),
            Some(TimeoutKind::Pong)
        );
    }

    #[test]
    fn any_message_answers_a_ping() {
        let (mut timeouts, start) = timeouts();
        timeouts.set_subscribed(true, start);
        assert_eq!(
            timeouts.expired(start + seconds(120)),
            Some(TimeoutKind::Activity)
        );
        timeouts.record_activity(start + seconds(149));
        assert_eq!(timeouts.next_deadline(), start + seconds(269));
        assert_eq!(
            timeouts.expired(start + seconds(269)),
            Some(TimeoutKind::Activity)
        );
    }

    #[test]
    fn a_socket_without_a_subscription_is_closed_however_much_it_sends() {
        let (mut timeouts, start) = timeouts();
        timeouts.record_activity(start + seconds(29));
        timeouts.set_subscribed(false, start + seconds(29));
        assert_eq!(
            timeouts.expired(start + seconds(30)),
            Some(TimeoutKind::Subscription)
        );
    }

    #[test]
    fn losing_the_last_subscription_starts_the_time_again() {
        let (mut timeouts, start) = timeouts();
        timeouts.set_subscribed(true, start + seconds(1));
        timeouts.set_subscribed(false, start + seconds(60));
        assert_eq!(timeouts.next_deadline(), start + seconds(90));
        timeouts.set_subscribed(true, start + seconds(61));
        assert_eq!(timeouts.next_deadline(), start + seconds(120));
    }
}
