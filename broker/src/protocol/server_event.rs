//! What the broker sends: events of the Pusher protocol, as JSON.
//!
//! In this version of the protocol an event's `data` is a string, even where it holds JSON. The two
//! error events are the exception. `pusher:error` is for errors that leave the socket open; why a
//! socket is closed is in its close code.

use super::{ChannelName, SocketId};
use axum::extract::ws::Utf8Bytes;
use serde::Serialize;
use serde_json::json;
use std::time::Duration;

#[derive(Serialize)]
struct ServerEvent<'a, D> {
    event: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'a str>,
    data: D,
}

impl<D: Serialize> ServerEvent<'_, D> {
    fn encode(&self) -> Utf8Bytes {
        // Strings and JSON values always serialise.
        serde_json::to_string(self).unwrap_or_default().into()
    }
}

/// The first event on a socket.
pub(crate) fn connection_established(id: SocketId, activity_timeout: Duration) -> Utf8Bytes {
    // Clients take a zero for a missing value and give up.
    let seconds = activity_timeout.as_secs().max(1);
    let data = json!({ "socket_id": id.to_string(), "activity_timeout": seconds }).to_string();
    ServerEvent {
        event: "pusher:connection_established",
        channel: None,
        data,
    }
    .encode()
}

pub(crate) fn subscription_succeeded(channel: &ChannelName) -> Utf8Bytes {
    ServerEvent {
        event: "pusher_internal:subscription_succeeded",
        channel: Some(channel.as_str()),
        data: "{}",
    }
    .encode()
}

/// Why a channel cannot be subscribed to. The socket stays open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SubscriptionError {
    InvalidSignature,
    PublicChannel,
    UnsupportedChannel,
    TooManySubscriptions,
}

/// Names the channel, so that a client knows which of its subscriptions has failed.
pub(crate) fn subscription_error(channel: &str, error: SubscriptionError) -> Utf8Bytes {
    let (kind, status, error) = match error {
        SubscriptionError::InvalidSignature => {
            ("AuthError", 401, "the auth value is missing or wrong")
        }
        SubscriptionError::PublicChannel => {
            ("AuthError", 403, "only private channels are open here")
        }
        SubscriptionError::UnsupportedChannel => (
            "NotSupported",
            501,
            "presence, encrypted and cache channels are not supported",
        ),
        SubscriptionError::TooManySubscriptions => (
            "LimitReached",
            429,
            "too many subscriptions on one connection",
        ),
    };
    let data = json!({ "type": kind, "error": error, "status": status });
    ServerEvent {
        event: "pusher:subscription_error",
        channel: Some(channel),
        data,
    }
    .encode()
}

/// An application's event, as every subscriber of `channel` gets it.
pub(crate) fn channel_event(name: &str, channel: &ChannelName, data: &str) -> Utf8Bytes {
    ServerEvent {
        event: name,
        channel: Some(channel.as_str()),
        data,
    }
    .encode()
}

/// An error that leaves the socket open. The protocol has codes for few of them.
pub(crate) fn error(code: Option<u16>, message: &str) -> Utf8Bytes {
    ServerEvent {
        event: "pusher:error",
        channel: None,
        data: json!({ "code": code, "message": message }),
    }
    .encode()
}

pub(crate) const PING: Utf8Bytes = Utf8Bytes::from_static(r#"{"event":"pusher:ping","data":"{}"}"#);
pub(crate) const PONG: Utf8Bytes = Utf8Bytes::from_static(r#"{"event":"pusher:pong","data":"{}"}"#);

/// The protocol's only code for client events; the broker supports none.
pub(crate) const CLIENT_EVENT_REJECTED: u16 = 4301;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn decoded(frame: &Utf8Bytes) -> Value {
        serde_json::from_str(frame).unwrap()
    }

    #[test]
    fn the_greetings_data_is_a_json_string_with_a_timeout_above_zero() {
        let id = SocketId::parse("12.34").unwrap();
        let frame = decoded(&connection_established(id, Duration::ZERO));
        assert_eq!(frame["event"], "pusher:connection_established");
        let data: Value = serde_json::from_str(frame["data"].as_str().unwrap()).unwrap();
        assert_eq!(data, json!({ "socket_id": "12.34", "activity_timeout": 1 }));
    }

    #[test]
    fn an_events_data_arrives_as_the_string_that_was_sent() {
        let channel = ChannelName::parse("news").unwrap();
        let frame = decoded(&channel_event(
            "it \"is\"",
            &channel,
            "{\"a\":\"\\u0000\n\"}",
        ));
        assert_eq!(
            frame,
            json!({ "event": "it \"is\"", "channel": "news", "data": "{\"a\":\"\\u0000\n\"}" })
        );
    }
}
