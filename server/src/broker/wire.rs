//! What goes over a socket: the frames in both directions, and the close codes.
//!
//! In this version of the protocol an event's `data` is a string, even where it holds JSON; the two
//! error events are the exception. A connection that ends says why in its close code alone;
//! `pusher:error` is for what leaves it open.

use super::name::{ChannelName, SocketId};
use axum::extract::ws::{CloseFrame, Utf8Bytes};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::time::Duration;

/// What a client asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Command {
    Ping,
    Pong,
    Subscribe(SubscribeData),
    Unsubscribe { channel: String },
    ClientEvent,
    SignIn,
    Unknown,
}

/// The body of `pusher:subscribe`; neither part is checked yet.
#[derive(Debug, Deserialize, PartialEq, Eq)]
pub(super) struct SubscribeData {
    pub(super) channel: String,
    pub(super) auth: Option<String>,
}

/// Not JSON, or not of the shape that its event has.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

impl Command {
    pub(super) fn parse(text: &str) -> Result<Self, Malformed> {
        #[derive(Deserialize)]
        struct Named {
            event: String,
        }
        #[derive(Deserialize)]
        struct ChannelData {
            channel: String,
        }

        let Named { event } = parse(text)?;
        Ok(match event.as_str() {
            "pusher:ping" => Self::Ping,
            "pusher:pong" => Self::Pong,
            "pusher:subscribe" => Self::Subscribe(parse_data(text)?),
            "pusher:unsubscribe" => {
                let ChannelData { channel } = parse_data(text)?;
                Self::Unsubscribe { channel }
            }
            "pusher:signin" => Self::SignIn,
            client if client.starts_with("client-") => Self::ClientEvent,
            _ => Self::Unknown,
        })
    }
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Malformed> {
    serde_json::from_str(text).map_err(|_| Malformed)
}

/// The event's name decides the shape of its data, so the data is read in a second pass rather than
/// into a tree of values.
fn parse_data<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, Malformed> {
    #[derive(Deserialize)]
    struct WithData<T> {
        data: T,
    }
    parse(text).map(|WithData { data }| data)
}

#[derive(Serialize)]
struct Frame<'a, D> {
    event: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<&'a str>,
    data: D,
}

impl<D: Serialize> Frame<'_, D> {
    fn encode(&self) -> Utf8Bytes {
        // Strings and JSON values always serialise.
        serde_json::to_string(self).unwrap_or_default().into()
    }
}

pub(super) fn connection_established(id: SocketId, activity_timeout: Duration) -> Utf8Bytes {
    // Clients take a zero for a missing value and give up.
    let seconds = activity_timeout.as_secs().max(1);
    let data = json!({ "socket_id": id.to_string(), "activity_timeout": seconds }).to_string();
    Frame {
        event: "pusher:connection_established",
        channel: None,
        data,
    }
    .encode()
}

pub(super) fn subscription_succeeded(channel: &ChannelName) -> Utf8Bytes {
    Frame {
        event: "pusher_internal:subscription_succeeded",
        channel: Some(channel.as_str()),
        data: "{}",
    }
    .encode()
}

/// Why a channel cannot be subscribed to; the socket stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    NotSigned,
    NotPrivate,
    Unsupported,
    TooMany,
}

/// Says which channel it is about, so that a client knows which of its subscriptions came to
/// nothing.
pub(super) fn subscription_refused(channel: &str, refusal: Refusal) -> Utf8Bytes {
    let (kind, status, error) = match refusal {
        Refusal::NotSigned => ("AuthError", 401, "the auth value is missing or wrong"),
        Refusal::NotPrivate => ("AuthError", 403, "only private channels are open here"),
        Refusal::Unsupported => (
            "NotSupported",
            501,
            "presence, encrypted and cache channels are not supported",
        ),
        Refusal::TooMany => (
            "LimitReached",
            429,
            "too many subscriptions on one connection",
        ),
    };
    let data = json!({ "type": kind, "error": error, "status": status });
    Frame {
        event: "pusher:subscription_error",
        channel: Some(channel),
        data,
    }
    .encode()
}

/// An application's event, as every subscriber of `channel` gets it.
pub(super) fn event(name: &str, channel: &ChannelName, data: &str) -> Utf8Bytes {
    Frame {
        event: name,
        channel: Some(channel.as_str()),
        data,
    }
    .encode()
}

/// An error that leaves the connection open. The protocol has codes for few of them.
pub(super) fn error(code: Option<u16>, message: &str) -> Utf8Bytes {
    Frame {
        event: "pusher:error",
        channel: None,
        data: json!({ "code": code, "message": message }),
    }
    .encode()
}

