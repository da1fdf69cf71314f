//! The frames of the Pusher protocol, version 7, as far as this page needs them: pure text in,
//! values out.
//!
//! <https://pusher.com/docs/channels/library_auth_reference/pusher-websockets-protocol/>

use super::json::{self, Json};
use vestibule_protocol::{Announcement, JsonObject as _};

/// What the server said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PusherFrame {
    /// The connection stands.
    Established {
        /// This connection's name, which a subscription's signature covers.
        socket: String,
        /// After how many milliseconds of silence the server wants to be pinged.
        activity: u64,
    },
    /// The server asks whether we are there.
    Ping,
    /// The subscription to this channel stands.
    Subscribed(String),
    /// An announcement on this channel; `None` if this page does not understand it.
    Announced(String, Option<Announcement>),
    /// Something else. That it came shows that the connection lives.
    Other,
}

/// Reads one text frame. Anything malformed is [`PusherFrame::Other`]: a broken server must not
/// break the page.
#[must_use]
pub fn read(text: &str) -> PusherFrame {
    parse(text).unwrap_or(PusherFrame::Other)
}

fn parse(text: &str) -> Option<PusherFrame> {
    let frame = json::parse(text)?;
    // The data is JSON inside a string. Some servers send an object in frames whose data we do not
    // use.
    let data = || json::parse(&frame.text("data")?);
    match frame.text("event")?.as_str() {
        "pusher:connection_established" => established(&data()?),
        "pusher:ping" => Some(PusherFrame::Ping),
        "pusher_internal:subscription_succeeded" => {
            frame.text("channel").map(PusherFrame::Subscribed)
        }
        event if Announcement::EVENTS.contains(&event) => Some(PusherFrame::Announced(
            frame.text("channel")?,
            data().and_then(|data| Announcement::read(event, &data)),
        )),
        _ => None,
    }
}

fn established(data: &Json) -> Option<PusherFrame> {
    let socket = data.text("socket_id")?;
    // The name goes into a form that asks for a signature: a stray `&` would be another field of
    // it.
    if !socket
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        return None;
    }
    // The protocol's own default, also where a server sends none or nonsense.
    let seconds = data
        .number("activity_timeout")
        .filter(|&seconds| seconds > 0)
        .unwrap_or(120);
    Some(PusherFrame::Established {
        socket,
        activity: u64::from(seconds) * 1_000,
    })
}

/// The signature in the reply of `POST /pusher/auth`.
#[must_use]
pub fn signature(reply: &Json) -> Option<String> {
    reply.text("auth")
}

/// Asks the server whether it is there.
pub const PING: &str = r#"{"event":"pusher:ping","data":{}}"#;
/// Answers [`PusherFrame::Ping`].
pub const PONG: &str = r#"{"event":"pusher:pong","data":{}}"#;

/// Subscribes to a private channel. Neither a channel's name nor a signature can hold a character
/// that JSON escapes; where one does, there is nothing to subscribe to.
#[must_use]
pub fn subscribe(channel: &str, signature: &str) -> String {
    [
        r#"{"event":"pusher:subscribe","data":{"channel":""#,
        plain(channel),
        r#"","auth":""#,
        plain(signature),
        r#""}}"#,
    ]
    .concat()
}

/// Leaves a channel.
#[must_use]
pub fn unsubscribe(channel: &str) -> String {
    [
        r#"{"event":"pusher:unsubscribe","data":{"channel":""#,
        plain(channel),
        r#""}}"#,
    ]
    .concat()
}

fn plain(text: &str) -> &str {
    if text
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
    {
        text
    } else {
        ""
    }
}

