//! What a confirmation came to.

use crate::{JsonObject, path::LocalPath};

/// What the browser is told in the end, and where it goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The session is the user's: go to `redirect`.
    Confirmed {
        /// Where to go.
        redirect: LocalPath,
    },
    /// The session is gone: go to `redirect`.
    Rejected {
        /// Why.
        reason: Rejection,
        /// Where to go.
        redirect: LocalPath,
    },
    /// The token could not be checked in time; the link may still work.
    Unavailable,
}

impl Outcome {
    /// Reads an outcome; none that leads to another origin.
    #[must_use]
    pub fn read(json: &impl JsonObject) -> Option<Self> {
        let redirect = || json.text("redirect")?.parse().ok();
        Some(match json.text("outcome")?.as_str() {
            "confirmed" => Self::Confirmed {
                redirect: redirect()?,
            },
            "rejected" => Self::Rejected {
                // A server of a later version may know more reasons than this page.
                reason: Rejection::from_name(&json.text("reason")?).unwrap_or(Rejection::Invalid),
                redirect: redirect()?,
            },
            "unavailable" => Self::Unavailable,
            _ => return None,
        })
    }
}

/// Why a confirmation was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// There is no such token.
    Invalid,
    /// The token was good once.
    Expired,
    /// The token has been used.
    Used,
    /// The user did not want it.
    Cancelled,
}

impl Rejection {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Invalid, Self::Expired, Self::Used, Self::Cancelled];

    /// The reason as it stands in tables, payloads and addresses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Expired => "expired",
            Self::Used => "used",
            Self::Cancelled => "cancelled",
        }
    }

    /// Reads a reason.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }
}