pub(super) const PING: Utf8Bytes = Utf8Bytes::from_static(r#"{"event":"pusher:ping","data":"{}"}"#);
pub(super) const PONG: Utf8Bytes = Utf8Bytes::from_static(r#"{"event":"pusher:pong","data":"{}"}"#);

/// The protocol's only code for client events; this broker's limit for them is zero.
pub(super) const CLIENT_EVENT_REJECTED: u16 = 4301;

/// Why a connection ends. The code tells the client what to do: below 4000 and from 4100 reconnect
/// after a while, from 4200 at once, from 4000 not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Farewell {
    /// WebSocket framing that is none.
    ProtocolViolation,
    BinaryMessage,
    NotUtf8,
    TooLarge,
    UnknownApp,
    UnsupportedVersion,
    NoVersion,
    ForeignOrigin,
    NeverSubscribed,
    OverCapacity,
    TooManyOfClient,
    TooSlow,
    TooMuch,
    ShuttingDown,
    Restarting,
    NoPong,
}

impl Farewell {
    pub(super) fn frame(self) -> CloseFrame {
        let (code, reason) = match self {
            Self::ProtocolViolation => (1002, "protocol violation"),
            Self::BinaryMessage => (1003, "binary messages are not supported"),
            Self::NotUtf8 => (1007, "text that is not UTF-8"),
            Self::TooLarge => (1009, "message too large"),
            Self::UnknownApp => (4001, "application does not exist"),
            Self::UnsupportedVersion => (4007, "unsupported protocol version, use 7"),
            Self::NoVersion => (4008, "no protocol version supplied, use 7"),
            Self::ForeignOrigin => (4009, "this origin may not connect"),
            Self::NeverSubscribed => (4009, "no subscription within the time for it"),
            Self::OverCapacity => (4100, "over capacity"),
            Self::TooManyOfClient => (4100, "too many connections from one network address"),
            Self::TooMuch => (4100, "too many messages"),
            Self::TooSlow => (4100, "events were not read fast enough"),
            Self::ShuttingDown => (4100, "shutting down"),
            Self::Restarting => (4200, "reconnect immediately"),
            Self::NoPong => (4201, "pong reply not received"),
        };
        CloseFrame {
            code,
            reason: Utf8Bytes::from_static(reason),
        }
    }
}

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
        let frame = decoded(&event("it \"is\"", &channel, "{\"a\":\"\\u0000\n\"}"));
        assert_eq!(
            frame,
            json!({ "event": "it \"is\"", "channel": "news", "data": "{\"a\":\"\\u0000\n\"}" })
        );
    }

    #[test]
    fn commands_are_read_whatever_else_they_carry() {
        let subscribe = r#"{"data":{"auth":"k:s","channel_data":"{}","channel":"private-a"},"event":"pusher:subscribe"}"#;
        let expected = SubscribeData {
            channel: "private-a".into(),
            auth: Some("k:s".into()),
        };
        assert_eq!(Command::parse(subscribe), Ok(Command::Subscribe(expected)));
        assert_eq!(
            Command::parse(r#"{"event":"pusher:ping","data":[1,{}]}"#),
            Ok(Command::Ping)
        );
        assert_eq!(
            Command::parse(r#"{"event":"pusher:pong"}"#),
            Ok(Command::Pong)
        );
        assert_eq!(
            Command::parse(r#"{"event":"client-typing","channel":"private-a"}"#),
            Ok(Command::ClientEvent)
        );
        assert_eq!(
            Command::parse(r#"{"event":"pusher:signin","data":{}}"#),
            Ok(Command::SignIn)
        );
        assert_eq!(
            Command::parse(r#"{"event":"pusher:dance","data":{}}"#),
            Ok(Command::Unknown)
        );
    }

    #[test]
    fn garbage_is_malformed_and_never_a_panic() {
        let deep = "[".repeat(16 * 1024);
        for text in [
            "",
            "null",
            "[]",
            "{}",
            "{\"event\":1}",
            "{\"event\":\"pusher:ping\"",
            "{\"event\":\"pusher:subscribe\"}",
            "{\"event\":\"pusher:subscribe\",\"data\":\"news\"}",
            "{\"event\":\"pusher:subscribe\",\"data\":{\"channel\":1}}",
            "{\"event\":\"pusher:unsubscribe\",\"data\":{}}",
            "{\"event\":\"\\ud800\"}",
            deep.as_str(),
        ] {
            assert_eq!(Command::parse(text), Err(Malformed), "{text}");
        }
    }

    #[test]
    fn every_farewell_fits_into_a_close_frame() {
        for farewell in [
            Farewell::NeverSubscribed,
            Farewell::UnsupportedVersion,
            Farewell::TooSlow,
        ] {
            assert!(
                farewell.frame().reason.len() <= 123,
                "RFC 6455, section 5.5"
            );
        }
    }
}
