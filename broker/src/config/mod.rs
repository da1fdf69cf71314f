//! A broker's configuration.

mod limits;
mod quota;
mod secret;

pub use limits::Limits;
pub use quota::{QuotaError, SocketPermit, SocketQuota, SocketUsage};
pub use secret::AppSecret;

use std::time::SystemTime;

/// The one application that a broker serves, who may connect, and the limits.
#[derive(Clone, Debug)]
pub struct BrokerConfig {
    /// The application's id, a part of the HTTP API's paths.
    pub app_id: String,
    /// The application's public key, a part of the socket's path and of each signature.
    pub key: String,
    /// Signs subscriptions to private channels, and requests to the HTTP API.
    pub secret: AppSecret,
    /// The pages that may open a socket: values of the `Origin` header such as
    /// `https://example.com`. If the list is empty, no browser can connect.
    pub origins: Vec<String>,
    /// Whether a socket without an `Origin` is refused. Browsers always send one; most programs do
    /// not.
    pub require_origin: bool,
    /// Whether anyone may subscribe to channels that are not private. If not, a socket without a
    /// signed subscription is closed after [`Limits::subscribe_within`].
    pub public_channels: bool,
    /// How many sockets, messages and bytes the broker accepts.
    pub limits: Limits,
    /// The current time, which tells how old a signed request is.
    pub clock: fn() -> SystemTime,
}

impl BrokerConfig {
    /// This application with the default limits, the system's clock and no origins yet.
    #[must_use]
    pub fn new(app_id: impl Into<String>, key: impl Into<String>, secret: AppSecret) -> Self {
        Self {
            app_id: app_id.into(),
            key: key.into(),
            secret,
            origins: Vec::new(),
            require_origin: false,
            public_channels: true,
            limits: Limits::default(),
            clock: system_clock,
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the default of a parameter; nothing else here reads the time"
)]
fn system_clock() -> SystemTime {
    SystemTime::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_is_in_no_debug_output() {
        let config = BrokerConfig::new("1", "key", AppSecret::new("hunter2"));
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
