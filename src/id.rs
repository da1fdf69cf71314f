//! Ids of rows: 128 bits, 80 of them or more random, that are no secrets. Those that several parts
//! name each other by are here, so that none of these parts has to import another for them.

/// The text is no id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an id is 32 hexadecimal digits in lower case")]
pub struct InvalidId;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name([u8; 16]);

        impl $name {
            /// A fresh id.
            #[must_use]
            pub fn generate(entropy: &dyn $crate::secret::Entropy) -> Self {
                Self($crate::secret::random(entropy))
            }

            /// A fresh id that begins with the time, as UUIDs of version 7 do (RFC 9562, section
            /// 5.7), so that a store keeps those that come one after the other side by side.
            #[must_use]
            pub fn generate_at(
                now: $crate::clock::Timestamp,
                entropy: &dyn $crate::secret::Entropy,
            ) -> Self {
                let mut bytes: [u8; 16] = $crate::secret::random(entropy);
                bytes[..6].copy_from_slice(&now.as_millis().to_be_bytes()[2..]);
                Self(bytes)
            }

            /// The id with these bytes, as a store kept them.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(bytes)
            }

            /// The id's bytes, for a store.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }

            /// The same as a slice: what drivers of databases bind.
            #[must_use]
            pub const fn as_slice(&self) -> &[u8] {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{:032x}", u128::from_be_bytes(self.0))
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::id::InvalidId;

            fn from_str(text: &str) -> Result<Self, $crate::id::InvalidId> {
                let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
                if text.len() != 32 || !text.bytes().all(digit) {
                    return Err($crate::id::InvalidId);
                }
                u128::from_str_radix(text, 16)
                    .map(|bits| Self(bits.to_be_bytes()))
                    .map_err(|_| $crate::id::InvalidId)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    };
}

pub(crate) use id;

id! {
    /// The id of a confirmation; also the idempotency key of its validations.
    ConfirmationId
}

id! {
    /// The id of a session. It never changes and never leaves the server.
    SessionId
}

id! {
    /// The id of a user.
    UserId
}
