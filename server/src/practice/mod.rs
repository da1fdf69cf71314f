//! Practice mode: what Vestibule starts on loopback when no validator is configured, so that a
//! newcomer sees all of it, and what tests of other programs control it by.

pub mod control;

mod clock;
mod key;
mod script;
mod validator;

use vestibule::user::PRACTICE_SUBJECT;

pub use clock::PracticeClock;
pub use key::{KeyError, fingerprint, key};
pub use script::ValidatorScript;
pub use validator::PracticeValidator;

/// Who can sign in with a password in practice mode.
#[derive(Clone, Copy, Debug)]
pub struct PracticeUser {
    /// The address.
    pub email: &'static str,
    /// The password, which the login page shows.
    pub password: &'static str,
}

/// The practice user.
pub const USER: PracticeUser = PracticeUser {
    email: PRACTICE_SUBJECT,
    password: "open-sesame-42",
};
