//! Where confirmations, sessions, users, links and mails are stored.
//!
//! A store only stores: what a confirmation or a session may become is decided by their own
//! transitions. All methods are safe to repeat. There is a trait for each kind of thing; [`Stores`]
//! holds one store of each. Usually one database holds all of them. Sessions may also be
//! stored elsewhere: in [`redis`] or in [`memory`].

#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod application;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod begin;
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
mod split;
#[cfg(feature = "sqlite")]
pub mod sqlite;
#[cfg(any(feature = "sqlite", feature = "postgres"))]
mod statements;

#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub use application::ApplicationDatabase;
pub use ports::{
    ConfirmationQueue, ConfirmationStore, LinkStore, MailStore, NoticeStore, SessionStore,
    SessionUserStore, SessionWithUser, SigningKeyStore, StoredSigningKeys, UserStore,
};

use crate::{caps::Capped, clock::Timestamp, user::UserId};
use split::{SplitConfirmations, SplitSessions};
use std::{sync::Arc, time::Duration};

/// A store of each kind. Cheap to clone.
///
/// To change how one kind is stored, replace its field by a store around it.
#[derive(Clone)]
pub struct Stores {
    /// Confirmations, with the sessions that follow them.
    pub confirmations: Arc<dyn ConfirmationStore>,
    /// The confirmations that wait for a worker.
    pub queue: Arc<dyn ConfirmationQueue>,
    /// Sessions.
    pub sessions: Arc<dyn SessionStore>,
    /// Sessions with their users.
    pub session_users: Arc<dyn SessionUserStore>,
    /// Users.
    pub users: Arc<dyn UserStore>,
    /// Our own links.
    pub links: Arc<dyn LinkStore>,
    /// Mails that wait to be sent.
    pub mails: Arc<dyn MailStore>,
    /// What the application is still to be told.
    pub notices: Arc<dyn NoticeStore>,
    /// The keys that sign assertions.
    pub signing_keys: Arc<dyn SigningKeyStore>,
}

impl Stores {
    /// Everything in one database.
    #[must_use]
    pub fn in_one<D>(database: D) -> Self
    where
        D: ConfirmationStore
            + ConfirmationQueue
            + SessionStore
            + SessionUserStore
            + UserStore
            + LinkStore
            + MailStore
            + NoticeStore
            + SigningKeyStore,
    {
        let database = Arc::new(database);
        Self {
            confirmations: database.clone(),
            queue: database.clone(),
            sessions: database.clone(),
            session_users: database.clone(),
            users: database.clone(),
            links: database.clone(),
            mails: database.clone(),
            notices: database.clone(),
            signing_keys: database,
        }
    }

    /// The same, but with `sessions` in a store of their own; the database must leave them alone. A
    /// bound session waits for its browser for `bound`.
    #[must_use]
    pub fn with_external_sessions(self, sessions: Arc<dyn SessionStore>, bound: Duration) -> Self {
        let split = Arc::new(SplitSessions {
            sessions: sessions.clone(),
            users: self.users.clone(),
        });
        Self {
            confirmations: Arc::new(SplitConfirmations {
                database: self.confirmations,
                sessions,
                bound,
            }),
            session_users: split.clone(),
            sessions: split,
            ..self
        }
    }

    /// Reads `sessions`, and then their `users`.
    #[cfg(feature = "testing")]
    pub(crate) fn session_users_of(
        sessions: Arc<dyn SessionStore>,
        users: Arc<dyn UserStore>,
    ) -> Arc<dyn SessionUserStore> {
        Arc::new(SplitSessions { sessions, users })
    }

    /// Removes the user with all their sessions, and revokes their open links. `false`: there is
    /// none.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be stored; it is safe to repeat.
    pub async fn remove_user(&self, id: UserId) -> Result<bool, StoreError> {
        // The sessions first, so that a repeat after a failure still finds the user. A session made
        // in between signs no one in once the user has gone.
        self.sessions.delete_sessions_of(id, None).await?;
        self.users.remove_user(id).await
    }
}

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
    /// Whether the application is told of it if it is confirmed.
    pub tells: bool,
}
