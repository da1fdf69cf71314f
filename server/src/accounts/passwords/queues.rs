//! Queues for password hashing. Each hash takes 19 MiB and a core, so few are made at once; unknown
//! browsers only wait behind other unknown browsers.

use super::PasswordError;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::spawn_blocking,
    time::timeout,
};

/// How long a request waits for its turn.
const MAX_WAIT: Duration = Duration::from_secs(5);
/// How many may wait in one line. One more is refused at once.
const MAX_WAITING: usize = 20;

/// Who tries or sets a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// A browser that has not signed in as this user before.
    Strangers,
    /// One that has.
    Known,
    /// A user who is signed in.
    SignedIn,
}

/// The lines: of each, one is at work.
#[derive(Clone, Debug)]
pub struct HashingQueues([HashingQueue; 3]);

#[derive(Clone, Debug)]
struct HashingQueue {
    /// Those at work or waiting.
    places: Arc<Semaphore>,
    at_work: Arc<Semaphore>,
}

impl HashingQueues {
    pub fn new() -> Self {
        let queue = |_| HashingQueue {
            places: Arc::new(Semaphore::new(1 + MAX_WAITING)),
            at_work: Arc::new(Semaphore::new(1)),
        };
        Self([Lane::Strangers, Lane::Known, Lane::SignedIn].map(queue))
    }

    /// Does `work`, which takes a core for a while, off the async threads and in its turn.
    ///
    /// # Errors
    /// [`PasswordError::Busy`] if too many wait before it.
    pub async fn work<T: Send + 'static>(
        &self,
        lane: Lane,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let turn = self.acquire(lane).await?;
        let work = spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        work.await.map_err(|_| PasswordError::Busy)
    }

    /// A place in the line and the turn itself. Both are held until the work is done, also where
    /// its request has gone.
    async fn acquire(&self, lane: Lane) -> Result<[OwnedSemaphorePermit; 2], PasswordError> {
        let HashingQueue { places, at_work } = &self.0[lane as usize];
        let place = Arc::clone(places)
            .try_acquire_owned()
            .map_err(|_| PasswordError::Busy)?;
        match timeout(MAX_WAIT, Arc::clone(at_work).acquire_owned()).await {
            Ok(Ok(turn)) => Ok([turn, place]),
            _ => Err(PasswordError::Busy),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{FutureExt as _, future::join_all};
    use std::sync::mpsc;

    #[tokio::test]
    async fn no_async_thread_does_the_work() {
        let here = std::thread::current().id();
        let there = HashingQueues::new()
            .work(Lane::SignedIn, || std::thread::current().id())
            .await
            .unwrap();
        assert_ne!(here, there);
    }

    #[tokio::test]
    async fn however_many_strangers_wait_another_line_goes_on() {
        let queues = HashingQueues::new();
        let (go, wait) = mpsc::channel::<()>();
        let first = queues.work(Lane::Strangers, move || wait.recv().is_ok());
        let strangers = (0..MAX_WAITING).map(|_| queues.work(Lane::Strangers, || true));
        let mut strangers = Box::pin(join_all(strangers));
        let mut first = Box::pin(first);
        assert!(first.as_mut().now_or_never().is_none());
        assert!(strangers.as_mut().now_or_never().is_none());
        let refused = queues.work(Lane::Strangers, || true).now_or_never();
        assert!(
            matches!(refused, Some(Err(PasswordError::Busy))),
            "turned away at once"
        );
        for line in [Lane::Known, Lane::SignedIn] {
            assert!(queues.work(line, || true).await.unwrap());
        }
        go.send(()).unwrap();
        assert!(first.await.unwrap());
        assert!(
            strangers
                .await
                .into_iter()
                .all(|done| matches!(done, Ok(true)))
        );
    }
}
