//! The transactions: what waits goes into the next one, and what fails alone fails no other.

use super::{
    BATCH,
    checkpoint::Checkpoints,
    queued::{QueuedJob, QueuedWrite},
};
use crate::store::StoreError;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::sync::mpsc;

/// Makes one transaction after another, until both queues end.
pub(super) async fn work_off(
    mut connection: SqliteConnection,
    options: SqliteConnectOptions,
    mut queue: mpsc::Receiver<QueuedWrite>,
    mut front: mpsc::Receiver<QueuedWrite>,
) {
    let mut batch = Vec::with_capacity(BATCH);
    let mut checkpoints = Checkpoints::start(options.clone());
    let mut suspect = false;
    while next(&mut queue, &mut front, &mut batch).await > 0 {
        if suspect {
            suspect = !renew(&mut connection, &options).await;
        }
        match transact(&mut connection, &mut batch).await {
            Ok(()) => {
                checkpoints.count(batch.len());
                batch.drain(..).for_each(|write| write.answer(Ok(())));
            }
            // The database is locked: trying each write alone would only wait for the lock again.
            Err(TransactionError::Locked(error)) => {
                suspect = true;
                let what = error.to_string();
                batch
                    .drain(..)
                    .for_each(|write| write.answer(Err(StoreError::Unavailable(what.clone()))));
            }
            // One of them failed and took the others with it: each alone, so that it fails alone.
            Err(TransactionError::RolledBack(_)) => {
                for mut write in batch.drain(..) {
                    suspect = !renew(&mut connection, &options).await;
                    let end = transact(&mut connection, std::slice::from_mut(&mut write)).await;
                    suspect |= end.is_err();
                    write.answer(end.map_err(TransactionError::into_error));
                }
            }
        }
    }
}

/// Takes what goes into the next transaction. Both queues end together.
async fn next(
    queue: &mut mpsc::Receiver<QueuedWrite>,
    front: &mut mpsc::Receiver<QueuedWrite>,
    batch: &mut Vec<QueuedWrite>,
) -> usize {
    tokio::select! {
        biased;
        Some(write) = front.recv() => {
            batch.push(write);
            1
        }
        count = queue.recv_many(batch, BATCH) => count,
    }
}

/// After a failure, a connection of its own making: a full disk makes `SQLite` roll back by itself,
/// and the driver then believes for ever that it is inside a transaction.
async fn renew(connection: &mut SqliteConnection, options: &SqliteConnectOptions) -> bool {
    match options.connect().await {
        Ok(fresh) => {
            *connection = fresh;
            true
        }
        Err(_) => false,
    }
}

/// Why a transaction was not made.
enum TransactionError {
    /// It could not begin.
    Locked(sqlx::Error),
    /// It was rolled back.
    RolledBack(StoreError),
}

impl TransactionError {
    fn into_error(self) -> StoreError {
        match self {
            Self::Locked(error) => error.into(),
            Self::RolledBack(error) => error,
        }
    }
}

async fn transact(
    connection: &mut SqliteConnection,
    writes: &mut [QueuedWrite],
) -> Result<(), TransactionError> {
    // IMMEDIATE takes the write lock at once: a transaction that began by reading could not get it
    // later.
    let mut transaction = connection
        .begin_with("begin immediate")
        .await
        .map_err(TransactionError::Locked)?;
    run_all(&mut transaction, writes)
        .await
        .map_err(TransactionError::RolledBack)?;
    transaction
        .commit()
        .await
        .map_err(|error| TransactionError::RolledBack(error.into()))
}

async fn run_all(
    connection: &mut SqliteConnection,
    writes: &mut [QueuedWrite],
) -> Result<(), StoreError> {
    let mut begins = Vec::new();
    let mut decisions = Vec::new();
    for write in writes {
        match write {
            QueuedWrite::Begin(begin) => begins.push(begin.as_mut()),
            QueuedWrite::Decide(decision) => decisions.push(decision.as_mut()),
            QueuedWrite::Work(work) => work.run(connection).await?,
        }
    }
    QueuedJob::run_all(connection, begins).await?;
    QueuedJob::run_all(connection, decisions).await
}
