//! Signatures: hex HMAC-SHA256 under the application's secret, always compared in constant time.

use crate::{
    config::BrokerConfig,
    name::{ChannelName, SocketId},
    secret::AppSecret,
};
use axum::{
    extract::{self, rejection::QueryRejection},
    http::Uri,
};
use hmac::{Hmac, Mac};
use md5::{Digest, Md5};
use sha2::Sha256;
use std::time::{Duration, UNIX_EPOCH};

/// How far a request's time may be from ours, as the protocol has it. A request can be replayed
/// within this time.
const MAX_SKEW: Duration = Duration::from_mins(10);

/// Whether `signature` is that of `text`.
fn is_signed(secret: &AppSecret, text: &str, signature: &str) -> bool {
    let Some(signature) = unhex::<32>(signature) else {
        return false;
    };
    Hmac::<Sha256>::new_from_slice(secret.as_bytes())
        .is_ok_and(|mac| mac.chain_update(text).verify_slice(&signature).is_ok())
}

/// Whether `auth` is the application's signature for this socket and this private channel.
///
/// The signed text consists of our own id of the socket and the parsed channel name. So nothing
/// that a client sends can move the border between the two.
pub(crate) fn may_subscribe(
    config: &BrokerConfig,
    socket: SocketId,
    channel: &ChannelName,
    auth: &str,
) -> bool {
    let signature = auth
        .strip_prefix(config.key.as_str())
        .and_then(|rest| rest.strip_prefix(':'));
    signature.is_some_and(|signature| {
        is_signed(
            &config.secret,
            &format!("{socket}:{}", channel.as_str()),
            signature,
        )
    })
}

/// Why a request to the HTTP API is not accepted as the application's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SignatureError {
    #[error("{0} is missing from the query")]
    Missing(&'static str),
    #[error("unknown auth_key")]
    Key,
    #[error("auth_version is not 1.0")]
    Version,
    #[error("auth_timestamp is not within 600 seconds of the server's time")]
    Timestamp,
    #[error(
        "auth_signature is wrong: it is the hex HMAC-SHA256 of method, path and sorted query, one per line"
    )]
    Signature,
    #[error("body_md5 is not the MD5 of the body")]
    Body,
}

/// The decoded query of a request to the HTTP API, which holds the signature.
#[derive(Debug)]
pub(crate) struct SignedQuery(Vec<(String, String)>);

impl SignedQuery {
    /// The query of `uri`.
    pub(crate) fn of(uri: &Uri) -> Result<Self, QueryRejection> {
        extract::Query::try_from_uri(uri).map(|extract::Query(pairs)| Self::new(pairs))
    }

    fn new(mut pairs: Vec<(String, String)>) -> Self {
        for (name, _) in &mut pairs {
            name.make_ascii_lowercase();
        }
        pairs.sort_by(|(a, _), (b, _)| a.cmp(b));
        Self(pairs)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    fn require(&self, name: &'static str) -> Result<&str, SignatureError> {
        self.get(name).ok_or(SignatureError::Missing(name))
    }

    /// Checks that the application has signed the request, up to its body.
    pub(crate) fn verify(
        &self,
        config: &BrokerConfig,
        method: &str,
        path: &str,
    ) -> Result<(), SignatureError> {
        if self.require("auth_key")? != config.key {
            return Err(SignatureError::Key);
        }
        if self.require("auth_version")? != "1.0" {
            return Err(SignatureError::Version);
        }
        let signed_at = self
            .require("auth_timestamp")?
            .parse()
            .ok()
            .and_then(|seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds)))
            .ok_or(SignatureError::Timestamp)?;
        let skew = (config.clock)().duration_since(signed_at);
        if skew.unwrap_or_else(|error| error.duration()) > MAX_SKEW {
            return Err(SignatureError::Timestamp);
        }
        if !is_signed(
            &config.secret,
            &self.signed_text(method, path),
            self.require("auth_signature")?,
        ) {
            return Err(SignatureError::Signature);
        }
        Ok(())
    }

    /// Checks that the body is the one that was signed.
    pub(crate) fn verify_body(&self, body: &[u8]) -> Result<(), SignatureError> {
        if body.is_empty() {
            return Ok(());
        }
        match unhex::<16>(self.require("body_md5")?) {
            Some(digest) if digest == <[u8; 16]>::from(Md5::digest(body)) => Ok(()),
            _ => Err(SignatureError::Body),
        }
    }

    fn signed_text(&self, method: &str, path: &str) -> String {
        let signed = self.0.iter().filter(|(name, _)| name != "auth_signature");
        let query: Vec<String> = signed
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        format!("{method}\n{path}\n{}", query.join("&"))
    }
}

fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if text.len() != 2 * N {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = nibble(pair[0])? << 4 | nibble(pair[1])?;
    }
    Some(bytes)
}

fn nibble(digit: u8) -> Option<u8> {
    char::from(digit)
        .to_digit(16)
        .and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    /// The worked example in the protocol's own documentation.
    fn documented() -> (BrokerConfig, Vec<(String, String)>, &'static [u8]) {
        let mut config = BrokerConfig::new(
            "3",
            "278d425bdf160c739803",
            AppSecret::new("7ad3773142a6692b25b8"),
        );
        config.clock = || at(1_353_088_179);
        let query = [
            ("auth_key", "278d425bdf160c739803"),
            ("auth_timestamp", "1353088179"),
            ("auth_version", "1.0"),
            ("body_md5", "ec365a775a4cd0599faeb73354201b6f"),
            (
                "auth_signature",
                "da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c",
            ),
        ];
        let query = query
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec();
        (
            config,
            query,
            br#"{"name":"foo","channels":["project-3"],"data":"{\"some\":\"data\"}"}"#,
        )
    }

    fn verify(
        config: &BrokerConfig,
        query: Vec<(String, String)>,
        body: &[u8],
    ) -> Result<(), SignatureError> {
        let query = SignedQuery::new(query);
        query.verify(config, "POST", "/apps/3/events")?;
        query.verify_body(body)
    }

    #[test]
    fn the_documented_example_is_valid_in_any_order_and_case_of_names() {
        let (config, mut query, body) = documented();
        assert_eq!(verify(&config, query.clone(), body), Ok(()));
        query.reverse();
        query[0].0.make_ascii_uppercase();
        assert_eq!(verify(&config, query, body), Ok(()));
    }

    #[test]
    fn any_change_to_a_signed_request_is_found() {
        let (config, query, body) = documented();
        let checked = SignedQuery::new(query.clone());
        assert_eq!(
            checked.verify(&config, "GET", "/apps/3/events"),
            Err(SignatureError::Signature)
        );
        assert_eq!(
            checked.verify(&config, "POST", "/apps/3/batch_events"),
            Err(SignatureError::Signature)
        );
        assert_eq!(checked.verify_body(b"{}"), Err(SignatureError::Body));

        let mut more = query.clone();
        more.push(("info".into(), "subscription_count".into()));
        assert_eq!(verify(&config, more, body), Err(SignatureError::Signature));

        let mut other_body = query.clone();
        other_body[3].1 = "00365a775a4cd0599faeb73354201b6f".into();
        assert_eq!(
            verify(&config, other_body, body),
            Err(SignatureError::Signature)
        );

        for (part, error) in [
            (0, SignatureError::Missing("auth_key")),
            (1, SignatureError::Missing("auth_timestamp")),
            (2, SignatureError::Missing("auth_version")),
            (3, SignatureError::Signature),
            (4, SignatureError::Missing("auth_signature")),
        ] {
            let mut without = query.clone();
            without.remove(part);
            assert_eq!(verify(&config, without, body), Err(error));
        }
    }

    #[test]
    fn a_signature_is_valid_for_ten_minutes_either_way() {
        let (mut config, query, body) = documented();
        let clocks: [(fn() -> SystemTime, _); 4] = [
            (|| at(1_353_088_179 + 600), Ok(())),
            (|| at(1_353_088_179 - 600), Ok(())),
            (|| at(1_353_088_179 + 601), Err(SignatureError::Timestamp)),
            (|| at(1_353_088_179 - 601), Err(SignatureError::Timestamp)),
        ];
        for (clock, expected) in clocks {
            config.clock = clock;
            assert_eq!(verify(&config, query.clone(), body), expected);
        }
    }

    #[test]
    fn what_is_not_hex_of_the_right_length_is_not_a_signature() {
        let (config, query, body) = documented();
        let good = query[4].1.clone();
        for bad in [
            "",
            &good[..62],
            &format!("{good}00"),
            &good.replace('d', "g"),
            &good.replacen("da", "+a", 1),
            "é",
        ] {
            let mut query = query.clone();
            bad.clone_into(&mut query[4].1);
            assert_eq!(
                verify(&config, query, body),
                Err(SignatureError::Signature),
                "{bad}"
            );
        }
    }
}
