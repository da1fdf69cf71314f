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
mod tests {
    use super::*;
    use crate::clock::{Clock as _, SystemClock};
    use sha2::Digest as _;

    const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
    const BODY: &[u8] =
        br#"{"confirmation":"0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f","verdict":"pending"}"#;

    fn keys(text: &str) -> WebhookKeys {
        text.parse().unwrap()
    }

    fn key(number: u8) -> String {
        of(number, 32)
    }

    /// A key of so many bytes.
    fn of(number: u8, length: usize) -> String {
        let mut bytes = Vec::new();
        for block in 0..3 {
            bytes.extend(Sha256::digest([number, block]));
        }
        format!("whsec_{}", STANDARD.encode(&bytes[..length]))
    }

    fn verify(
        keys: &WebhookKeys,
        [id, timestamp, signatures]: [&str; 3],
        body: &[u8],
    ) -> Result<(), WebhookError> {
        let headers = WebhookHeaders::read(Some(id), Some(timestamp), Some(signatures), NOW)?;
        keys.verify(&headers, body)
    }

    /// The example of the specification's own test, with its published key.
    #[test]
    fn the_published_example_is_signed_as_published() {
        let published = WebhookKeys {
            newest: WebhookKey(STANDARD.decode(PUBLISHED).unwrap()),
            older: Vec::new(),
        };
        let at = Timestamp::from_millis(1_614_265_330_000);
        let signed = published.sign(
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            at,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(
            signed,
            (
                "1614265330".into(),
                "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=".into()
            )
        );
    }

    /// The published library takes the time from the machine's clock alone.
    #[test]
    fn the_published_library_takes_our_signatures_and_we_take_its() {
        let now = SystemClock.now();
        let theirs = standardwebhooks::Webhook::new(&key(1)).unwrap();
        let ours = keys(&key(1));
        let [(timestamp, by_us), (_, by_another)] =
            [&ours, &keys(&key(2))].map(|keys| keys.sign("msg-1", now, BODY));
        let by_them = theirs
            .sign("msg-1", timestamp.parse().unwrap(), BODY)
            .unwrap();
        let mut changed = BODY.to_vec();
        changed[20] ^= 1;
        for (signature, body, is_genuine) in [
            (&by_us, BODY, true),
            (&by_them, BODY, true),
            (&by_another, BODY, false),
            (&by_us, &*changed, false),
            (&by_them, &*changed, false),
        ] {
            let texts = ["msg-1", &*timestamp, signature];
            let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
            let headers = WebhookHeaders::read(Some(texts[0]), Some(texts[1]), Some(texts[2]), now);
            assert_eq!(ours.verify(&headers.unwrap(), body).is_ok(), is_genuine);
            let headers = std::iter::zip(names, texts)
                .map(|(name, text)| (name.parse().unwrap(), text.parse().unwrap()));
            assert_eq!(theirs.verify(body, &headers.collect()).is_ok(), is_genuine);
        }
    }

    #[test]
    fn each_key_is_taken_while_keys_rotate_and_each_signature_is_looked_at() {
        let both = keys(&format!("{},{}", key(2), key(1)));
        let (timestamp, old) = keys(&key(1)).sign("a", NOW, BODY);
        let (_, new) = both.sign("a", NOW, BODY);
        let (_, other) = keys(&key(3)).sign("a", NOW, BODY);
        for signatures in [
            old.clone(),
            new.clone(),
            format!("{other} {old}"),
            format!("v1a,x v2,{new} v1, {new}"),
        ] {
            assert_eq!(verify(&both, ["a", &timestamp, &signatures], BODY), Ok(()));
        }
        for signatures in [
            other.clone(),
            String::new(),
            "v1,".into(),
            new.replacen("v1", "v2", 1),
            format!("{new},"),
        ] {
            assert_eq!(
                verify(&both, ["a", &timestamp, &signatures], BODY),
                Err(WebhookError::Signature),
                "{signatures}"
            );
        }
    }

    #[test]
    fn one_bit_that_is_flipped_anywhere_is_noticed() {
        let keys = keys(&key(1));
        let (timestamp, signature) = keys.sign("msg-1", NOW, BODY);
        let parts = [
            b"msg-1".to_vec(),
            timestamp.into_bytes(),
            signature.into_bytes(),
            BODY.to_vec(),
        ];
        for part in 0..parts.len() {
            for bit in 0..parts[part].len() * 8 {
                let mut forged = parts.clone();
                forged[part][bit / 8] ^= 1 << (bit % 8);
                let [id, timestamp, signature, body] = &forged;
                let texts = [id, timestamp, signature].map(|part| std::str::from_utf8(part));
                // No header holds what is no text.
                let [Ok(id), Ok(timestamp), Ok(signature)] = texts else {
                    continue;
                };
                assert!(
                    verify(&keys, [id, timestamp, signature], body).is_err(),
                    "bit {bit} of part {part}"
                );
            }
        }
    }

    #[test]
    fn what_was_signed_long_ago_or_will_be_is_not_taken() {
        let keys = keys(&key(1));
        for (seconds, taken) in [
            (-301, false),
            (-300, true),
            (0, true),
            (300, true),
            (301, false),
        ] {
            let at = Timestamp::from_millis(NOW.as_millis() + seconds * 1000);
            let (timestamp, signature) = keys.sign("a", at, BODY);
            let verified = verify(&keys, ["a", &timestamp, &signature], BODY);
            assert_eq!(verified.is_ok(), taken, "{seconds}");
        }
        for timestamp in [
            "",
            "+1800000000",
            "1800000000.0",
            "-1",
            " 1800000000",
            "99999999999999999999",
            "9223372036854775807",
        ] {
            let (_, signature) = keys.sign("a", NOW, BODY);
            assert_eq!(
                verify(&keys, ["a", timestamp, &signature], BODY),
                Err(WebhookError::Timestamp),
                "{timestamp}"
            );
        }
    }

    #[test]
    fn a_key_has_its_mark_and_24_to_64_bytes() {
        let of = |length| of(1, length);
        for good in [of(24), of(64), format!("{}, {}", of(24), of(32))] {
            assert!(good.parse::<WebhookKeys>().is_ok(), "{good}");
        }
        for bad in [
            String::new(),
            of(23),
            of(65),
            of(32).replace("whsec_", ""),
            format!("{},", of(32)),
            "whsec_*".into(),
        ] {
            assert_eq!(
                bad.parse::<WebhookKeys>().err(),
                Some(InvalidWebhookKey::Form),
                "{bad}"
            );
        }
        let typed = format!("whsec_{}", STANDARD.encode([7; 32]));
        let typed = format!("{},{typed}", of(32)).parse::<WebhookKeys>();
        assert_eq!(typed.err(), Some(InvalidWebhookKey::Typed));
        let published = format!("whsec_{PUBLISHED}").parse::<WebhookKeys>();
        assert_eq!(published.err(), Some(InvalidWebhookKey::Typed));
        assert_eq!(format!("{:?}", keys(&of(32))), "WebhookKeys(…)");
    }
}
