//! Doing many at once: what arrives while a transaction is being made durable goes into the next.
//!
//! A commit waits for the disk, and each statement for the network. Rather than weaken the one,
//! both waits are shared: a batch is one transaction with a few statements, however many jobs it
//! carries, and each job is answered only once all are on the disk.
//!
//! All batches lock in one order, so that two batches, here or on two machines, never wait for each
//! other in a circle: clients, links, confirmations, users, sessions; within each by what they are
//! looked up by. A change of an account locks the session that makes it before its user: nothing
//! else waits for an established session while holding a user.

use super::{
    closed,
    connection::{Failure, lend},
    listen::Notifier,
};
use crate::store::StoreError;
use futures_util::future::BoxFuture;
use sqlx::{Connection as _, PgConnection, PgPool};
use std::{ops::Range, sync::Arc, time::Duration};
use tokio::{
    sync::{Mutex, MutexGuard, mpsc, oneshot},
    time::Instant,
};

/// The most jobs in one transaction.
const BATCH: usize = 256;

/// How many transactions with jobs of one kind may be in flight.
const LANES: usize = 2;

/// How long jobs gather while another transaction is in flight. One large transaction costs less
/// than two small ones; but one that takes longer than this waits for a lock, or a slow disk, and
/// the next one does not wait for it.
const GATHER: Duration = Duration::from_millis(50);

/// For how long the jobs of a batch that failed are tried one by one: each may wait for a lock.
const ALONE_WITHIN: Duration = Duration::from_secs(8);

/// Something to be done together with others of its kind.
pub(super) trait BatchJob: Sized + Send + Sync + 'static {
    /// What it comes to.
    type Done: Send + 'static;

    /// Does all `jobs` within the transaction of `connection`, and tells what each came to, in
    /// their order.
    fn run<'c>(
        connection: &'c mut PgConnection,
        jobs: &'c [&'c Self],
    ) -> BoxFuture<'c, Result<Vec<Self::Done>, Failure>>;
}

/// A job, and the caller that waits for it.
type Waiting<J> = (
    J,
    oneshot::Sender<Result<<J as BatchJob>::Done, StoreError>>,
);

/// Takes jobs of one kind.
#[derive(Debug)]
pub(super) struct Batches<J: BatchJob>(mpsc::Sender<Waiting<J>>);

impl<J: BatchJob> Clone for Batches<J> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<J: BatchJob> Batches<J> {
    /// Starts working off jobs, until every clone is dropped. `notifier` is called when some are
    /// done.
    pub fn start(pool: &PgPool, notifier: Option<&Notifier>) -> Self {
        let (jobs, queue) = mpsc::channel(BATCH * 4);
        let lanes = Arc::new(Lanes {
            queue: Mutex::new(queue),
            in_flight: Mutex::new(()),
        });
        for _ in 0..LANES {
            tokio::spawn(work_off(pool.clone(), lanes.clone(), notifier.cloned()));
        }
        Self(jobs)
    }

    /// Has `job` done. Once it is taken, it is done even if the caller does not wait for it any
    /// more.
    pub async fn add(&self, job: J) -> Result<J::Done, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.0.send((job, reply)).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }
}

/// What the lanes share.
struct Lanes<J: BatchJob> {
    queue: Mutex<mpsc::Receiver<Waiting<J>>>,
    in_flight: Mutex<()>,
}

impl<J: BatchJob> Lanes<J> {
    /// The next jobs to be done together; none once no one can add any more. While its guard is
    /// kept, others gather.
    async fn next(&self) -> (Vec<Waiting<J>>, Option<MutexGuard<'_, ()>>) {
        // One lane waits here, the others for their turn.
        let mut queue = self.queue.lock().await;
        let mut batch = Vec::new();
        queue.recv_many(&mut batch, 1).await;
        let in_flight = tokio::time::timeout(GATHER, self.in_flight.lock()).await;
        while batch.len() < BATCH
            && let Ok(job) = queue.try_recv()
        {
            batch.push(job);
        }
        (batch, in_flight.ok())
    }
}

