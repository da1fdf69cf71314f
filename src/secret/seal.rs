//! Sealing what waits: tokens for the worker, mail bodies for the mail worker.

use super::{Entropy, Keys, random};
use crate::{confirmation::ConfirmationId, token::Token};
use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305,
    aead::{Aead as _, Payload},
};
use std::fmt;
use zeroize::Zeroizing;

/// Bytes under XChaCha20-Poly1305, with the id of their key. The id of their row is the associated
/// data, so what is moved to another row does not open.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Which key sealed them.
    pub key_id: u32,
    /// The nonce (24 bytes), then the ciphertext with its tag.
    pub bytes: Vec<u8>,
}

/// A sealed token; its row is its confirmation's.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedToken(pub Sealed);

/// What is sealed does not open: another key, another row, or damage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what is sealed does not open under any key of this server")]
pub struct CannotOpen;

const NONCE: usize = 24;

impl Sealed {
    /// Seals `plain` for the row `row`, under the newest key.
    ///
    /// # Panics
    /// Never: the cipher refuses only messages of more than 256 GiB.
    #[must_use]
    pub fn seal(keys: &Keys, entropy: &dyn Entropy, row: &[u8; 16], plain: &[u8]) -> Self {
        let (key_id, key) = keys.sealing();
        // 192 random bits: no two nonces meet, however much one key seals.
        let nonce = random::<NONCE>(entropy);
        let payload = Payload {
            msg: plain,
            aad: row,
        };
        let sealed = XChaCha20Poly1305::new(key.into())
            .encrypt(&nonce.into(), payload)
            .expect("a message is short");
        Self {
            key_id,
            bytes: [nonce.as_slice(), &sealed].concat(),
        }
    }

    /// Opens what was sealed for the row `row`.
    ///
    /// # Errors
    /// [`CannotOpen`] if its key is not among `keys`, or it was sealed for another row, or is
    /// damaged.
    pub fn open(&self, keys: &Keys, row: &[u8; 16]) -> Result<Zeroizing<Vec<u8>>, CannotOpen> {
        let key = keys.unsealing(self.key_id).ok_or(CannotOpen)?;
        let (nonce, sealed) = self.bytes.split_first_chunk::<NONCE>().ok_or(CannotOpen)?;
        let opened = XChaCha20Poly1305::new(key.into()).decrypt(
            nonce.into(),
            Payload {
                msg: sealed,
                aad: row,
            },
        );
        opened.map(Zeroizing::new).map_err(|_| CannotOpen)
    }
}

impl SealedToken {
    /// Seals `token` for the confirmation `id`, under the newest key.
    #[must_use]
    pub fn seal(keys: &Keys, entropy: &dyn Entropy, id: ConfirmationId, token: &Token) -> Self {
        Self(Sealed::seal(
            keys,
            entropy,
            id.as_bytes(),
            token.expose().as_bytes(),
        ))
    }

    /// Opens the token of the confirmation `id`.
    ///
    /// # Errors
    /// [`CannotOpen`] if its key is not among `keys`, or it was sealed for another confirmation, or
    /// is damaged.
    pub fn open(&self, keys: &Keys, id: ConfirmationId) -> Result<Token, CannotOpen> {
        let opened = self.0.open(keys, id.as_bytes())?;
        std::str::from_utf8(&opened)
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or(CannotOpen)
    }
}

impl fmt::Debug for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sealed(…)")
    }
}

impl fmt::Debug for SealedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedToken(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::SystemEntropy;

    #[test]
    fn a_sealed_token_opens_for_its_own_confirmation_and_key_alone() {
        let keys = Keys::from_secret(&[1; 32]);
        let mine = ConfirmationId::from_bytes([1; 16]);
        let other = ConfirmationId::from_bytes([2; 16]);
        let token: Token = "hush".parse().unwrap();
        let mut sealed = SealedToken::seal(&keys, &SystemEntropy, mine, &token);
        assert!(!sealed.0.bytes.windows(4).any(|part| part == b"hush"));
        assert_eq!(sealed.open(&keys, mine), Ok(token));
        assert_eq!(sealed.open(&keys, other), Err(CannotOpen));
        assert_eq!(
            sealed.open(&Keys::from_secret(&[2; 32]), mine),
            Err(CannotOpen)
        );
        *sealed.0.bytes.last_mut().unwrap() ^= 1;
        assert_eq!(sealed.open(&keys, mine), Err(CannotOpen));
        sealed.0.bytes.truncate(3);
        assert_eq!(sealed.open(&keys, mine), Err(CannotOpen));
    }
}
