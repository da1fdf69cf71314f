//! The publisher on the crate `pusher`, and everything that is known of its temper.
//!
//! The crate panics where it should fail: on a refused connection, on a 200 with a body that is not
//! JSON. Nothing in it has a time limit, and its errors are text. So each call runs under a time
//! limit, with panics caught, and here alone.

mod app;
mod connect;
mod error;
mod trust;

pub use app::{PusherApp, PusherSecret};
pub use connect::{Connector, PusherStream};
pub use error::{ConnectError, PusherError};
pub use trust::{Trust, TrustError};

use super::{Announcement, PublishError, Publisher};
use crate::channel::Channel;
use async_trait::async_trait;
use futures_util::FutureExt as _;
use std::{fmt, panic::AssertUnwindSafe, slice, time::Duration};
use tokio::time::timeout;

/// How long one call may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a connection is kept that is not used. Servers close theirs after a minute or more.
const IDLE: Duration = Duration::from_secs(30);

/// The text is no socket id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a socket id is two numbers with a dot between them")]
pub struct InvalidSocketId;

/// Publishes to a Pusher server.
pub struct PusherPublisher {
    client: pusher::Pusher<Connector>,
    connector: Connector,
}

impl PusherPublisher {
    /// A publisher to `app`.
    #[must_use]
    pub fn new(app: &PusherApp) -> Self {
        let connector = Connector::new(app.tls.clone());
        let http = hyper::Client::builder()
            .pool_idle_timeout(IDLE)
            .build(connector.clone());
        let builder =
            pusher::PusherBuilder::new_with_client(http, &app.id, &app.key, app.secret.expose());
        let builder = builder.host(&app.host);
        let builder = if app.tls.is_some() {
            builder.secure()
        } else {
            builder
        };
        Self {
            client: builder.finalize(),
            connector,
        }
    }

    /// Publishes `announcement` on `channels`, of which there may be ten, in one request.
    ///
    /// # Errors
    /// [`PusherError`] says what is in the way.
    pub async fn publish(
        &self,
        channels: &[Channel],
        announcement: &Announcement,
    ) -> Result<(), PusherError> {
        let (channels, event): (Vec<_>, _) = (
            channels.iter().map(Channel::as_str).collect(),
            announcement.event(),
        );
        // "0.0" is no client's socket: without one the crate sends `null`, which some servers
        // refuse.
        let call =
            self.client
                .trigger_multi_exclusive(&channels, event, announcement.data(), "0.0");
        match timeout(PATIENCE, AssertUnwindSafe(call).catch_unwind()).await {
            Ok(Ok(Ok(_))) => Ok(()),
            Ok(Ok(Err(text))) => PusherError::of_text(&text).map_or(Ok(()), Err),
            Ok(Err(_)) => Err(self
                .connector
                .why()
                .map_or(PusherError::Broken, PusherError::Unreachable)),
            Err(_) => Err(PusherError::TooSlow),
        }
    }

    /// Authorises the socket with the id `socket` to subscribe to `channel`: the JSON that
    /// `/pusher/auth` answers (<https://pusher.com/docs/channels/server_api/authorizing-users/>).
    ///
    /// # Errors
    /// [`InvalidSocketId`] if the id is not two numbers with a dot between: the signature covers
    /// `socket:channel`, so a socket id with a colon in it would be a signature for another
    /// channel.
    pub fn authorise(&self, channel: &Channel, socket: &str) -> Result<String, InvalidSocketId> {
        let number = |text: &str| {
            (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        match socket.split_once('.') {
            Some((left, right)) if number(left) && number(right) => self
                .client
                .authenticate_private_channel(channel.as_str(), socket)
                .map_err(|_| InvalidSocketId),
            _ => Err(InvalidSocketId),
        }
    }
}

impl fmt::Debug for PusherPublisher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PusherPublisher")
            .field("host", &self.client.host)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Publisher for PusherPublisher {
    async fn announce(
        &self,
        channel: &Channel,
        announcement: &Announcement,
    ) -> Result<(), PublishError> {
        self.announce_all(slice::from_ref(channel), announcement)
            .await
    }

    async fn announce_all(
        &self,
        channels: &[Channel],
        announcement: &Announcement,
    ) -> Result<(), PublishError> {
        Ok(self.publish(channels, announcement).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::SecretHash;

    fn app() -> PusherApp {
        let secret = PusherSecret::new("hush");
        PusherApp {
            id: "1".into(),
            key: "key".into(),
            secret,
            host: "h".into(),
            tls: None,
        }
    }

    #[test]
    fn a_malformed_socket_id_is_not_signed() {
        let publisher = PusherPublisher::new(&app());
        let channel = Channel::of(&SecretHash::from_bytes([1; 32]));
        for bad in [
            "",
            "1",
            "1.",
            ".1",
            "1.2:x",
            "1.2.3",
            "1.a",
            "١.٢",
            "1.2\n",
            " 1.2",
            &format!("{}.1", "1".repeat(21)),
        ] {
            assert_eq!(
                publisher.authorise(&channel, bad),
                Err(InvalidSocketId),
                "{bad:?}"
            );
        }
        assert!(
            publisher
                .authorise(&channel, "123.456")
                .unwrap()
                .starts_with(r#"{"auth":"key:"#)
        );
    }

    #[test]
    fn debug_prints_nothing_of_a_secret() {
        assert!(!format!("{:?} {:?}", app(), PusherPublisher::new(&app())).contains("hush"));
    }
}
