//! Announcing: telling a waiting browser on its channel. A hint, never needed for correctness.

#[cfg(feature = "pusher")]
mod pusher;
mod queue;

#[cfg(feature = "pusher")]
pub use pusher::{
    ConnectError, Connector, InvalidSocketId, PusherApp, PusherError, PusherPublisher,
    PusherSecret, PusherStream, Trust, TrustError,
};

pub use queue::Queue;
pub use vestibule_protocol::Announcement;

use crate::channel::Channel;
use async_trait::async_trait;

/// The announcement was not delivered to the Pusher server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
pub struct PublishError {
    /// What went wrong, for the operator.
    pub what: String,
    /// Whether publishing again may help.
    pub retry: bool,
}

/// Announces nothing: every page asks. For a worker that no Pusher server connects with the
/// browsers.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

#[async_trait]
impl Publisher for Silent {
    async fn announce(&self, _: &Channel, _: &Announcement) -> Result<(), PublishError> {
        Ok(())
    }
}

/// Publishes announcements.
#[async_trait]
pub trait Publisher: Send + Sync + 'static {
    /// Publishes `announcement` on `channel`. Bounds its own time.
    async fn announce(
        &self,
        channel: &Channel,
        announcement: &Announcement,
    ) -> Result<(), PublishError>;

    /// Publishes the same on several channels. If that fails, it may have been published on some.
    async fn announce_all(
        &self,
        channels: &[Channel],
        announcement: &Announcement,
    ) -> Result<(), PublishError> {
        for channel in channels {
            self.announce(channel, announcement).await?;
        }
        Ok(())
    }
}
