//! Signatures: hex HMAC-SHA256 under the application's secret, always compared in constant time.

use crate::{
    config::{AppSecret, BrokerConfig},
    protocol::{ChannelName, SocketId},
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
mod tests;
