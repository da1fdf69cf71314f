//! Keeping confirmations, sessions and users.
//!
//! A store only keeps: what a confirmation or a session may become is decided by their own
//! transitions. All methods are safe to repeat. Sessions are in the same database as everything
//! else, or kept [`apart`].

pub mod apart;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod decide;
pub mod memory;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod open;
mod ports;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "redis")]
pub mod redis;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "redis"))]
mod row;
#[cfg(feature = "sqlite")]
pub mod sqlite;

pub use ports::{
    ConfirmationStore, Database, LinkDatabase, LinkStore, MailStore, SessionStore, Store, UserStore,
};

use crate::{caps::Capped, clock::Timestamp, user::UserId};
use std::time::Duration;

/// A store could not do its work.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The store cannot be reached or is full or locked: the same call may succeed later. Mostly
    /// nothing was changed, but over a network the answer may have been lost after the change;
    /// every call is safe to repeat.
    #[error("the database cannot be used just now: {0}")]
    Unavailable(String),
    /// A row fits no state. It is left as it is.
    #[error("the row {row} of {table} is corrupt: {what}")]
    Corrupt {
        /// The row's table.
        table: &'static str,
        /// The row's id.
        row: String,
        /// What is wrong with it.
        what: &'static str,
    },
}

/// A confirmation was not begun: nothing was stored.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// A cap was met.
    #[error(transparent)]
    Capped(#[from] Capped),
    /// The store could not do its work.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An error of a driver says what the database says; it never holds a bound value.
#[cfg(any(feature = "sqlite", feature = "postgres"))]
impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// What settling needs in addition to the decision.
#[derive(Clone, Copy, Debug)]
pub struct Settlement {
    /// The present moment.
    pub now: Timestamp,
    /// The id of the user if it turns out to be a new one.
    pub new_user: UserId,
    /// How long a bound session waits for its browser.
    pub bound: Duration,
}
