//! Signed calls of a service to us: Standard Webhooks 1.0.0 (standardwebhooks.com), with symmetric
//! keys.

use super::typed::is_typed;
use crate::clock::Timestamp;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use std::{fmt, str::FromStr, time::Duration};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, ZeroizeOnDrop};

/// What stands before each key.
const KEY_MARK: &str = "whsec_";
/// What stands before each signature that these keys make.
const VERSION: &str = "v1,";
/// The key in the examples of the specification and of our own documentation: everybody has it.
const PUBLISHED: &str = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// How long a key may be, in bytes.
const KEY_LENGTH: std::ops::RangeInclusive<usize> = 24..=64;
/// How far the clocks may differ.
const TOLERANCE: Duration = Duration::from_mins(5);

/// The keys with which a service signs its calls, newest first: the first signs, all verify.
///
/// `Debug` prints nothing of them.
#[derive(Clone)]
pub struct WebhookKeys {
    newest: WebhookKey,
    older: Vec<WebhookKey>,
}

#[derive(Clone, ZeroizeOnDrop)]
struct WebhookKey(Vec<u8>);

/// The text is no list of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidWebhookKey {
    /// It is not of the form.
    #[error(
        "a key is whsec_ and standard base64 of 24 to 64 bytes; several are separated by commas, the newest first"
    )]
    Form,
    /// A person typed one of them, or a program counted up.
    #[error(
        "a key is not random: it is a text, a pattern, a sequence, or the example of the documentation; make one by `echo whsec_$(openssl rand -base64 32)`"
    )]
    Typed,
}

/// The headers of a call, as far as they can be judged before its body is read.
#[derive(Clone, Copy, Debug)]
pub struct WebhookHeaders<'h> {
    id: &'h str,
    timestamp: &'h str,
    signatures: &'h str,
}

/// The request is not signed with one of the keys, or not within five minutes of now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// A header is missing, or is no text.
    #[error(
        "its webhook-id, webhook-timestamp or webhook-signature is missing, empty or there twice"
    )]
    Headers,
    /// It was signed more than five minutes ago, or will be.
    #[error(
        "its webhook-timestamp, in seconds since 1970, is not within five minutes of this server's clock"
    )]
    Timestamp,
    /// None of its signatures is of one of the keys.
    #[error("none of its signatures was made with a known key")]
    Signature,
}

impl<'h> WebhookHeaders<'h> {
    /// Reads the headers `webhook-id`, `webhook-timestamp` and `webhook-signature` of a call that
    /// comes at `now`.
    ///
    /// # Errors
    /// [`WebhookError`] if one is missing, or it was not signed within five minutes of `now`.
    pub fn read(
        id: Option<&'h str>,
        timestamp: Option<&'h str>,
        signatures: Option<&'h str>,
        now: Timestamp,
    ) -> Result<Self, WebhookError> {
        let id = id.filter(|id| !id.is_empty());
        let id = id.ok_or(WebhookError::Headers)?;
        let timestamp = timestamp.ok_or(WebhookError::Headers)?;
        let signatures = signatures.ok_or(WebhookError::Headers)?;
        let digits = timestamp.bytes().all(|byte| byte.is_ascii_digit());
        let seconds: Option<i64> = timestamp.parse().ok().filter(|_| digits);
        let at = seconds.and_then(|seconds| seconds.checked_mul(1000));
        let at = Timestamp::from_millis(at.ok_or(WebhookError::Timestamp)?);
        // One of the two is zero.
        if at.since(now) > TOLERANCE || now.since(at) > TOLERANCE {
            return Err(WebhookError::Timestamp);
        }
        Ok(Self {
            id,
            timestamp,
            signatures,
        })
    }
}

impl WebhookKeys {
    /// Whether one of the signatures in `headers` is that of one of these keys for `body`, byte for
    /// byte as it came.
    ///
    /// # Errors
    /// [`WebhookError::Signature`] if none is.
    pub fn verify(&self, headers: &WebhookHeaders<'_>, body: &[u8]) -> Result<(), WebhookError> {
        let mut shown = Vec::new();
        for signature in headers.signatures.split(' ') {
            let text = signature.strip_prefix(VERSION);
            shown.extend(text.and_then(|text| STANDARD.decode(text).ok()));
        }
        let mut genuine = subtle::Choice::from(0);
        for key in std::iter::once(&self.newest).chain(&self.older) {
            let ours = key.mac(headers.id, headers.timestamp, body);
            for theirs in &shown {
                genuine |= ours.as_slice().ct_eq(theirs);
            }
        }
        if genuine.into() {
            Ok(())
        } else {
            Err(WebhookError::Signature)
        }
    }

    /// The values of `webhook-timestamp` and `webhook-signature` of a call with this `webhook-id`
    /// and `body`, made at `now`.
    #[must_use]
    pub fn sign(&self, id: &str, now: Timestamp, body: &[u8]) -> (String, String) {
        let timestamp = now.as_millis().div_euclid(1000).to_string();
        let newest = self.newest.mac(id, &timestamp, body);
        let signature = VERSION.to_owned() + &STANDARD.encode(newest);
        (timestamp, signature)
    }
}

impl WebhookKey {
    fn mac(&self, id: &str, timestamp: &str, body: &[u8]) -> [u8; 32] {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

/// A single key, for tests and practice mode.
impl From<[u8; 32]> for WebhookKeys {
    fn from(mut bytes: [u8; 32]) -> Self {
        let newest = WebhookKey(bytes.to_vec());
        bytes.zeroize();
        Self {
            newest,
            older: Vec::new(),
        }
    }
}

impl FromStr for WebhookKeys {
    type Err = InvalidWebhookKey;

    /// Reads keys as an operator writes them: `whsec_…`, separated by commas, newest first.
    fn from_str(text: &str) -> Result<Self, InvalidWebhookKey> {
        let key = |text: &str| {
            let encoded = text.trim().strip_prefix(KEY_MARK);
            let encoded = encoded.ok_or(InvalidWebhookKey::Form)?;
            let bytes = STANDARD.decode(encoded);
            let bytes = WebhookKey(bytes.map_err(|_| InvalidWebhookKey::Form)?);
            if !KEY_LENGTH.contains(&bytes.0.len()) {
                return Err(InvalidWebhookKey::Form);
            }
            if is_typed(encoded, &bytes.0) || encoded == PUBLISHED {
                return Err(InvalidWebhookKey::Typed);
            }
            Ok(bytes)
        };
        let mut keys = text.split(',').map(key);
        let newest = keys.next().ok_or(InvalidWebhookKey::Form)??;
        let older = keys.collect::<Result<_, _>>()?;
        Ok(Self { newest, older })
    }
}

impl fmt::Debug for WebhookKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookKeys(…)")
    }
}

#[cfg(test)]
mod tests;
