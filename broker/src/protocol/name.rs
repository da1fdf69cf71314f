//! Names that come from outside, parsed once: a [`ChannelName`] is always valid, and a [`SocketId`]
//! is two numbers.

use std::{fmt, sync::Arc};

/// The longest channel name that the protocol allows.
const MAX_CHANNEL_NAME: usize = 164;

/// The kinds of channels that this broker does not support, by the prefix of their names.
const UNSUPPORTED: [&str; 4] = [
    "presence-",
    "private-encrypted-",
    "private-cache-",
    "cache-",
];

/// The name of a public or a private channel.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct ChannelName(Arc<str>);

impl ChannelName {
    pub(crate) fn parse(name: &str) -> Result<Self, ChannelNameError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_-=@,.;".contains(&byte);
        if name.is_empty() || name.len() > MAX_CHANNEL_NAME || !name.bytes().all(allowed) {
            return Err(ChannelNameError::Invalid);
        }
        if UNSUPPORTED.iter().any(|prefix| name.starts_with(prefix)) {
            return Err(ChannelNameError::Unsupported);
        }
        Ok(Self(name.into()))
    }

    /// Whether a subscription needs the application's signature.
    pub(crate) fn is_private(&self) -> bool {
        self.0.starts_with("private-")
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why there is no channel of that name. The messages never repeat the name, which may be anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ChannelNameError {
    #[error("a channel name is 1 to 164 characters of A-Z a-z 0-9 _ - = @ , . ;")]
    Invalid,
    #[error("presence, encrypted and cache channels are not supported")]
    Unsupported,
}

/// A socket's id, `digits.digits`. It is random, so that a signature for one socket is never valid
/// for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SocketId(u64, u64);

impl SocketId {
    /// A fresh id. Fails only if the operating system has no randomness.
    pub(crate) fn random() -> Result<Self, getrandom::Error> {
        Ok(Self(getrandom::u64()?, getrandom::u64()?))
    }

    pub(crate) fn parse(id: &str) -> Option<Self> {
        let (left, right) = id.split_once('.')?;
        Some(Self(digits(left)?, digits(right)?))
    }
}

/// Rust's own number parsing alone would take a sign.
fn digits(text: &str) -> Option<u64> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
}

impl fmt::Display for SocketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_name_has_only_the_protocols_characters_and_length() {
        let longest = "x".repeat(MAX_CHANNEL_NAME);
        for good in [
            "a",
            "private-confirm-0123abcdef",
            "A_b-C=d@e,f.g;9",
            longest.as_str(),
        ] {
            assert_eq!(ChannelName::parse(good).unwrap().as_str(), good);
        }
        let too_long = "x".repeat(MAX_CHANNEL_NAME + 1);
        for bad in [
            "",
            " ",
            "a b",
            "a\n",
            "a/b",
            "a:b",
            "#server-to-user-1",
            "kanäle",
            "a\0",
            too_long.as_str(),
        ] {
            assert_eq!(
                ChannelName::parse(bad),
                Err(ChannelNameError::Invalid),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn unsupported_kinds_of_channels_are_refused_rather_than_half_supported() {
        for name in [
            "presence-room",
            "presence-cache-room",
            "private-encrypted-room",
            "private-encrypted-cache-room",
            "private-cache-room",
            "cache-room",
        ] {
            assert_eq!(
                ChannelName::parse(name),
                Err(ChannelNameError::Unsupported),
                "{name}"
            );
        }
    }

    #[test]
    fn only_private_channels_need_a_signature() {
        assert!(ChannelName::parse("private-x").unwrap().is_private());
        assert!(!ChannelName::parse("news").unwrap().is_private());
        assert!(!ChannelName::parse("Private-x").unwrap().is_private());
    }

    #[test]
    fn a_socket_id_survives_being_written_and_read() {
        let id = SocketId::random().unwrap();
        assert_eq!(SocketId::parse(&id.to_string()), Some(id));
        assert_ne!(SocketId::random().unwrap(), id);
    }

    #[test]
    fn what_is_not_two_numbers_is_not_a_socket_id() {
        for bad in [
            "",
            ".",
            "1",
            "1.",
            ".1",
            "1.2.3",
            "+1.2",
            "1.-2",
            "1.2:private-x",
            "1.2\n",
            "١.٢",
            "1e3.1",
            " 1.2",
        ] {
            assert_eq!(SocketId::parse(bad), None, "{bad:?}");
        }
    }
}
