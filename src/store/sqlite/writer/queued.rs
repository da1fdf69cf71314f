//! Writes that wait for their transaction, and who waits for them.

use super::{BatchJob, Work};
use crate::store::{StoreError, begin::Begin, decide::Decide};
use futures_util::future::BoxFuture;
use sqlx::SqliteConnection;
use tokio::sync::oneshot;

/// A write that waits for its transaction.
pub(super) enum QueuedWrite {
    /// A begin, made together with the others in the transaction.
    Begin(Box<QueuedJob<Begin>>),
    /// A decision, likewise.
    Decide(Box<QueuedJob<Decide>>),
    /// Any other write.
    Work(Box<dyn Run>),
}

impl QueuedWrite {
    /// Answers the caller, now that the transaction came to `end`.
    pub fn answer(self, end: Result<(), StoreError>) {
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

pub(super) struct QueuedJob<J: BatchJob> {
    job: J,
    reply: Reply<J::Done>,
}

impl<J: BatchJob> QueuedJob<J> {
    pub fn queue(job: J) -> (Box<Self>, oneshot::Receiver<Result<J::Done, StoreError>>) {
        let (reply, answer) = Reply::new();
        (Box::new(Self { job, reply }), answer)
    }

    /// Runs all of them within the transaction of `connection`.
    pub async fn run_all(
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

pub(super) struct QueuedWork<A, T> {
    arguments: A,
    work: Work<A, T>,
    reply: Reply<T>,
}

impl<A, T> QueuedWork<A, T>
where
    A: Send + Sync + 'static,
    T: Send + 'static,
{
    pub fn queue(
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
pub(super) trait Run: Send {
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
