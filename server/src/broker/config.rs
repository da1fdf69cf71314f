//! A broker's configuration.

use std::{sync::Arc, time::Duration};
use vestibule::{
    clock::{Clock, SystemClock},
    publisher::PusherSecret,
};

/// The one application that a broker serves, and its limits.
#[derive(Clone, Debug)]
pub struct BrokerConfig {
    /// The application's id, part of the HTTP API's paths.
    pub app_id: String,
    /// The application's public key, part of the socket's path and of every signature's text.
    pub key: String,
    /// Signs subscriptions to private channels and requests to the HTTP API.
    pub secret: PusherSecret,
    /// The pages that may open a socket: values of the `Origin` header such as
    /// `https://example.com`. From a page that is not listed no socket can be opened, so a list
    /// without entries shuts all browsers out.
    pub origins: Vec<String>,
    /// Whether to refuse a socket without an `Origin`. Browsers always send one; programs mostly do
    /// not.
    pub require_origin: bool,
    /// Whether anyone may subscribe to a channel that is not private. If not, a socket for which
    /// the application has signed nothing is closed after [`Limits::subscribe_within`].
    pub public_channels: bool,
    /// How much the broker takes on.
    pub limits: Limits,
    /// Tells how old a signed request is.
    pub clock: Arc<dyn Clock>,
}

impl BrokerConfig {
    /// The given application with the default limits, the system's clock and no origins yet.
    #[must_use]
    pub fn new(app_id: impl Into<String>, key: impl Into<String>, secret: PusherSecret) -> Self {
        Self {
            app_id: app_id.into(),
            key: key.into(),
            secret,
            origins: Vec::new(),
            require_origin: false,
            public_channels: true,
            limits: Limits::default(),
            clock: Arc::new(SystemClock),
        }
    }
}

/// The limits that keep the broker's memory, and what a hostile peer can hold of it, bounded.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Sockets at a time; further ones are closed with 4100. A socket that waits costs some 5 KB.
    pub max_connections: usize,
    /// Sockets at a time of one client, where a layer around the routes says who that is; the wider
    /// networks of IPv6 around it have twice and four times as many. Of the last tenth of all
    /// sockets each client has one. Further ones are closed with 4100.
    pub max_of_client: u32,
    /// Channels that one socket may be subscribed to at a time.
    pub max_subscriptions: usize,
    /// Events that wait for one socket to be written. When one more comes, the reader is too slow
    /// and is closed with 4100.
    pub queue: usize,
    /// Bytes of the largest message that a client may send. A subscription takes about 300.
    pub max_message: usize,
    /// Messages, pings among them, that a client may send at once: one for each channel that it may
    /// have, and some.
    pub messages: u32,
    /// The time after which it may send one more. A client that sends more often is closed with
    /// 4100.
    pub message_every: Duration,
    /// The silence after which either side asks whether the other is still there. Advertised in
    /// whole seconds, at least one.
    pub activity_timeout: Duration,
    /// The time to answer such a ping; then the socket is closed with 4201.
    pub pong_within: Duration,
    /// The time that a socket may be without any subscription; then it is closed with 4009.
    pub subscribe_within: Duration,
    /// The time that one write may be stuck because the peer does not read.
    pub write_within: Duration,
    /// The time for a closing handshake.
    pub close_within: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 10_000,
            max_of_client: 200,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_is_in_no_debug_output() {
        let config = BrokerConfig::new("1", "key", PusherSecret::new("hunter2"));
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
