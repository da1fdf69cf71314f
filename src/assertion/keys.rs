//! The keys that sign: three at a time, sealed while they are stored.

use crate::secret::{CannotOpen, Entropy, Keys, Sealed};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::fmt;
use zeroize::{Zeroize, Zeroizing};

/// What sealed keys are associated with: they open as nothing else.
const ROW: &[u8; 16] = b"signing keys\0\0\0\0";

/// The keys that sign assertions: the current one, the next one, and the one before.
///
/// `Debug` prints nothing of them.
pub struct SigningKeys {
    current: SigningKey,
    next: SigningKey,
    former: Option<SigningKey>,
}

/// The keys cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SigningKeyError {
    /// They were sealed under a key that is not configured any more, or are damaged.
    #[error("the keys that sign assertions were sealed under another VESTIBULE_SECRET")]
    Sealed(#[from] CannotOpen),
    /// They were there, and are not any more.
    #[error("the keys that sign assertions have gone")]
    Gone,
    /// The system has no randomness, or the keys are no keys.
    #[error("the system's cryptography refuses a key")]
    Refused,
}

/// One key, and its public half as a JWK.
struct SigningKey {
    pkcs8: Zeroizing<Vec<u8>>,
    pair: EcdsaKeyPair,
    id: String,
    jwk: Value,
    /// The header of what it signs, encoded.
    header: String,
}

/// The keys as they are sealed: PKCS #8 in base64.
#[derive(Serialize, Deserialize)]
struct Plain {
    current: String,
    next: String,
    former: Option<String>,
}

impl Drop for Plain {
    fn drop(&mut self) {
        self.current.zeroize();
        self.next.zeroize();
        self.former.zeroize();
    }
}

impl SigningKeys {
    /// Fresh keys.
    ///
    /// # Errors
    /// [`SigningKeyError::Refused`] if the system has no randomness.
    pub fn generate() -> Result<Self, SigningKeyError> {
        Ok(Self {
            current: SigningKey::generate()?,
            next: SigningKey::generate()?,
            former: None,
        })
    }

    /// The keys after a rotation: the next one is in use, and a fresh one is published in its
    /// place.
    ///
    /// # Errors
    /// [`SigningKeyError::Refused`] if the system has no randomness.
    pub fn rotate(self) -> Result<Self, SigningKeyError> {
        Ok(Self {
            former: Some(self.current),
            current: self.next,
            next: SigningKey::generate()?,
        })
    }

    /// Seals the keys, to be stored.
    ///
    /// # Panics
    /// Never: the keys are text.
    #[must_use]
    pub fn seal(&self, keys: &Keys, entropy: &dyn Entropy) -> Sealed {
        let plain = Plain {
            current: self.current.encode(),
            next: self.next.encode(),
            former: self.former.as_ref().map(SigningKey::encode),
        };
        let plain = Zeroizing::new(serde_json::to_vec(&plain).expect("the keys are text"));
        Sealed::seal(keys, entropy, ROW, &plain)
    }

    /// Opens keys that were sealed.
    ///
    /// # Errors
    /// [`SigningKeyError`] if they do not open, or are no keys.
    pub fn open(sealed: &Sealed, keys: &Keys) -> Result<Self, SigningKeyError> {
        let plain = sealed.open(keys, ROW)?;
        let plain: Plain = serde_json::from_slice(&plain).map_err(|_| SigningKeyError::Refused)?;
        Ok(Self {
            current: SigningKey::decode(&plain.current)?,
            next: SigningKey::decode(&plain.next)?,
            former: plain
                .former
                .as_deref()
                .map(SigningKey::decode)
                .transpose()?,
        })
    }

    /// The public keys, as a JWK set (RFC 7517, section 5).
    #[must_use]
    pub fn jwks(&self) -> Value {
        let all = [&self.current, &self.next];
        let keys = all.into_iter().chain(&self.former).map(|key| &key.jwk);
        json!({ "keys": keys.collect::<Vec<_>>() })
    }

    /// The id of the key in use.
    #[must_use]
    pub fn current_id(&self) -> &str {
        &self.current.id
    }

    /// Signs `claims` with the key in use: a JWS in compact form (RFC 7515, section 7.1).
    ///
    /// # Errors
    /// [`SigningKeyError::Refused`] if the system has no randomness.
    ///
    /// # Panics
    /// Never: claims are JSON.
    pub fn sign(&self, claims: &impl Serialize) -> Result<String, SigningKeyError> {
        let claims = serde_json::to_vec(claims).expect("claims are JSON");
        let mut text = format!("{}.", self.current.header);
        URL_SAFE_NO_PAD.encode_string(claims, &mut text);
        let signature = self
            .current
            .pair
            .sign(&SystemRandom::new(), text.as_bytes())
            .map_err(|_| SigningKeyError::Refused)?;
        text.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut text);
        Ok(text)
    }
}

