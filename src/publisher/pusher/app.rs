//! An app on a Pusher server: who we are there, and where that is.

use super::Trust;
use std::fmt;

/// A Pusher app's secret. `Debug` prints nothing of it.
#[derive(Clone, PartialEq, Eq, zeroize::ZeroizeOnDrop)]
pub struct PusherSecret(String);

impl PusherSecret {
    /// The secret with this text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret's text, for a broker that must know it too.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PusherSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PusherSecret(…)")
    }
}

/// An app on a Pusher server.
#[derive(Clone, Debug)]
pub struct PusherApp {
    /// The app's id.
    pub id: String,
    /// The app's key; browsers see it.
    pub key: String,
    /// The app's secret.
    pub secret: PusherSecret,
    /// Where the server's HTTP API is: a host and a port, such as `127.0.0.1:6001`, and the path
    /// before `/apps`, if any.
    pub host: String,
    /// Whose certificates are taken for the server's; without it, plain HTTP is spoken.
    pub tls: Option<Trust>,
}
