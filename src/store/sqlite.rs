//! The embedded store: one SQLite file with everything.
//!
//! Reads use a pool of their own (a write-ahead log lets them go on while something is written). All writes go through
//! one `writer` that puts many into one durable transaction.

mod confirmations;
mod open;
mod sessions;
mod users;
mod writer;

pub use super::open::OpenError;

use super::StoreError;
use futures_util::future::BoxFuture;
use sqlx::{SqliteConnection, SqlitePool};
use writer::Writer;

/// The embedded store. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    readers: SqlitePool,
    writer: Writer,
    sessions_apart: bool,
}

impl SqliteStore {
    /// The same, for sessions that are kept [`Apart`](super::apart::Apart): a decision leaves them alone.
    #[must_use]
    pub fn without_sessions(self) -> Self {
        Self { sessions_apart: true, ..self }
    }

    /// Runs `work` in a durable transaction, perhaps together with the work of others; all of it or nothing.
    async fn write<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: for<'c> Fn(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>> + Send + Sync + 'static,
    {
        self.writer.write(work).await
    }
}