impl fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKeys(…)")
    }
}

impl SigningKey {
    fn generate() -> Result<Self, SigningKeyError> {
        let pkcs8 =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
        let pkcs8 = pkcs8.map_err(|_| SigningKeyError::Refused)?;
        Self::new(Zeroizing::new(pkcs8.as_ref().to_vec()))
    }

    fn decode(text: &str) -> Result<Self, SigningKeyError> {
        let pkcs8 = URL_SAFE_NO_PAD.decode(text);
        Self::new(Zeroizing::new(pkcs8.map_err(|_| SigningKeyError::Refused)?))
    }

    fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(&*self.pkcs8)
    }

    fn new(pkcs8: Zeroizing<Vec<u8>>) -> Result<Self, SigningKeyError> {
        let pair = EcdsaKeyPair::from_pkcs8(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            &pkcs8,
            &SystemRandom::new(),
        );
        let pair = pair.map_err(|_| SigningKeyError::Refused)?;
        // An uncompressed point: 4, then both coordinates (SEC 1, section 2.3.3).
        let point = pair.public_key().as_ref();
        let coordinate = |bytes: Option<&[u8]>| {
            bytes
                .map(|bytes| URL_SAFE_NO_PAD.encode(bytes))
                .ok_or(SigningKeyError::Refused)
        };
        let x = coordinate(point.get(1..33))?;
        let y = coordinate(point.get(33..65))?;
        // The key's thumbprint (RFC 7638): the required members in this order, without spaces.
        let members = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
        let id = URL_SAFE_NO_PAD.encode(Sha256::digest(members));
        let jwk = json!({
            "kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": id, "use": "sig", "alg": "ES256",
        });
        let header = json!({ "alg": "ES256", "kid": id, "typ": "JWT" });
        Ok(Self {
            pkcs8,
            pair,
            id,
            jwk,
            header: URL_SAFE_NO_PAD.encode(header.to_string()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::SystemEntropy;
    use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    /// Whether a key of `published` verifies `text`.
    fn verifies(published: &Value, text: &str) -> bool {
        let (signed, signature) = text.rsplit_once('.').unwrap();
        let (header, _) = signed.split_once('.').unwrap();
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
        let header: Value = serde_json::from_slice(&decode(header)).unwrap();
        assert_eq!(header["alg"], "ES256");
        let keys = published["keys"].as_array().unwrap();
        let Some(key) = keys.iter().find(|key| key["kid"] == header["kid"]) else {
            return false;
        };
        let [x, y] = ["x", "y"].map(|name| decode(key[name].as_str().unwrap()));
        let point = [&[4][..], &x, &y].concat();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
            .verify(signed.as_bytes(), &decode(signature))
            .is_ok()
    }

    #[test]
    fn what_is_signed_is_verified_across_a_rotation_on_either_side() {
        let before = SigningKeys::generate().unwrap();
        let known = before.jwks();
        let old = before.sign(&json!({ "sub": "1" })).unwrap();
        let after = before.rotate().unwrap();
        let new = after.sign(&json!({ "sub": "1" })).unwrap();
        for (published, text) in [
            (&known, &old),
            (&known, &new),
            (&after.jwks(), &old),
            (&after.jwks(), &new),
        ] {
            assert!(verifies(published, text));
        }
        assert!(!verifies(
            &known,
            &after.rotate().unwrap().sign(&json!({})).unwrap()
        ));
    }

    #[test]
    fn the_keys_open_under_their_own_secret_alone_and_show_nothing() {
        let keys = Keys::from_secret(&[1; 32]);
        let signing = SigningKeys::generate().unwrap().rotate().unwrap();
        let sealed = signing.seal(&keys, &SystemEntropy);
        let opened = SigningKeys::open(&sealed, &keys).unwrap();
        assert_eq!(opened.jwks(), signing.jwks());
        let newer = Keys::from_secrets([&[2; 32], &[1; 32]]);
        assert!(SigningKeys::open(&sealed, &newer).is_ok());
        assert_eq!(
            SigningKeys::open(&sealed, &Keys::from_secret(&[2; 32])).err(),
            Some(SigningKeyError::Sealed(CannotOpen))
        );
        assert_eq!(format!("{signing:?}"), "SigningKeys(…)");
        for key in signing.jwks()["keys"].as_array().unwrap() {
            assert_eq!(key.get("d"), None, "a private key is published");
        }
    }
}
