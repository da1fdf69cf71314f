//! What a confirmation comes to.

use crate::user::{Identity, UserId};

/// What is decided about a confirmation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The token is good and this identity's.
    Valid(Identity),
    /// The token is good and this user's, who is not made one by it: if they have gone, it has
    /// expired.
    Known(UserId),
    /// It is not, or the user has cancelled.
    Rejected(Rejection),
    /// It could not be checked in time.
    Unavailable,
}

/// What a confirmation came to. The session follows from it alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The session is this user's.
    Confirmed(UserId),
    /// The session is gone.
    Rejected(Rejection),
    /// The session is gone; the token may still be good.
    Unavailable,
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
