//! One connection that makes all writes: what arrives while a transaction is being made durable
//! goes into the next.
//!
//! A commit with `synchronous=FULL` waits for the disk. Rather than weaken that, the wait is
//! shared: under load a transaction carries many writes and each of them is answered only once all
//! are on the disk.
//!
//! Begins and decisions come many at once, and those in one transaction share its statements too.

mod checkpoint;
mod queued;
mod transactions;

use crate::{
    confirmation::Confirmation,
    store::{
        StoreError,
        begin::{Begin, BeginResult},
        decide::Decide,
    },
};
use futures_util::future::BoxFuture;
use queued::{QueuedJob, QueuedWork, QueuedWrite};
use sqlx::{SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::sync::{mpsc, oneshot};

/// The most writes in one transaction.
const BATCH: usize = 256;

/// What to do in a transaction with the arguments that it is called with. It may be called again,
/// after a rollback.
pub(super) type Work<A, T> =
    for<'c> fn(&'c mut SqliteConnection, &'c A) -> BoxFuture<'c, Result<T, StoreError>>;

/// A write that is made together with others of its kind.
pub(super) trait BatchJob: Sized + Send + Sync + 'static {
    /// What it comes to.
    type Done: Send + 'static;

    /// Does all `jobs` within the transaction of `connection`, and tells what each came to, in
    /// their order. It may be called again, after a rollback.
    fn run<'c>(
        connection: &'c mut SqliteConnection,
        jobs: &'c [&'c Self],
    ) -> BoxFuture<'c, Result<Vec<Self::Done>, StoreError>>;
}

/// Hands writes to the connection.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    queue: mpsc::Sender<QueuedWrite>,
    /// Those that wait only for the current transaction.
    front: mpsc::Sender<QueuedWrite>,
}

impl Writer {
    /// Starts writing through `connection`, opened with `options`, until every clone is dropped.
    pub(super) fn start(connection: SqliteConnection, options: SqliteConnectOptions) -> Self {
        let (queue, waiting) = mpsc::channel(BATCH * 4);
        let (front, waiting_in_front) = mpsc::channel(BATCH);
        tokio::spawn(transactions::work_off(
            connection,
            options,
            waiting,
            waiting_in_front,
        ));
        Self { queue, front }
    }

    pub(super) async fn write<A, T>(&self, arguments: A, work: Work<A, T>) -> Result<T, StoreError>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        let (write, answer) = QueuedWork::queue(arguments, work);
        add(&self.queue, write, answer).await
    }

    /// The same in the very next transaction, and without those in the queue.
    pub(super) async fn write_next<A, T>(
        &self,
        arguments: A,
        work: Work<A, T>,
    ) -> Result<T, StoreError>
    where
        A: Send + Sync + 'static,
        T: Send + 'static,
    {
        let (write, answer) = QueuedWork::queue(arguments, work);
        add(&self.front, write, answer).await
    }

    /// Begins a confirmation, together with the others that begin in the same transaction.
    pub(super) async fn begin(&self, begin: Begin) -> Result<BeginResult, StoreError> {
        let (job, answer) = QueuedJob::queue(begin);
        add(&self.queue, QueuedWrite::Begin(job), answer).await
    }

    /// Decides a confirmation, together with the others that are decided in the same transaction.
    pub(super) async fn decide(&self, decide: Decide) -> Result<Option<Confirmation>, StoreError> {
        let (job, answer) = QueuedJob::queue(decide);
        add(&self.queue, QueuedWrite::Decide(job), answer).await
    }
}

async fn add<T>(
    queue: &mpsc::Sender<QueuedWrite>,
    write: QueuedWrite,
    answer: oneshot::Receiver<Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let stopped = || StoreError::Unavailable("the store has been closed".into());
    queue.send(write).await.map_err(|_| stopped())?;
    answer.await.map_err(|_| stopped())?
}
