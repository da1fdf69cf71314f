//! One connection that writes, for everybody: what arrives while a transaction is being made durable goes into the next.
//!
//! A commit with `synchronous=FULL` waits for the disk. Rather than weaken that, the wait is shared: under load a
//! transaction carries many writes and each of them is answered only once all are on the disk.

use crate::store::StoreError;
use futures_util::future::BoxFuture;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::sync::{mpsc, oneshot};

/// The most writes in one transaction.
const BATCH: usize = 256;

/// Hands writes to the connection.
#[derive(Clone, Debug)]
pub(super) struct Writer(mpsc::Sender<Box<dyn Job>>);

impl Writer {
    /// Starts writing through `connection`, opened with `options`, until every clone is dropped.
    pub(super) fn start(connection: SqliteConnection, options: SqliteConnectOptions) -> Self {
        let (jobs, queue) = mpsc::channel(BATCH * 4);
        tokio::spawn(work_off(connection, options, queue));
        Self(jobs)
    }

    pub(super) async fn write<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: for<'c> Fn(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>> + Send + Sync + 'static,
    {
        let stopped = || StoreError::Unavailable("the store has been closed".into());
        let (reply, answer) = oneshot::channel();
        self.0.send(Box::new(Pending { work, result: None, reply })).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}

/// A write that waits for its transaction.
trait Job: Send {
    /// Does the work. May be repeated after a rollback.
    fn run<'c>(&'c mut self, connection: &'c mut SqliteConnection) -> BoxFuture<'c, Result<(), StoreError>>;
    /// Answers who asked, now that the transaction came to `end`.
    fn answer(self: Box<Self>, end: Result<(), StoreError>);
}

struct Pending<T, W> {
    work: W,
    result: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, W> Job for Pending<T, W>
where
    T: Send + 'static,
    W: for<'c> Fn(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>> + Send + Sync,
{
    fn run<'c>(&'c mut self, connection: &'c mut SqliteConnection) -> BoxFuture<'c, Result<(), StoreError>> {
        Box::pin(async move {
            self.result = Some((self.work)(connection).await?);
            Ok(())
        })
    }

    fn answer(self: Box<Self>, end: Result<(), StoreError>) {
        let never_ran = || StoreError::Unavailable("the write was not carried out".into());
        let Self { result, reply, .. } = *self;
        // Whoever asked may have gone; the write stands.
        let _ = reply.send(end.and_then(|()| result.ok_or_else(never_ran)));
    }
}

async fn work_off(
    mut connection: SqliteConnection,
    options: SqliteConnectOptions,
    mut queue: mpsc::Receiver<Box<dyn Job>>,
) {
    let mut batch = Vec::with_capacity(BATCH);
    let mut suspect = false;
    while queue.recv_many(&mut batch, BATCH).await > 0 {
        if suspect {
            suspect = !renew(&mut connection, &options).await;
        }
        match transact(&mut connection, &mut batch).await {
            Ok(()) => batch.drain(..).for_each(|job| job.answer(Ok(()))),
            // Nobody can write now: to try each alone would only wait for the lock again, each in turn.
            Err(Failure::Locked(error)) => {
                suspect = true;
                let what = error.to_string();
                batch.drain(..).for_each(|job| job.answer(Err(StoreError::Unavailable(what.clone()))));
            }
            // One of them failed and took the others with it: each alone, so that it fails alone.
            Err(Failure::Undone(_)) => {
                for mut job in batch.drain(..) {
                    suspect = !renew(&mut connection, &options).await;
                    let end = transact(&mut connection, std::slice::from_mut(&mut job)).await;
                    suspect |= end.is_err();
                    job.answer(end.map_err(Failure::into_error));
                }
            }
        }
    }
}

/// After a failure, a connection of its own making: a full disk makes `SQLite` roll back by itself, and the driver then
/// believes for ever that it is inside a transaction.
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
enum Failure {
    /// It could not begin.
    Locked(sqlx::Error),
    /// It was rolled back.
    Undone(StoreError),
}

impl Failure {
    fn into_error(self) -> StoreError {
        match self {
            Self::Locked(error) => error.into(),
            Self::Undone(error) => error,
        }
    }
}

async fn transact(connection: &mut SqliteConnection, jobs: &mut [Box<dyn Job>]) -> Result<(), Failure> {
    // IMMEDIATE takes the write lock at once: a transaction that began by reading could not get it later.
    let mut transaction = connection.begin_with("begin immediate").await.map_err(Failure::Locked)?;
    for job in jobs {
        job.run(&mut transaction).await.map_err(Failure::Undone)?;
    }
    transaction.commit().await.map_err(|error| Failure::Undone(error.into()))
}
