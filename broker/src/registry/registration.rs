//! One socket's place in the registry, as the socket's task holds it.

use super::{SocketRegistry, SocketStatus, TooManySubscriptions};
use crate::{
    config::SocketQuota,
    protocol::{ChannelName, CloseReason, SocketId},
};
use axum::extract::ws::Utf8Bytes;
use futures_channel::mpsc::Receiver;
use std::sync::Arc;

/// A registered socket. When this is dropped, however the socket's task ends, the registry removes
/// it.
pub(crate) struct SocketRegistration {
    registry: Arc<SocketRegistry>,
    id: SocketId,
}

impl SocketRegistration {
    /// Registers a socket, if its client's `quota` allows it. Its events come out of the receiver,
    /// which ends when the registry has removed the socket.
    pub(crate) fn new(
        registry: &Arc<SocketRegistry>,
        id: SocketId,
        quota: Option<&SocketQuota>,
    ) -> Result<(Self, Receiver<Utf8Bytes>), CloseReason> {
        let events = registry.insert(id, quota)?;
        let registry = Arc::clone(registry);
        Ok((Self { registry, id }, events))
    }

    pub(crate) fn subscribe(&self, channel: &ChannelName) -> Result<(), TooManySubscriptions> {
        self.registry.subscribe(self.id, channel)
    }

    pub(crate) fn unsubscribe(&self, channel: &ChannelName) {
        self.registry.unsubscribe(self.id, channel);
    }

    pub(crate) fn has_subscriptions(&self) -> bool {
        self.registry.has_subscriptions(self.id)
    }

    pub(crate) fn status(&self) -> SocketStatus {
        self.registry.status(self.id)
    }

    /// Counts that the broker closes this socket.
    pub(crate) fn count_close(&self, reason: CloseReason) {
        self.registry.count_close(reason);
    }
}

impl Drop for SocketRegistration {
    fn drop(&mut self) {
        self.registry.remove(self.id);
    }
}
