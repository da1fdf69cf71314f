//! The events that an application publishes.

use super::{
    error::HttpApiError,
    info::{count, wants_count},
};
use crate::{
    protocol::{ChannelName, SocketId, server_event},
    registry::SocketRegistry,
};
use serde::Deserialize;
use serde_json::{Map, Value};

/// The protocol's limits: bytes of an event's data and of its name, and channels of one event.
const MAX_DATA: usize = 10 * 1024;
const MAX_EVENT_NAME: usize = 200;
const MAX_CHANNELS: usize = 100;

/// One event as an application sends it; nothing is checked yet. Some libraries write `null` for
/// fields that they leave out.
#[derive(Deserialize)]
pub(crate) struct EventRequest {
    name: String,
    data: String,
    channel: Option<String>,
    channels: Option<Vec<String>>,
    socket_id: Option<String>,
    info: Option<String>,
}

/// One event that has been checked and can be published.
pub(crate) struct ChannelEvent {
    pub(crate) name: String,
    pub(crate) data: String,
    pub(crate) channels: Vec<ChannelName>,
    except: Option<SocketId>,
    wants_count: bool,
}

impl EventRequest {
    /// Checks the event against the protocol's limits.
    pub(crate) fn check(self) -> Result<ChannelEvent, HttpApiError> {
        if self.data.len() > MAX_DATA {
            return Err(HttpApiError::DataTooLarge);
        }
        // The clients' own libraries act on events with these prefixes.
        let reserved =
            self.name.starts_with("pusher:") || self.name.starts_with("pusher_internal:");
        if reserved || self.name.is_empty() || self.name.len() > MAX_EVENT_NAME {
            return Err(HttpApiError::EventName);
        }
        let names: Vec<String> = self
            .channel
            .into_iter()
            .chain(self.channels.unwrap_or_default())
            .collect();
        if names.is_empty() || names.len() > MAX_CHANNELS {
            return Err(HttpApiError::Channels);
        }
        let mut channels = names
            .iter()
            .map(|name| ChannelName::parse(name))
            .collect::<Result<Vec<_>, _>>()?;
        // Named twice is still one event to a subscriber.
        channels.sort_unstable();
        channels.dedup();
        let except = self
            .socket_id
            .map(|id| SocketId::parse(&id).ok_or(HttpApiError::SocketId))
            .transpose()?;
        let wants_count = wants_count(self.info.as_deref())?;
        Ok(ChannelEvent {
            name: self.name,
            data: self.data,
            channels,
            except,
            wants_count,
        })
    }
}

impl ChannelEvent {
    /// Publishes the event. Returns the number of subscribers of each channel, if the application
    /// has asked for it. An event is encoded once for each channel, however many sockets it goes
    /// to.
    pub(super) fn publish(self, registry: &SocketRegistry) -> Option<Map<String, Value>> {
        for channel in &self.channels {
            registry.publish(
                channel,
                &server_event::channel_event(&self.name, channel, &self.data),
                self.except,
            );
        }
        let of = |channel: &ChannelName| {
            (
                channel.as_str().to_owned(),
                count(registry.subscriber_count(channel)),
            )
        };
        self.wants_count
            .then(|| self.channels.iter().map(of).collect())
    }
}
