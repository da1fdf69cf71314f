//! What a confirmation comes to.

use crate::user::{Identity, UserId};

pub use vestibule_protocol::Rejection;

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
