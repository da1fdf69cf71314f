//! The store for any number of servers and workers: one PostgreSQL database with everything.
//!
//! What is written often, to begin and to decide, goes in batches: many in one durable transaction.
//! Every other write is a statement of its own that names what it expects to find. No statement
//! runs in a caller's future: a caller that is dropped, as when its browser has gone, would leave
//! the connection half-way through an answer.

mod batch;
mod begin;
mod clock;
mod confirmations;
mod connection;
mod decide;
mod links;
mod listen;
mod mails;
mod notices;
mod open;
mod sessions;
mod signing_keys;
mod users;

pub use super::open::{Mode, OpenError};
pub use clock::DatabaseClock;

use crate::store::{StoreError, begin::Begin, decide::Decide};
use batch::Batches;
use connection::{Failure, lend};
use futures_util::future::BoxFuture;
use sqlx::{PgConnection, PgPool};

/// The most rows that one statement deletes: no sweep runs into the limit of a statement, however
/// much there is.
const SWEEP: i64 = 10_000;

/// The store in PostgreSQL. Cheap to clone.
#[derive(Clone, Debug)]
pub struct PostgresStore {
    pool: PgPool,
    begins: Batches<Begin>,
    decisions: Batches<Decide>,
    clock: DatabaseClock,
    sessions_apart: bool,
}

impl PostgresStore {
    /// The same, for sessions that are [stored elsewhere](super::Stores::with_external_sessions):
    /// a decision leaves them alone.
    #[must_use]
    pub fn without_sessions(self) -> Self {
        Self {
            sessions_apart: true,
            ..self
        }
    }

    /// Runs `work` on a connection and a task of its own, to its end.
    async fn run<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: for<'c> FnOnce(&'c mut PgConnection) -> BoxFuture<'c, Result<T, Failure>>
            + Send
            + 'static,
    {
        let pool = self.pool.clone();
        let task = tokio::spawn(async move { lend(&pool, work).await });
        Ok(task.await.map_err(|_| closed())??)
    }
}

/// The runtime that the store was opened on is shutting down.
fn closed() -> StoreError {
    StoreError::Unavailable("the store has been closed".into())
}