async fn work_off<J: BatchJob>(pool: PgPool, lanes: Arc<Lanes<J>>, notifier: Option<Notifier>) {
    loop {
        let (batch, _in_flight) = lanes.next().await;
        if batch.is_empty() {
            return;
        }
        let (jobs, replies): (Vec<J>, Vec<_>) = batch.into_iter().unzip();
        let ends = carry_out(&pool, jobs.into()).await;
        if let (Some(notifier), true) = (&notifier, ends.iter().any(Result::is_ok)) {
            notifier.notify();
        }
        for (reply, end) in replies.into_iter().zip(ends) {
            // The caller may have gone; the write stands.
            let _ = reply.send(end);
        }
    }
}

async fn carry_out<J: BatchJob>(pool: &PgPool, jobs: Arc<[J]>) -> Vec<Result<J::Done, StoreError>> {
    match transact(pool, jobs.clone(), 0..jobs.len()).await {
        Ok(done) => done.into_iter().map(Ok).collect(),
        Err(Failure::Refused(_)) if jobs.len() > 1 => each_alone(pool, &jobs).await,
        Err(failure) => failed(failure, jobs.len()).collect(),
    }
}

/// One of them failed and took the others with it: each alone, so that it fails alone.
async fn each_alone<J: BatchJob>(
    pool: &PgPool,
    jobs: &Arc<[J]>,
) -> Vec<Result<J::Done, StoreError>> {
    let give_up = Instant::now() + ALONE_WITHIN;
    let mut ends = Vec::with_capacity(jobs.len());
    for place in 0..jobs.len() {
        match transact(pool, jobs.clone(), place..place + 1).await {
            Ok(done) => ends.extend(done.into_iter().map(Ok)),
            Err(Failure::Refused(error)) if Instant::now() < give_up => ends.push(Err(error)),
            Err(failure) => {
                ends.extend(failed(failure, jobs.len() - place));
                break;
            }
        }
    }
    ends
}

/// The same answer to `count` jobs.
fn failed<D>(failure: Failure, count: usize) -> impl Iterator<Item = Result<D, StoreError>> {
    let error = StoreError::from(failure);
    let what = match &error {
        StoreError::Unavailable(what) => what.clone(),
        corrupt @ StoreError::Corrupt { .. } => corrupt.to_string(),
    };
    let others = std::iter::repeat_with(move || Err(StoreError::Unavailable(what.clone())));
    std::iter::once(Err(error)).chain(others).take(count)
}

/// Does those of `jobs` in `range` in one durable transaction, or none of them.
async fn transact<J: BatchJob>(
    pool: &PgPool,
    jobs: Arc<[J]>,
    range: Range<usize>,
) -> Result<Vec<J::Done>, Failure> {
    within(pool, move |connection| {
        Box::pin(async move {
            let jobs: Vec<&J> = jobs[range].iter().collect();
            J::run(connection, &jobs).await
        })
    })
    .await
}

/// Does `work` in one durable transaction.
async fn within<T, W>(pool: &PgPool, work: W) -> Result<T, Failure>
where
    T: Send + 'static,
    W: for<'c> FnOnce(&'c mut PgConnection) -> BoxFuture<'c, Result<T, Failure>> + Send + 'static,
{
    lend(pool, move |connection| {
        Box::pin(async move {
            // Whatever the server's default is: under a stricter level, two who meet at a row fail
            // instead of waiting.
            let mut transaction = connection
                .begin_with("begin isolation level read committed")
                .await?;
            let done = work(&mut transaction).await?;
            transaction.commit().await?;
            Ok(done)
        })
    })
    .await
}

/// Does `work`, which is done seldom, in a durable transaction of its own; to the end, even if the
/// caller does not wait for it any more.
pub(super) async fn transaction<T, W>(pool: &PgPool, work: W) -> Result<T, StoreError>
where
    T: Send + 'static,
    W: for<'c> FnOnce(&'c mut PgConnection) -> BoxFuture<'c, Result<T, Failure>> + Send + 'static,
{
    let pool = pool.clone();
    let task = tokio::spawn(async move { within(&pool, work).await });
    Ok(task.await.map_err(|_| closed())??)
}
