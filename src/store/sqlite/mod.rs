//! The embedded store: one SQLite file with everything.
//!
//! Reads use a pool of their own (a write-ahead log lets them go on while something is written).
//! All writes go through one `writer` that puts many into one durable transaction.

mod begin;
mod confirmations;
mod decide;
mod json;
mod links;
mod mails;
mod notices;
mod open;
mod session_users;
mod sessions;
mod signing_keys;
mod users;
mod writer;

pub use super::open::{Mode, OpenError};

use super::StoreError;
use crate::clock::Timestamp;
use session_users::SessionUserReader;
use sqlx::SqlitePool;
use writer::{Work, Writer};

/// The most rows that one statement deletes: who writes meanwhile waits for it.
const SWEEP: u32 = 10_000;

/// The embedded store. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SqliteStore {
    readers: SqlitePool,
    session_users: SessionUserReader,
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
            let count = self.write((sweep, before), |connection, &(sweep, before)| {
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

    /// Runs `work` with its `arguments` in a durable transaction, perhaps together with the work of
    /// others; all of it or nothing. It is run again if other work in the same transaction has
    /// failed.
    async fn write<A, T>(&self, arguments: A, work: Work<A, T>) -> Result<T, StoreError>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        self.writer.write(arguments, work).await
    }

    /// The same, before those that wait for their turn.
    async fn write_next<A, T>(&self, arguments: A, work: Work<A, T>) -> Result<T, StoreError>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        self.writer.write_next(arguments, work).await
    }
}
