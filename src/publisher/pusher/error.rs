//! What can go wrong with a Pusher server, sorted by what an operator would do about it.

use crate::publisher::PublishError;
use rustls::CertificateError;
use std::{error::Error, io};

/// Why there is no connection to a server.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConnectError {
    /// Its name cannot be resolved.
    #[error("its name cannot be resolved")]
    Unresolved,
    /// Nothing listens there.
    #[error("nothing listens there")]
    Refused,
    /// It did not answer in time.
    #[error("it does not answer")]
    TooSlow,
    /// The server is not, or cannot be shown to be, the one that was meant.
    #[error("its certificate is not trusted: {0}")]
    Certificate(String),
    /// Who answers speaks something else.
    #[error("it does not speak TLS")]
    NoTls,
    /// Something else, in the system's words.
    #[error("{0}")]
    Other(String),
}

impl ConnectError {
    /// What the error of some client comes to, whose cause is one of the system's or of TLS.
    #[must_use]
    pub fn of(error: &(dyn Error + 'static)) -> Self {
        match first::<io::Error>(error) {
            Some(cause) => match cause.get_ref() {
                Some(inner) if inner.is::<rustls::Error>() => Self::of_tls(cause),
                _ => Self::of_tcp(cause),
            },
            None => Self::of_tcp(error),
        }
    }

    pub(super) fn of_tcp(error: &(dyn Error + 'static)) -> Self {
        // The resolver's own errors have no kind.
        let said = error.to_string();
        if said.starts_with("dns error") || said.starts_with("failed to lookup address") {
            return Self::Unresolved;
        }
        match first::<io::Error>(error) {
            Some(error) if error.kind() == io::ErrorKind::ConnectionRefused => Self::Refused,
            Some(error) if error.kind() == io::ErrorKind::TimedOut => Self::TooSlow,
            Some(error) => Self::Other(error.to_string()),
            None => Self::Other(error.to_string()),
        }
    }

    pub(super) fn of_tls(error: &io::Error) -> Self {
        match error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<rustls::Error>())
        {
            Some(rustls::Error::InvalidCertificate(why)) => Self::Certificate(certificate(why)),
            Some(rustls::Error::InvalidMessage(_)) => Self::NoTls,
            _ => Self::Other(error.to_string()),
        }
    }
}

fn first<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    error.downcast_ref().or_else(|| first(error.source()?))
}

fn certificate(why: &CertificateError) -> String {
    match why {
        CertificateError::UnknownIssuer => {
            "it is signed by no authority that this machine trusts".into()
        }
        CertificateError::BadSignature => "its signature is false".into(),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "it has expired".into()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet".into()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "it is for another name".into()
        }
        why => why.to_string(),
    }
}

/// Why something was not published.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PusherError {
    /// There is no connection.
    #[error("the Pusher server cannot be reached: {0}")]
    Unreachable(ConnectError),
    /// The connection broke, or what came back is no Pusher server's.
    #[error("the connection to the Pusher server broke, or its answer is no Pusher server's")]
    Broken,
    /// No answer came in time.
    #[error("the Pusher server does not answer in time")]
    TooSlow,
    /// The server refuses, in its own words, which are not for a log.
    #[error("the Pusher server {}", meaning(*.status))]
    Refused {
        /// Its answer's status.
        status: u16,
        /// Its answer's text.
        said: String,
    },
    /// The crate `pusher` would not send it.
    #[error("the announcement was not sent: {0}")]
    Unsent(String),
}

impl PusherError {
    /// Sorts the crate's `Error: <status>. <body>`.
    pub(super) fn of_text(text: &str) -> Option<Self> {
        let Some(status) = text
            .strip_prefix("Error: ")
            .and_then(|rest| rest.get(..3)?.parse().ok())
        else {
            return Some(Self::Unsent(text.to_owned()));
        };
        let said = text
            .split_once(". ")
            .map_or("", |(_, said)| said)
            .to_owned();
        // The crate takes nothing but 200 for a success.
        if (200..300).contains(&status) {
            None
        } else {
            Some(Self::Refused { status, said })
        }
    }

    /// Whether publishing again may help: what a server refuses for its content, it refuses again.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::Broken | Self::TooSlow => true,
            Self::Refused { status, .. } => matches!(status, 408 | 425 | 429 | 500 | 502..),
            Self::Unsent(_) => false,
        }
    }
}

fn meaning(status: u16) -> String {
    match status {
        300..=399 => {
            format!("answers {status} and leads elsewhere; is its scheme or its path another?")
        }
        401 | 403 => format!(
            "answers {status}: it refuses the app's id, the key, the secret or this machine's clock"
        ),
        404 | 405 | 501 => {
            format!("answers {status}: it knows no such app, or it has another path")
        }
        413 => "answers 413: the announcement is too large for it".into(),
        status => format!("answers {status}"),
    }
}

impl From<PusherError> for PublishError {
    fn from(trouble: PusherError) -> Self {
        Self {
            retry: trouble.may_pass(),
            what: trouble.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_sorted_by_whether_trying_again_can_help() {
        let may_pass = |text| PusherError::of_text(text).unwrap().may_pass();
        for text in [
            "Error: 500 Internal Server Error. ",
            "Error: 503 x. y",
            "Error: 429 Too Many Requests. ",
        ] {
            assert!(may_pass(text), "{text}");
        }
        for text in [
            "Error: 301 Moved Permanently. ",
            "Error: 400 Bad Request. ",
            "Error: 401 Unauthorized. no",
            "Error: 404 Not Found. ",
            "Error: 413 Payload Too Large. ",
            "Error: 501 Not Implemented. ",
            "Data must be smaller than 10kb",
        ] {
            assert!(!may_pass(text), "{text}");
        }
    }

    #[test]
    fn a_success_other_than_200_is_one_too() {
        assert_eq!(PusherError::of_text("Error: 202 Accepted. {}"), None);
    }

    #[test]
    fn what_a_server_says_is_not_for_the_log() {
        let trouble = PusherError::of_text(
            "Error: 401 Unauthorized. Invalid signature: you should have sent…",
        )
        .unwrap();
        assert!(!trouble.to_string().contains("signature"));
        assert!(
            matches!(trouble, PusherError::Refused { status: 401, said } if said.starts_with("Invalid signature"))
        );
    }
}
