//! A new key while people are signing in: no user notices.

mod in_flight;
mod rolling;

/// The key of every house.
const OLD: u8 = 7;
const NEW: u8 = 8;
