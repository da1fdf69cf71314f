//! The embedded store: one SQLite file with everything.
//!
//! Reads use a pool of their own (a write-ahead log lets them go on while something is written).
//! All writes go through one `writer` that puts many into one durable transaction.

mod confirmations;
mod decide;
mod links;
mod open;
mod sessions;
mod users;
mod writer;

pub use super::open::{Mode, OpenError};

use super::StoreError;
use crate::clock::Timestamp;
use futures_util::future::BoxFuture;
use sqlx::{SqliteConnection, SqlitePool};
use writer::Writer;

/// The most rows that one statement deletes: who writes meanwhile waits for it.
const SWEEP: u32 = 10_000;

/// The embedded store. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    readers: SqlitePool,
    writer: Writer,
    sessions_apart: bool,
}

impl SqliteStore {
    /// The same, for sessions that are [stored elsewhere](super::Stores::with_external_sessions):
    /// a decision leaves them alone.
    #[must_use]
    pub fn without_sessions(self) -> Self {
        Self {
            sessions_apart: true,
            ..self
        }
    }

    /// Repeats `sweep`, which deletes rows older than its first parameter up to as many as its
    /// second, until nothing is left for it. Others write in between.
    async fn sweep(&self, sweep: &'static str, before: Timestamp) -> Result<u64, StoreError> {
        let mut swept = 0;
        loop {
            let count = self.write(move |connection| {
                Box::pin(async move {
                    let delete = sqlx::query(sweep).bind(before.as_millis()).bind(SWEEP);
                    Ok(delete.execute(connection).await?.rows_affected())
                })
            });
            let count = count.await?;
            swept += count;
            if count < u64::from(SWEEP) {
                return Ok(swept);
            }
        }
    }

    /// Runs `work` in a durable transaction, perhaps together with the work of others; all of it or
    /// nothing.
    async fn write<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: for<'c> Fn(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>>
            + Send
            + Sync
            + 'static,
    {
        self.writer.write(work).await
    }

    /// The same, before those that wait for their turn.
    async fn write_next<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: for<'c> Fn(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>>
            + Send
            + Sync
            + 'static,
    {
        self.writer.write_next(work).await
    }
}
