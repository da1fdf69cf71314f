//! What hostile bytes must never do to the code that parses them: for the fuzzers in `fuzz/`, and
//! for a test here whose bytes follow from a seed.
//!
//! Each function takes any bytes, and panics if they are accepted where they must not be, or change
//! on the way. So it must never panic.

use crate::{
    api::EventRequest,
    auth::{self, SignedQuery},
    config::{AppSecret, BrokerConfig},
    protocol::{ChannelName, ClientMessage, SocketId, server_event},
};
use std::str;

/// A message on a socket, and the names and signature in it.
pub fn message(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    match ClientMessage::parse(text) {
        Ok(ClientMessage::Subscribe(data)) => {
            name(data.channel.as_bytes());
            signature(data.auth.unwrap_or_default().as_bytes());
        }
        Ok(ClientMessage::Unsubscribe { channel }) => name(channel.as_bytes()),
        Ok(_) | Err(_) => {}
    }
}

/// A name of a channel or of a socket. One that is accepted is written again as it was read, and
/// cannot move a border in a text that is signed.
///
/// # Panics
/// If that does not hold, for the fuzzer to report.
pub fn name(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    if let Ok(channel) = ChannelName::parse(text) {
        assert_eq!(channel.as_str(), text);
        assert!(text.len() <= 164 && !text.contains(':') && !text.contains(char::is_whitespace));
    }
    if let Some(id) = SocketId::parse(text) {
        assert_eq!(SocketId::parse(&id.to_string()), Some(id));
        assert!(
            text.bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.')
        );
    }
}

/// The signature of a client's subscription. Without the secret, no text is a valid one.
///
/// # Panics
/// If that does not hold, for the fuzzer to report.
pub fn signature(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    let socket = SocketId::parse("1.1");
    let channel = ChannelName::parse("private-a");
    let (Some(socket), Ok(channel)) = (socket, channel) else {
        unreachable!()
    };
    assert!(!auth::may_subscribe(&config(), socket, &channel, text));
    assert!(!auth::may_subscribe(
        &config(),
        socket,
        &channel,
        &format!("the-key:{text}")
    ));
}

/// A request to the HTTP API: its query up to the end of the first line, then its body. No query is
/// validly signed, and an event that is accepted can be published.
///
/// # Panics
/// If that does not hold, for the fuzzer to report.
pub fn request(bytes: &[u8]) {
    let end = bytes
        .iter()
        .position(|byte| *byte == b'\n')
        .unwrap_or(bytes.len());
    let (query, body) = bytes.split_at(end);
    let body = body.get(1..).unwrap_or_default();
    let uri = str::from_utf8(query)
        .ok()
        .and_then(|query| format!("/apps/1/events?{query}").parse().ok());
    if let Some(query) = uri.and_then(|uri| SignedQuery::of(&uri).ok()) {
        assert!(query.verify(&config(), "POST", "/apps/1/events").is_err());
        let _ = query.verify_body(body);
    }
    let event = serde_json::from_slice::<EventRequest>(body)
        .ok()
        .and_then(|event| event.check().ok());
    if let Some(event) = event {
        assert!((1..=100).contains(&event.channels.len()) && event.data.len() <= 10 * 1024);
        let frame = server_event::channel_event(&event.name, &event.channels[0], &event.data);
        assert!(
            serde_json::from_str::<serde_json::Value>(&frame)
                .is_ok_and(|frame| frame["data"] == event.data)
        );
    }
}

fn config() -> BrokerConfig {
    BrokerConfig::new(
        "1",
        "the-key",
        AppSecret::new("a secret that is in no input"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    const ROUNDS: u32 = 5_000;

    /// Valid input of every kind. Input that is invalid in an interesting way is mostly close to
    /// it.
    const VALID: [&str; 8] = [
        r#"{"event":"pusher:subscribe","data":{"channel":"private-confirm-0123","auth":"the-key:00ff"}}"#,
        r#"{"event":"pusher:unsubscribe","data":{"channel":"private-a"}}"#,
        r#"{"event":"client-typing","channel":"private-a","data":"{}"}"#,
        "private-confirm-0123456789abcdef0123456789abcdef",
        "18446744073709551615.0",
        "the-key:da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c",
        "auth_key=the-key&auth_timestamp=1353088179&auth_version=1.0&body_md5=ec365a775a4cd0599faeb73354201b6f&auth_signature=da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c\n{}",
        "a=%41+b&c\n{\"name\":\"n\",\"channels\":[\"a\",\"b\"],\"data\":\"\\u0001\",\"socket_id\":\"1.1\",\"info\":\"\"}",
    ];

    /// Numbers that follow from a seed, by `SplitMix64` (<https://prng.di.unimi.it/splitmix64.c>).
    struct SeededNumbers(Cell<u64>);

    impl SeededNumbers {
        fn next(&self) -> u64 {
            self.0.set(self.0.get().wrapping_add(0x9e37_79b9_7f4a_7c15));
            let mixed = self.0.get();
            let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ (mixed >> 31)
        }

        fn below(&self, end: usize) -> usize {
            usize::try_from(self.next() % end.max(1) as u64).unwrap()
        }

        fn byte(&self) -> u8 {
            // Mostly one that means something.
            let meaning = b"{}[]\":,\\.&=%+;-_0129aefzAEF\n\0\x7f\x80\xc3\xff";
            let any = || u8::try_from(self.below(256)).unwrap();
            meaning
                .get(self.below(meaning.len() * 5 / 4))
                .copied()
                .unwrap_or_else(any)
        }

        /// Valid input with a few changes.
        fn input(&self) -> Vec<u8> {
            let mut input = VALID[self.below(VALID.len())].as_bytes().to_vec();
            for _ in 0..self.below(6) {
                let at = self.below(input.len());
                let length = self.below(12);
                let to = (at + length).min(input.len());
                match self.below(5) {
                    0 => input.truncate(at),
                    1 => drop(input.drain(at..to)),
                    2 => input
                        .splice(at..at, (0..length).map(|_| self.byte()))
                        .for_each(drop),
                    3 => input.extend_from_within(at..),
                    _ => input
                        .iter_mut()
                        .skip(at)
                        .take(length)
                        .for_each(|byte| *byte = self.byte()),
                }
            }
            input
        }
    }

    #[test]
    fn no_input_is_wrongly_accepted_or_changed_on_the_way() {
        let numbers = SeededNumbers(Cell::new(4711));
        for _ in 0..ROUNDS {
            let input = numbers.input();
            for read in [message, name, signature, request] {
                read(&input);
            }
        }
    }
}