/// The body of the request for a signature. Nothing in it needs percent-encoding: a socket's name
/// is digits and dots, a channel's and a token's characters are unreserved in forms.
#[must_use]
pub fn ask_signature(socket: &str, channel: &str, token: &str) -> String {
    [
        "socket_id=",
        socket,
        "&channel_name=",
        channel,
        "&token=",
        token,
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use super::{Announcement, PusherFrame, read, signature, subscribe, unsubscribe};
    use vestibule_protocol::{Outcome, Step};

    #[test]
    fn the_greeting_is_a_string_inside_the_frame() {
        let greeting = r#"{"event":"pusher:connection_established","data":"{\"socket_id\":\"12.34\",\"activity_timeout\":30}"}"#;
        assert_eq!(
            read(greeting),
            PusherFrame::Established {
                socket: "12.34".into(),
                activity: 30_000
            }
        );
    }

    #[test]
    fn a_greeting_without_a_usable_timeout_means_two_minutes() {
        for rest in ["", r#","activity_timeout":0"#] {
            let data = serde_json::to_string(&format!(r#"{{"socket_id":"1.2"{rest}}}"#))
                .expect("a string");
            let greeting = format!(r#"{{"event":"pusher:connection_established","data":{data}}}"#);
            assert_eq!(
                read(&greeting),
                PusherFrame::Established {
                    socket: "1.2".into(),
                    activity: 120_000
                }
            );
        }
    }

    #[test]
    fn a_socket_that_would_smuggle_a_form_field_is_refused() {
        let greeting = r#"{"event":"pusher:connection_established","data":"{\"socket_id\":\"1.2&channel_name=x\",\"activity_timeout\":30}"}"#;
        assert_eq!(read(greeting), PusherFrame::Other);
    }

    #[test]
    fn frames_are_read_whatever_form_their_data_has() {
        for ping in [
            r#"{"event":"pusher:ping"}"#,
            r#"{"event":"pusher:ping","data":{}}"#,
            r#"{"event":"pusher:ping","data":"{}"}"#,
        ] {
            assert_eq!(read(ping), PusherFrame::Ping);
        }
        for data in [
            "",
            r#","data":"{}""#,
            r#","data":{"presence":{}}"#,
            r#","data":null"#,
        ] {
            let frame = format!(
                r#"{{"event":"pusher_internal:subscription_succeeded","channel":"private-a"{data}}}"#
            );
            assert_eq!(read(&frame), PusherFrame::Subscribed("private-a".into()));
        }
        assert_eq!(
            read(r#"{"event":"pusher:error","data":{"code":4009,"message":"no"}}"#),
            PusherFrame::Other
        );
    }

    #[test]
    fn announcements_are_read_as_the_worker_writes_them() {
        let announced = |event: &str, data: &str| {
            let data = serde_json::to_string(data).expect("a string");
            read(&format!(
                r#"{{"event":"{event}","channel":"private-a","data":{data}}}"#
            ))
        };
        let said = |announcement| PusherFrame::Announced("private-a".into(), announcement);
        assert_eq!(
            announced("progress", r#"{"step":"retrying","attempt":2}"#),
            said(Some(Announcement::Progress(Step::Retrying { attempt: 2 })))
        );
        assert_eq!(
            announced(
                "outcome",
                r#"{"outcome":"confirmed","redirect":"/profile"}"#
            ),
            said(Some(Announcement::Outcome(Outcome::Confirmed {
                redirect: "/profile".parse().expect("a path")
            })))
        );
        assert_eq!(
            announced("outcome", r#"{"outcome":"unavailable"}"#),
            said(Some(Announcement::Outcome(Outcome::Unavailable)))
        );
        for garbage in [
            "",
            "null",
            "[]",
            r#"{"outcome":"promoted"}"#,
            r#"{"outcome":"confirmed"}"#,
            r#"{"outcome":"confirmed","redirect":"//evil.example"}"#,
        ] {
            assert_eq!(announced("outcome", garbage), said(None), "{garbage}");
        }
    }

    #[test]
    fn garbage_breaks_nothing() {
        let deep = "[".repeat(100_000);
        for garbage in [
            "",
            "x",
            "{}",
            "[]",
            r#"{"event":7}"#,
            r#"{"event":"outcome","data":"{}"}"#,
            &deep,
        ] {
            assert_eq!(read(garbage), PusherFrame::Other);
        }
    }

    #[test]
    fn a_signature_is_found_in_its_reply_and_nowhere_else() {
        let found = |reply| super::json::parse(reply).and_then(|reply| signature(&reply));
        assert_eq!(
            found(r#"{"auth":"key:abc","channel_data":null}"#).as_deref(),
            Some("key:abc")
        );
        assert_eq!(
            found("<!doctype html><title>Log in to the hotel</title>"),
            None
        );
    }

    #[test]
    fn a_subscription_is_json_even_for_hostile_names() {
        assert_eq!(
            subscribe("private-a", "key:b"),
            r#"{"event":"pusher:subscribe","data":{"channel":"private-a","auth":"key:b"}}"#
        );
        assert_eq!(
            unsubscribe(r#"a","b":"c"#),
            r#"{"event":"pusher:unsubscribe","data":{"channel":""}}"#
        );
    }
}
