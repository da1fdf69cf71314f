//! The publisher on the crate `pusher`, and everything that is known of its temper.
//!
//! The crate panics where it should fail: on a refused connection, on a 200 with a body that is not JSON. Nothing in it
//! has a time limit, and its errors are text. So each call runs under a time limit, with panics caught, and here alone.

use super::{Announcement, PublishError, Publisher};
use crate::channel::Channel;
use async_trait::async_trait;
use futures_util::FutureExt as _;
use hyper::client::HttpConnector;
use std::{fmt, panic::AssertUnwindSafe, time::Duration};
use tokio::time::timeout;

/// How long one call may take.
const PATIENCE: Duration = Duration::from_secs(5);

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
    /// The host and port of the server's HTTP API, such as `127.0.0.1:6001`.
    pub host: String,
}

/// The text is no socket id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a socket id is two numbers with a dot between them")]
pub struct InvalidSocketId;

/// Publishes to a Pusher server over plain HTTP.
pub struct PusherPublisher {
    client: pusher::Pusher<HttpConnector>,
}

impl PusherPublisher {
    /// A publisher to `app`.
    #[must_use]
    pub fn new(app: &PusherApp) -> Self {
        let http = hyper::Client::new();
        let builder = pusher::PusherBuilder::new_with_client(http, &app.id, &app.key, app.secret.expose());
        Self { client: builder.host(&app.host).finalize() }
    }

    /// Authorises the socket with the id `socket` to subscribe to `channel`: the JSON that `/pusher/auth` answers
    /// (<https://pusher.com/docs/channels/server_api/authorizing-users/>).
    ///
    /// # Errors
    /// [`InvalidSocketId`] if the id is not two numbers with a dot between: the signature covers `socket:channel`, so
    /// a socket id with a colon in it would be a signature for another channel.
    pub fn authorise(&self, channel: &Channel, socket: &str) -> Result<String, InvalidSocketId> {
        let number = |text: &str| (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        match socket.split_once('.') {
            Some((left, right)) if number(left) && number(right) => {
                self.client.authenticate_private_channel(channel.as_str(), socket).map_err(|_| InvalidSocketId)
            }
            _ => Err(InvalidSocketId),
        }
    }
}

impl fmt::Debug for PusherPublisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PusherPublisher").field("host", &self.client.host).finish_non_exhaustive()
    }
}

#[async_trait]
impl Publisher for PusherPublisher {
    async fn announce(&self, channel: &Channel, announcement: &Announcement) -> Result<(), PublishError> {
        // "0.0" is nobody's socket: without one the crate sends `null`, which some servers refuse.
        let call = self.client.trigger_exclusive(channel.as_str(), announcement.event(), announcement.data(), "0.0");
        match timeout(PATIENCE, AssertUnwindSafe(call).catch_unwind()).await {
            Ok(Ok(Ok(_))) => Ok(()),
            Ok(Ok(Err(text))) => Err(refusal(&text)),
            Ok(Err(_)) => Err(PublishError { what: "the Pusher server cannot be reached".into(), retry: true }),
            Err(_) => Err(PublishError { what: format!("the Pusher server took over {PATIENCE:?}"), retry: true }),
        }
    }
}

/// Sorts the crate's `Error: <status>. <body>`: what the server refused for its content is refused again.
fn refusal(text: &str) -> PublishError {
    let status = text.strip_prefix("Error: ").and_then(|rest| rest.get(..3)?.parse::<u16>().ok());
    let (what, retry) = match status {
        Some(401 | 403) => ("the Pusher server refused the key, the secret or the clock".to_owned(), false),
        Some(413) => ("the announcement is too large for the Pusher server".to_owned(), false),
        Some(status) => (format!("the Pusher server answered {status}"), status >= 500 || status == 429),
        None => ("the announcement was not sent".to_owned(), false),
    };
    PublishError { what, retry }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{outcome::Outcome, secret::SecretHash};

    fn publisher(host: &str) -> PusherPublisher {
        let secret = PusherSecret::new("hush");
        PusherPublisher::new(&PusherApp { id: "1".into(), key: "key".into(), secret, host: host.into() })
    }

    fn channel() -> Channel {
        Channel::of(&SecretHash::from_bytes([1; 32]))
    }

    #[test]
    fn a_malformed_socket_id_is_not_signed() {
        for bad in
            ["", "1", "1.", ".1", "1.2:x", "1.2.3", "1.a", "١.٢", "1.2\n", " 1.2", &format!("{}.1", "1".repeat(21))]
        {
            assert_eq!(publisher("h").authorise(&channel(), bad), Err(InvalidSocketId), "{bad:?}");
        }
        assert!(publisher("h").authorise(&channel(), "123.456").unwrap().starts_with(r#"{"auth":"key:"#));
    }

    #[test]
    fn refusals_are_sorted_by_whether_trying_again_can_help() {
        assert!(!refusal("Error: 401 Unauthorized. no").retry);
        assert!(!refusal("Error: 413 Payload Too Large. ").retry);
        assert!(refusal("Error: 503 Service Unavailable. ").retry);
        assert!(!refusal("Data must be smaller than 10kb").retry);
    }

    #[tokio::test]
    async fn a_refused_connection_is_an_error_and_not_a_panic() {
        let refused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let result =
            publisher(&refused.to_string()).announce(&channel(), &Announcement::Outcome(Outcome::Unavailable)).await;
        assert!(result.unwrap_err().retry);
    }

    #[test]
    fn debug_prints_nothing_of_a_secret() {
        let app = PusherApp { id: "1".into(), key: "k".into(), secret: PusherSecret::new("hush"), host: "h".into() };
        assert!(!format!("{app:?} {:?}", PusherPublisher::new(&app)).contains("hush"));
    }
}
