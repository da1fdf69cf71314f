//! One connection that makes all writes: what arrives while a transaction is being made durable
//! goes into the next.
//!
//! A commit with `synchronous=FULL` waits for the disk. Rather than weaken that, the wait is
//! shared: under load a transaction carries many writes and each of them is answered only once all
//! are on the disk.
//!
//! Begins and decisions come many at once, and those in one transaction share its statements too.

use crate::{
    confirmation::Confirmation,
    store::{
        StoreError,
        begin::{Begin, BeginResult},
        decide::Decide,
    },
};
use futures_util::future::BoxFuture;
use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
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
        tokio::spawn(work_off(connection, options, waiting, waiting_in_front));
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

/// A write that waits for its transaction.
enum QueuedWrite {
    /// A begin, made together with the others in the transaction.
    Begin(Box<QueuedJob<Begin>>),
    /// A decision, likewise.
    Decide(Box<QueuedJob<Decide>>),
    /// Any other write.
    Work(Box<dyn Run>),
}

impl QueuedWrite {
    /// Answers the caller, now that the transaction came to `end`.
    fn answer(self, end: Result<(), StoreError>) {
        match self {
            Self::Begin(begin) => begin.reply.send(end),
            Self::Decide(decision) => decision.reply.send(end),
            Self::Work(work) => work.answer(end),
        }
    }
}

/// What a write came to, and who waits for it.
struct Reply<T> {
    result: Result<T, StoreError>,
    sender: oneshot::Sender<Result<T, StoreError>>,
}

impl<T> Reply<T> {
    fn new() -> (Self, oneshot::Receiver<Result<T, StoreError>>) {
        let (sender, answer) = oneshot::channel();
        let result = Err(StoreError::Unavailable(
            "the write was not carried out".into(),
        ));
        (Self { result, sender }, answer)
    }

    /// Answers, now that the transaction came to `end`.
    fn send(self, end: Result<(), StoreError>) {
        // The caller may have gone; the write stands.
        let _ = self.sender.send(end.and(self.result));
    }
}

struct QueuedJob<J: BatchJob> {
    job: J,
    reply: Reply<J::Done>,
}

impl<J: BatchJob> QueuedJob<J> {
    fn queue(job: J) -> (Box<Self>, oneshot::Receiver<Result<J::Done, StoreError>>) {
        let (reply, answer) = Reply::new();
        (Box::new(Self { job, reply }), answer)
    }

    /// Runs all of them within the transaction of `connection`.
    async fn run_all(
        connection: &mut SqliteConnection,
        queued: Vec<&mut Self>,
    ) -> Result<(), StoreError> {
        if queued.is_empty() {
            return Ok(());
        }
        let jobs: Vec<_> = queued.iter().map(|queued| &queued.job).collect();
        let done = J::run(connection, &jobs).await?;
        for (queued, done) in queued.into_iter().zip(done) {
            queued.reply.result = Ok(done);
        }
        Ok(())
    }
}

struct QueuedWork<A, T> {
    arguments: A,
    work: Work<A, T>,
    reply: Reply<T>,
}

impl<A, T> QueuedWork<A, T>
where
    A: Send + Sync + 'static,
    T: Send + 'static,
{
    fn queue(
        arguments: A,
        work: Work<A, T>,
    ) -> (QueuedWrite, oneshot::Receiver<Result<T, StoreError>>) {
        let (reply, answer) = Reply::new();
        let queued = Self {
            arguments,
            work,
            reply,
        };
        (QueuedWrite::Work(Box::new(queued)), answer)
    }
}

/// [`QueuedWork`] of any type.
trait Run: Send {
    /// Runs it within the transaction of `connection`; once more after a rollback.
    fn run<'c>(
        &'c mut self,
        connection: &'c mut SqliteConnection,
    ) -> BoxFuture<'c, Result<(), StoreError>>;

    /// Answers the caller, now that the transaction came to `end`.
    fn answer(self: Box<Self>, end: Result<(), StoreError>);
}

impl<A, T> Run for QueuedWork<A, T>
where
    A: Send + Sync,
    T: Send,
{
    fn run<'c>(
        &'c mut self,
        connection: &'c mut SqliteConnection,
    ) -> BoxFuture<'c, Result<(), StoreError>> {
        Box::pin(async move {
            self.reply.result = Ok((self.work)(connection, &self.arguments).await?);
            Ok(())
        })
    }

    fn answer(self: Box<Self>, end: Result<(), StoreError>) {
        self.reply.send(end);
    }
}

async fn work_off(
    mut connection: SqliteConnection,
    options: SqliteConnectOptions,
    mut queue: mpsc::Receiver<QueuedWrite>,
    mut front: mpsc::Receiver<QueuedWrite>,
) {
    let mut batch = Vec::with_capacity(BATCH);
    let mut suspect = false;
    while next(&mut queue, &mut front, &mut batch).await > 0 {
        if suspect {
            suspect = !renew(&mut connection, &options).await;
        }
        match transact(&mut connection, &mut batch).await {
            Ok(()) => batch.drain(..).for_each(|write| write.answer(Ok(()))),
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
