//! How many wrong codes may be typed for an address, whichever links they are for.
//!
//! Each link takes few guesses, but an attacker may ask for one link after another. So wrong codes
//! are counted for the address as well, in a row, for days. Six digits suffice then: 10 guesses in
//! 7 days hit one of a million codes once in 1,900 years on average, which is a chance of 0.05 % in
//! a year; NIST SP 800-63B (section 3.2.2) allows 100 in a row.

use crate::{clock::Timestamp, email_address::Address};
use std::time::Duration;

/// How many wrong codes in a row may be typed for an address. After that its mails have links
/// alone.
pub const WRONG_CODES: u32 = 10;
/// How long they count after the last one, and so how long an address has no codes.
pub const CODES_OFF: Duration = Duration::from_hours(7 * 24);

/// What wrong codes are counted by. Browsers that have signed in to the address before have a count
/// of their own, so that strangers cannot turn off their codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tries {
    /// The address.
    pub address: Address,
    /// Whether the browser has signed in to it before.
    pub known: bool,
}

/// A wrong code that counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongCode {
    /// For which address it was typed.
    pub address: Address,
    /// What the address's owner should know of it.
    pub alarm: Option<Alarm>,
}

/// What an owner should know of wrong codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alarm {
    /// A link was revoked, because its code was guessed wrong too often.
    Revoked,
    /// There are no more codes for the address, for [`CODES_OFF`].
    Off,
}

/// Since when wrong codes count.
pub(crate) fn since(now: Timestamp) -> Timestamp {
    now - CODES_OFF
}
