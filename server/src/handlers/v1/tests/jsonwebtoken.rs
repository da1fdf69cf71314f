//! What the crate `jsonwebtoken` makes of our assertions. It reads the keys, the header and the
//! claims in its own way; the signature's arithmetic is ring's, as everywhere here.

use super::{BASE, authorize, decode, signed_in};
use crate::testing::TestApp;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation,
    crypto::{CryptoProvider, JwtVerifier, KeyUtils},
    decode_header,
    errors::{Error, ErrorKind},
    jwk::JwkSet,
    signature::{self, Verifier},
};
use ring::{
    hmac,
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, UnparsedPublicKey,
    },
};
use serde_json::Value;

/// A public key, or a password.
struct Ring(Algorithm, Vec<u8>);

impl Verifier<Vec<u8>> for Ring {
    fn verify(&self, text: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        let verified = match self.0 {
            Algorithm::ES256 => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &self.1).verify(text, signature)
            }
            _ => hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, &self.1), text, signature),
        };
        verified.map_err(|_| signature::Error::new())
    }
}

impl JwtVerifier for Ring {
    fn algorithm(&self) -> Algorithm {
        self.0
    }
}

static RING: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| Err(ErrorKind::InvalidAlgorithm.into()),
    verifier_factory: |algorithm, key| {
        Ok(Box::new(Ring(*algorithm, key.try_get_as_bytes()?.to_vec())))
    },
    key_utils: KeyUtils::new_unimplemented(),
};

fn encode(part: &Value) -> String {
    URL_SAFE_NO_PAD.encode(part.to_string())
}

/// What an application that trusts the published `keys` takes `assertion` for.
fn verify(keys: &JwkSet, assertion: &str, expected: &Validation) -> Result<Value, ErrorKind> {
    let claims = || {
        let kid = decode_header(assertion)?.kid.unwrap_or_default();
        let key = keys.find(&kid).ok_or(ErrorKind::InvalidKeyFormat)?;
        let key = DecodingKey::from_jwk(key)?;
        Ok::<_, Error>(jsonwebtoken::decode::<Value>(assertion, &key, expected)?.claims)
    };
    claims().map_err(|error| error.kind().clone())
}

/// As an application should expect it.
fn expected() -> Validation {
    let mut expected = Validation::new(Algorithm::ES256);
    expected.set_issuer(&["http://127.0.0.1:3000/auth"]);
    expected.set_audience(&["http://127.0.0.1:3000"]);
    expected.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    expected.leeway = 0;
    expected
}

/// What is said of a user who is signed in, and the published keys.
async fn asserted(app: &TestApp) -> (String, JwkSet) {
    // Another test of this process may have been here before.
    let _ = RING.install_default();
    let answer = authorize(&mut signed_in(app).await, &[]).await;
    let assertion = answer.header("vestibule-assertion").unwrap().to_owned();
    let jwks = app.browser().open("/auth/.well-known/jwks.json").await;
    (assertion, serde_json::from_str(&jwks.body).unwrap())
}

#[tokio::test]
async fn jsonwebtoken_takes_an_assertion_for_a_minute_and_for_whom_it_is() {
    let app = TestApp::with(&[BASE]).await;
    let (assertion, keys) = asserted(&app).await;
    let claims = verify(&keys, &assertion, &expected()).unwrap();
    assert_eq!(claims["email"], "practice@example.com");

    let mut other = expected();
    other.set_audience(&["https://other.example"]);
    let refused = verify(&keys, &assertion, &other);
    assert_eq!(refused, Err(ErrorKind::InvalidAudience));
    let mut other = expected();
    other.set_issuer(&["https://other.example/auth"]);
    let refused = verify(&keys, &assertion, &other);
    assert_eq!(refused, Err(ErrorKind::InvalidIssuer));
    let mut later = expected();
    later.reject_tokens_expiring_in_less_than = 61;
    let refused = verify(&keys, &assertion, &later);
    assert_eq!(refused, Err(ErrorKind::ExpiredSignature));
}

#[tokio::test]
async fn jsonwebtoken_refuses_what_only_looks_like_an_assertion() {
    let app = TestApp::with(&[BASE]).await;
    let (assertion, keys) = asserted(&app).await;
    let (signed, signature) = assertion.rsplit_once('.').unwrap();
    let (head, claims) = signed.split_once('.').unwrap();
    let mut claims: Value = serde_json::from_slice(&decode(claims)).unwrap();
    claims["sub"] = "0".repeat(32).into();
    let lie = encode(&claims);
    let mut head_of: Value = serde_json::from_slice(&decode(head)).unwrap();

    let key = keys.find(head_of["kid"].as_str().unwrap()).unwrap();
    let point = DecodingKey::from_jwk(key).unwrap();
    let random = SystemRandom::new();
    let pair = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
    let thief = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pair.as_ref(), &random);
    let by_thief = thief
        .unwrap()
        .sign(&random, format!("{head}.{lie}").as_bytes())
        .unwrap();
    let mut flipped = decode(signature);
    flipped[7] ^= 1;
    let sealed = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let mut forged = vec![
        format!("{head}.{lie}.{signature}"),
        format!("{signed}.{}", sealed(&flipped)),
        format!("{head}.{lie}.{}", sealed(by_thief.as_ref())),
        format!("{signed}."),
        String::new(),
    ];
    for (algorithm, kid) in [("none", None), ("HS256", None), ("ES256", Some("unknown"))] {
        head_of["alg"] = algorithm.into();
        if let Some(kid) = kid {
            head_of["kid"] = kid.into();
        }
        let text = format!("{}.{lie}", encode(&head_of));
        let password = hmac::Key::new(hmac::HMAC_SHA256, point.try_get_as_bytes().unwrap());
        let by_password = hmac::sign(&password, text.as_bytes());
        forged.push(format!("{text}.{}", sealed(by_password.as_ref())));
    }
    for forged in forged {
        assert!(verify(&keys, &forged, &expected()).is_err(), "{forged}");
    }
}
