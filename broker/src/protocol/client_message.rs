//! What a client sends: messages of the Pusher protocol, as JSON.

use serde::Deserialize;

/// A client's message.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ClientMessage {
    Ping,
    Pong,
    Subscribe(SubscribeData),
    Unsubscribe { channel: String },
    ClientEvent,
    SignIn,
    Unknown,
}

/// The data of `pusher:subscribe`. Neither field is checked yet.
#[derive(Debug, Deserialize, PartialEq, Eq)]
pub(crate) struct SubscribeData {
    pub(crate) channel: String,
    pub(crate) auth: Option<String>,
}

/// The message is not JSON, or its data does not have the fields that its event needs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct MalformedMessage;

impl ClientMessage {
    pub(crate) fn parse(text: &str) -> Result<Self, MalformedMessage> {
        #[derive(Deserialize)]
        struct EventName {
            event: String,
        }
        #[derive(Deserialize)]
        struct UnsubscribeData {
            channel: String,
        }

        let EventName { event } = parse(text)?;
        Ok(match event.as_str() {
            "pusher:ping" => Self::Ping,
            "pusher:pong" => Self::Pong,
            "pusher:subscribe" => Self::Subscribe(parse_data(text)?),
            "pusher:unsubscribe" => {
                let UnsubscribeData { channel } = parse_data(text)?;
                Self::Unsubscribe { channel }
            }
            "pusher:signin" => Self::SignIn,
            name if name.starts_with("client-") => Self::ClientEvent,
            _ => Self::Unknown,
        })
    }
}

fn parse<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, MalformedMessage> {
    serde_json::from_str(text).map_err(|_| MalformedMessage)
}

/// The event's name decides which fields its data has, so the data is parsed in a second pass
/// rather than into a tree of values.
fn parse_data<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, MalformedMessage> {
    #[derive(Deserialize)]
    struct WithData<T> {
        data: T,
    }
    parse(text).map(|WithData { data }| data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_parsed_whatever_else_they_carry() {
        let subscribe = r#"{"data":{"auth":"k:s","channel_data":"{}","channel":"private-a"},"event":"pusher:subscribe"}"#;
        let expected = SubscribeData {
            channel: "private-a".into(),
            auth: Some("k:s".into()),
        };
        assert_eq!(
            ClientMessage::parse(subscribe),
            Ok(ClientMessage::Subscribe(expected))
        );
        assert_eq!(
            ClientMessage::parse(r#"{"event":"pusher:ping","data":[1,{}]}"#),
            Ok(ClientMessage::Ping)
        );
        assert_eq!(
            ClientMessage::parse(r#"{"event":"pusher:pong"}"#),
            Ok(ClientMessage::Pong)
        );
        assert_eq!(
            ClientMessage::parse(r#"{"event":"client-typing","channel":"private-a"}"#),
            Ok(ClientMessage::ClientEvent)
        );
        assert_eq!(
            ClientMessage::parse(r#"{"event":"pusher:signin","data":{}}"#),
            Ok(ClientMessage::SignIn)
        );
        assert_eq!(
            ClientMessage::parse(r#"{"event":"pusher:dance","data":{}}"#),
            Ok(ClientMessage::Unknown)
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
            assert_eq!(ClientMessage::parse(text), Err(MalformedMessage), "{text}");
        }
    }
}
