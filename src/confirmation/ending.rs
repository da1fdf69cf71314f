//! What a confirmation comes to.

use crate::{
    path::LocalPath,
    user::{Identity, UserId},
};

pub use vestibule_protocol::Rejection;

/// What is decided about a confirmation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The token is good and this identity's; the sign-in leads to this page, if there is one.
    Valid(Identity, Option<LocalPath>),
    /// The same, and this user's, who is not made one by it: if they have gone, it has expired.
    Known(UserId, Option<LocalPath>),
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

impl Decision {
    /// Where the sign-in leads, if the decision says so.
    #[must_use]
    pub const fn next(&self) -> Option<&LocalPath> {
        match self {
            Self::Valid(_, next) | Self::Known(_, next) => next.as_ref(),
            Self::Rejected(_) | Self::Unavailable => None,
        }
    }
}
