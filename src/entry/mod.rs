//! Who a browser is signed in as, the exchange, and signing out.
//!
//! Asking who is signed in ([`SignIns::who`]) never exchanges anything. Entering
//! ([`SignIns::enter`]) is for a page that needs a user, on a real navigation: it may swap a
//! `Bound` session's pending secret for a session secret that only the response carries.
//!
//! [`SignIns::who`]: crate::sign_ins::SignIns::who
//! [`SignIns::enter`]: crate::sign_ins::SignIns::enter

mod authority;
mod cap;
mod enter;
mod establish;
mod exchange;
mod sessions;
mod sign_out;
mod signed_in;
mod who;

pub use enter::{Entry, SignIn};
pub use sessions::{InvalidHandle, OwnSession, PendingState, SessionHandle};
pub use signed_in::{Method, SignedIn};

use crate::{
    device::Device,
    pending::TokenTag,
    secret::{PendingSecret, SessionSecret},
};

/// What a request has shown.
#[derive(Clone, Debug, Default)]
pub struct PresentedSecrets {
    /// The session cookie's.
    pub session: Option<SessionSecret>,
    /// The pending cookies', under their tokens' tags.
    pub pending: Vec<(TokenTag, PendingSecret)>,
    /// What its browser calls itself.
    pub device: Option<Device>,
}
