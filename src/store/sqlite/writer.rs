//! One connection that makes all writes: what arrives while a transaction is being made durable
//! goes into the next.
//!
//! A commit with `synchronous=FULL` waits for the disk. Rather than weaken that, the wait is
//! shared: under load a transaction carries many writes and each of them is answered only once all
//! are on the disk.
//!
//! Decisions come many at once, and those in one transaction share its statements too.

use super::decide;
use crate::{
    confirmation::Confirmation,
    store::{StoreError, decide::Decide},
};
use futures_util::future::BoxFuture;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::sync::{mpsc, oneshot};

/// The most writes in one transaction.
const BATCH: usize = 256;

/// Hands writes to the connection.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    queue: mpsc::Sender<Box<dyn Job>>,
    /// Those that wait only for the current transaction.
    front: mpsc::Sender<Box<dyn Job>>,
}

impl Writer {
    /// Starts writing through `connection`, opened with `options`, until every clone is dropped.
    pub(super) fn start(connection: SqliteConnection, options: SqliteConnectOptions) -> Self {
        let (queue, waiting) = mpsc::channel(BATCH * 4);
        let (front, waiting_in_front) = mpsc::channel(BATCH);
        tokio::spawn(work_off(connection, options, waiting, waiting_in_front));
        Self { queue, front }
    }

    pub(super) async fn write<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: for<'c> Fn(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>>
            + Send
            + Sync
            + 'static,
    {
        let (reply, answer) = oneshot::channel();
        add(
            &self.queue,
            Box::new(Pending {
                work,
                result: Err(not_run()),
                reply,
            }),
            answer,
        )
        .await
    }

    /// The same in the very next transaction, and without those in the queue.
    pub(super) async fn write_next<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: for<'c> Fn(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>>
            + Send
            + Sync
            + 'static,
    {
        let (reply, answer) = oneshot::channel();
        add(
            &self.front,
            Box::new(Pending {
                work,
                result: Err(not_run()),
                reply,
            }),
            answer,
        )
        .await
    }

    /// Decides a confirmation, together with the others that are decided in the same transaction.
    pub(super) async fn decide(&self, what: Decide) -> Result<Option<Confirmation>, StoreError> {
        let (reply, answer) = oneshot::channel();
        add(
            &self.queue,
            Box::new(Deciding {
                what,
                result: Err(not_run()),
                reply,
            }),
            answer,
        )
        .await
    }
}

async fn add<T>(
    queue: &mpsc::Sender<Box<dyn Job>>,
    job: Box<dyn Job>,
    answer: oneshot::Receiver<Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let stopped = || StoreError::Unavailable("the store has been closed".into());
    queue.send(job).await.map_err(|_| stopped())?;
    answer.await.map_err(|_| stopped())?
}

fn not_run() -> StoreError {
    StoreError::Unavailable("the write was not carried out".into())
}

/// A write that waits for its transaction.
trait Job: Send {
    /// What it adds to a transaction; once more after a rollback.
    fn part(&mut self) -> Part<'_>;
    /// Answers who asked, now that the transaction came to `end`.
    fn answer(self: Box<Self>, end: Result<(), StoreError>);
}

/// What a job adds to a transaction.
enum Part<'j> {
    /// Something to be decided together with others.
    Decision(&'j mut Deciding),
    /// Work of its own.
    Work(&'j mut dyn Work),
}

trait Work: Send {
    fn run<'c>(
        &'c mut self,
        connection: &'c mut SqliteConnection,
    ) -> BoxFuture<'c, Result<(), StoreError>>;
}

struct Pending<T, W> {
    work: W,
    result: Result<T, StoreError>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, W> Work for Pending<T, W>
where
    T: Send + 'static,
    W: for<'c> Fn(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>> + Send + Sync,
{
    fn run<'c>(
        &'c mut self,
        connection: &'c mut SqliteConnection,
    ) -> BoxFuture<'c, Result<(), StoreError>> {
        Box::pin(async move {
            self.result = Ok((self.work)(connection).await?);
            Ok(())
        })
    }
}

impl<T, W> Job for Pending<T, W>
where
    T: Send + 'static,
    W: for<'c> Fn(&'c mut SqliteConnection) -> BoxFuture<'c, Result<T, StoreError>> + Send + Sync,
{
    fn part(&mut self) -> Part<'_> {
        Part::Work(self)
    }

    fn answer(self: Box<Self>, end: Result<(), StoreError>) {
        let Self { result, reply, .. } = *self;
        // The caller may have gone; the write stands.
        let _ = reply.send(end.and(result));
    }
}

struct Deciding {
    what: Decide,
    result: Result<Option<Confirmation>, StoreError>,
    reply: oneshot::Sender<Result<Option<Confirmation>, StoreError>>,
}

impl Job for Deciding {
    fn part(&mut self) -> Part<'_> {
        Part::Decision(self)
    }

    fn answer(self: Box<Self>, end: Result<(), StoreError>) {
        let _ = self.reply.send(end.and(self.result));
    }
}

async fn decide_all(
    connection: &mut SqliteConnection,
    jobs: Vec<&mut Deciding>,
) -> Result<(), StoreError> {
    let decisions: Vec<_> = jobs.iter().map(|job| &job.what).collect();
    let decided = decide::decide(connection, &decisions).await?;
    for (job, confirmation) in jobs.into_iter().zip(decided) {
        job.result = Ok(confirmation);
    }
    Ok(())
}

async fn work_off(
    mut connection: SqliteConnection,
    options: SqliteConnectOptions,
    mut queue: mpsc::Receiver<Box<dyn Job>>,
    mut front: mpsc::Receiver<Box<dyn Job>>,
) {
    let mut batch = Vec::with_capacity(BATCH);
    let mut suspect = false;
    while next(&mut queue, &mut front, &mut batch).await > 0 {
        if suspect {
            suspect = !renew(&mut connection, &options).await;
        }
        match transact(&mut connection, &mut batch).await {
            Ok(()) => batch.drain(..).for_each(|job| job.answer(Ok(()))),
            // The database is locked: trying each job alone would only wait for the lock again.
            Err(Failure::Locked(error)) => {
                suspect = true;
                let what = error.to_string();
                batch
                    .drain(..)
                    .for_each(|job| job.answer(Err(StoreError::Unavailable(what.clone()))));
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

/// Takes what goes into the next transaction. Both queues end together.
async fn next(
    queue: &mut mpsc::Receiver<Box<dyn Job>>,
    front: &mut mpsc::Receiver<Box<dyn Job>>,
    batch: &mut Vec<Box<dyn Job>>,
) -> usize {
    tokio::select! {
        biased;
        Some(job) = front.recv() => {
            batch.push(job);
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

async fn transact(
    connection: &mut SqliteConnection,
    jobs: &mut [Box<dyn Job>],
) -> Result<(), Failure> {
    // IMMEDIATE takes the write lock at once: a transaction that began by reading could not get it
    // later.
    let mut transaction = connection
        .begin_with("begin immediate")
        .await
        .map_err(Failure::Locked)?;
    let mut decisions = Vec::new();
    for job in jobs {
        match job.part() {
            Part::Decision(decision) => decisions.push(decision),
            Part::Work(work) => work.run(&mut transaction).await.map_err(Failure::Undone)?,
        }
    }
    decide_all(&mut transaction, decisions)
        .await
        .map_err(Failure::Undone)?;
    transaction
        .commit()
        .await
        .map_err(|error| Failure::Undone(error.into()))
}
