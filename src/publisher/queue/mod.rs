//! The queue before a Pusher server: a caller hands an announcement over and goes on.
//!
//! An announcement is a hint, and the page asks anyway. So a Pusher server that is slow, away or
//! refuses may cost hints, and nothing else: nothing waits for it, what waits is bounded, what is
//! too old is dropped, and the operator is told once.
//!
//! A few calls are in flight at once. What queues behind them goes together where it says the same,
//! as most does: ten channels in one request. Each channel has one call in flight at most, and one
//! announcement waiting, the latest: so progress never arrives after the outcome, and what the
//! outcome has overtaken is not sent at all.

mod health;
mod waiting;

use super::{Announcement, PublishError, Publisher};
use crate::{channel::Channel, secret::Entropy};
use async_trait::async_trait;
use futures_util::{FutureExt as _, StreamExt as _, stream::FuturesUnordered};
use health::{Health, Round};
use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::Notify,
    task::JoinHandle,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::{CancellationToken, DropGuard};
use waiting::{Backlog, Batch};

/// How many channels go into one request: the crate `pusher` takes no more.
const AT_ONCE: usize = 10;
/// How many requests are in flight at once. To a server 50 ms away that is 1,600 announcements a
/// second.
const IN_FLIGHT: usize = 8;
/// How long a shutdown waits for what is queued.
const FLUSH_WITHIN: Duration = Duration::from_secs(3);

/// A publisher that hands over to another, later.
pub struct Queue {
    shared: Arc<SharedQueue>,
    sender: Mutex<Option<JoinHandle<()>>>,
    stop: CancellationToken,
    _stopped_with_it: DropGuard,
}

#[derive(Default)]
struct SharedQueue {
    waiting: Mutex<Backlog>,
    news: Notify,
}

impl SharedQueue {
    fn lock(&self) -> MutexGuard<'_, Backlog> {
        // Nothing in there panics half-way through a change.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    /// A queue before `publisher`, already working.
    #[must_use]
    pub fn start(publisher: Arc<dyn Publisher>, entropy: Arc<dyn Entropy>) -> Self {
        let shared = Arc::<SharedQueue>::default();
        let stop = CancellationToken::new();
        let sender = Sender {
            shared: Arc::clone(&shared),
            publisher,
            health: Health::new(entropy),
            at_once: AT_ONCE,
            stop: stop.clone(),
        };
        let sender = Mutex::new(Some(tokio::spawn(sender.run())));
        Self {
            shared,
            sender,
            stop: stop.clone(),
            _stopped_with_it: stop.drop_guard(),
        }
    }

    /// Takes no more, and sends what waits, for 3 s at most.
    pub async fn close(&self) {
        self.stop.cancel();
        let sender = self
            .sender
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(mut sender) = sender else { return };
        if timeout(FLUSH_WITHIN, &mut sender).await.is_err() {
            sender.abort();
            tracing::warn!(
                waiting = self.shared.lock().len(),
                "some announcements were not sent; their pages ask"
            );
        }
    }
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Queue")
            .field("waiting", &self.shared.lock().len())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Publisher for Queue {
    async fn announce(
        &self,
        channel: &Channel,
        announcement: &Announcement,
    ) -> Result<(), PublishError> {
        if self.stop.is_cancelled() {
            return Err(PublishError {
                what: "the server is being shut down".into(),
                retry: false,
            });
        }
        self.shared
            .lock()
            .push(channel.clone(), announcement.clone(), Instant::now());
        self.shared.news.notify_one();
        Ok(())
    }
}

/// The task behind a queue.
struct Sender {
    shared: Arc<SharedQueue>,
    publisher: Arc<dyn Publisher>,
    health: Health,
    at_once: usize,
    stop: CancellationToken,
}

/// A request that has ended.
struct Answered {
    batch: Batch,
    round: Round,
    result: Result<(), PublishError>,
}

impl Sender {
    async fn run(mut self) {
        let mut requests = FuturesUnordered::new();
        loop {
            let now = Instant::now();
            while requests.len() < self.health.room(now) {
                let Some(batch) = self.shared.lock().take(self.at_once, now) else {
                    break;
                };
                requests.push(send(
                    Arc::clone(&self.publisher),
                    batch,
                    self.health.round(),
                ));
            }
            self.health.watch(&self.shared.lock());
            let stopping = self.stop.is_cancelled();
            if stopping && requests.is_empty() && self.shared.lock().len() == 0 {
                return;
            }
            let probe_at = self.health.probe_at().filter(|at| *at > now);
            tokio::select! {
                Some(answered) = requests.next() => self.answered(answered),
                () = self.shared.news.notified() => {}
                () = sleep_until(probe_at.unwrap_or(now)), if probe_at.is_some() => {}
                () = self.stop.cancelled(), if !stopping => {}
            }
        }
    }

    fn answered(
        &mut self,
        Answered {
            batch,
            round,
            result,
        }: Answered,
    ) {
        let mut waiting = self.shared.lock();
        match result {
            Ok(()) => {
                waiting.end(batch);
                self.health.succeeded(round);
            }
            Err(error) => {
                let alone = batch.len() == 1;
                if error.retry {
                    waiting.put_back(batch);
                } else if alone {
                    // It was not for their number that the others were refused.
                    self.at_once = AT_ONCE;
                    waiting.refuse(batch);
                } else {
                    // Perhaps it takes one at a time: if so, it stays at that.
                    self.at_once = 1;
                    waiting.put_back(batch);
                }
                if error.retry || alone {
                    self.health.failed(round, &error, Instant::now());
                }
            }
        }
    }
}

async fn send(publisher: Arc<dyn Publisher>, batch: Batch, round: Round) -> Answered {
    let sent = AssertUnwindSafe(publisher.announce_all(batch.channels(), batch.announcement()))
        .catch_unwind()
        .await;
    let result = sent.unwrap_or_else(|_| {
        Err(PublishError {
            what: "the publisher panicked".into(),
            retry: true,
        })
    });
    Answered {
        batch,
        round,
        result,
    }
}
