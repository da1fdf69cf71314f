//! Secrets, hashes, MACs and sealing: the only place with cryptography.
//!
//! A browser proves that a session is its own by showing a 256-bit secret; the database only sees
//! the SHA-256 of it. Everything that the server signs or seals uses a key of its own, derived from
//! the operator's secret by HKDF (RFC 5869), so that no MAC made for one [`Purpose`] means anything
//! for another.

mod keys;
mod mac;
mod seal;
mod typed;
mod webhook;

pub use keys::{InvalidKey, Keys, Purpose};
pub use mac::Mac;
pub use seal::{CannotOpen, Sealed, SealedToken};
pub use webhook::{InvalidWebhookKey, WebhookError, WebhookHeaders, WebhookKeys};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest as _, Sha256};
use std::fmt;

/// Where unpredictable bytes come from, as a parameter.
pub trait Entropy: fmt::Debug + Send + Sync + 'static {
    /// Fills `bytes` with unpredictable ones.
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's entropy.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that asks the system"
    )]
    fn fill(&self, bytes: &mut [u8]) {
        getrandom::fill(bytes).expect(
            "the operating system has no entropy to give; nothing can be done safely without",
        );
    }
}

/// `N` unpredictable bytes.
pub fn random<const N: usize>(entropy: &dyn Entropy) -> [u8; N] {
    let mut bytes = [0; N];
    entropy.fill(&mut bytes);
    bytes
}

/// The SHA-256 of a secret: all that a database sees of it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct SecretHash([u8; 32]);

impl SecretHash {
    /// The hash with these bytes, as a store kept them.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The hash's bytes, for a store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The same as a slice: what drivers of databases bind.
    #[must_use]
    pub const fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(…)")
    }
}

macro_rules! secret {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, zeroize::ZeroizeOnDrop)]
        pub struct $name([u8; 32]);

        impl $name {
            /// A fresh secret.
            #[must_use]
            pub fn generate(entropy: &dyn Entropy) -> Self {
                Self(random(entropy))
            }

            /// The secret with these bytes.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// What the database sees of it.
            #[must_use]
            pub fn hash(&self) -> SecretHash {
                SecretHash(Sha256::digest(self.0).into())
            }

            /// The secret's bytes.
            #[must_use]
            pub const fn expose(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    };
}

secret! {
    /// The 256 random bits in a pending cookie.
    PendingSecret
}

secret! {
    /// The 256 bits in a session cookie.
    SessionSecret
}

secret! {
    /// The 256 random bits of a link of ours.
    LinkToken
}

impl SessionSecret {
    /// The text of the session cookie: base64url without padding.
    #[must_use]
    pub fn to_cookie(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    /// Reads a session cookie; `None` if it is not one of ours by form.
    #[must_use]
    pub fn from_cookie(text: &str) -> Option<Self> {
        Some(Self(URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?))
    }
}

/// A labelled SHA-256, for names that are derived from a hash but must not be the hash.
#[must_use]
pub fn labelled_hash(label: &str, hash: &SecretHash) -> [u8; 32] {
    Sha256::new()
        .chain_update(label)
        .chain_update([0])
        .chain_update(hash.0)
        .finalize()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_prints_nothing_of_a_secret() {
        let secret = SessionSecret::from_bytes([7; 32]);
        assert_eq!(
            format!("{secret:?} {:?}", secret.hash()),
            "SessionSecret(…) SecretHash(…)"
        );
    }

    #[test]
    fn a_session_cookie_reads_back_and_nothing_else_does() {
        let secret = SessionSecret::from_bytes([7; 32]);
        assert_eq!(
            SessionSecret::from_cookie(&secret.to_cookie()),
            Some(secret)
        );
        for bad in ["", "AAAA", "not base64!", &"A".repeat(44)] {
            assert_eq!(SessionSecret::from_cookie(bad), None, "{bad}");
        }
    }
}
