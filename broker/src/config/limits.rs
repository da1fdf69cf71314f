//! The broker's limits, each with its default.

use std::time::Duration;

/// The limits that bound the broker's memory, and how much of it a hostile client can hold.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Sockets at a time (default 10,000). Further ones are closed with 4100. A socket that only
    /// waits costs about 5 KB.
    pub max_connections: usize,
    /// Channels that one socket may be subscribed to at a time (default 100).
    pub max_subscriptions: usize,
    /// Events that wait to be written to one socket (default 32). At one more, the reader is too
    /// slow, and the socket is closed with 4100.
    pub queue: usize,
    /// Bytes of the largest message that a client may send (default 16 KiB). A subscription takes
    /// about 300.
    pub max_message: usize,
    /// Messages, pings included, that a client may send at once (default 128): one for each channel
    /// that it may subscribe to, and some more.
    pub messages: u32,
    /// The time after which it may send one more (default 100 ms). A client that sends more often
    /// is closed with 4100.
    pub message_every: Duration,
    /// The silence after which either side pings the other (default 2 min). Clients are told it in
    /// whole seconds, at least one.
    pub activity_timeout: Duration,
    /// The time to answer such a ping (default 30 s). Then the socket is closed with 4201.
    pub pong_within: Duration,
    /// How long a socket may be without a subscription (default 30 s). Then it is closed with 4009.
    pub subscribe_within: Duration,
    /// How long one write may be blocked by a client that does not read (default 5 s).
    pub write_within: Duration,
    /// The time for a closing handshake (default 5 s).
    pub close_within: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 10_000,
            max_subscriptions: 100,
            queue: 32,
            max_message: 16 * 1024,
            messages: 128,
            message_every: Duration::from_millis(100),
            activity_timeout: Duration::from_mins(2),
            pong_within: Duration::from_secs(30),
            subscribe_within: Duration::from_secs(30),
            write_within: Duration::from_secs(5),
            close_within: Duration::from_secs(5),
        }
    }
}
