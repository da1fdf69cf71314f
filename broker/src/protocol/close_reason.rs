//! Why the broker closes a socket.

use axum::extract::ws::{CloseFrame, Utf8Bytes};

/// Why the broker closes a socket, or refuses it.
///
/// The close code tells the client what to do. Below 4000 and from 4100 on it reconnects after a
/// while, from 4200 on at once, and from 4000 on not at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum CloseReason {
    /// A frame breaks the rules of WebSocket.
    ProtocolError,
    BinaryMessage,
    InvalidUtf8,
    MessageTooLarge,
    UnknownApp,
    UnsupportedVersion,
    MissingVersion,
    OriginNotAllowed,
    NoSubscription,
    OverCapacity,
    TooManySockets,
    SlowReader,
    TooManyMessages,
    ShuttingDown,
    Reconnect,
    PongTimeout,
}

impl CloseReason {
    /// The close frame that tells the client.
    pub(crate) fn frame(self) -> CloseFrame {
        let (code, reason) = match self {
            Self::ProtocolError => (1002, "protocol violation"),
            Self::BinaryMessage => (1003, "binary messages are not supported"),
            Self::InvalidUtf8 => (1007, "text that is not UTF-8"),
            Self::MessageTooLarge => (1009, "message too large"),
            Self::UnknownApp => (4001, "application does not exist"),
            Self::UnsupportedVersion => (4007, "unsupported protocol version, use 7"),
            Self::MissingVersion => (4008, "no protocol version supplied, use 7"),
            Self::OriginNotAllowed => (4009, "this origin may not connect"),
            Self::NoSubscription => (4009, "no subscription within the time for it"),
            Self::OverCapacity => (4100, "over capacity"),
            Self::TooManySockets => (4100, "too many connections from one network address"),
            Self::TooManyMessages => (4100, "too many messages"),
            Self::SlowReader => (4100, "events were not read fast enough"),
            Self::ShuttingDown => (4100, "shutting down"),
            Self::Reconnect => (4200, "reconnect immediately"),
            Self::PongTimeout => (4201, "pong reply not received"),
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

    #[test]
    fn every_reason_fits_into_a_close_frame() {
        for reason in [
            CloseReason::NoSubscription,
            CloseReason::UnsupportedVersion,
            CloseReason::SlowReader,
        ] {
            assert!(reason.frame().reason.len() <= 123, "RFC 6455, section 5.5");
        }
    }
}
