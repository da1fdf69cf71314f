//! The worker: the background task that takes confirmations through their states.
//!
//! It claims due confirmations under a lease, asks the validator (many at once: they wait on the network, not on a
//! core), decides, settles and announces. It is woken by a `begin` and by a due time, and looks by itself besides, so a
//! lost wake-up costs a poll interval and never a confirmation. Nothing here is inside a request or a transaction.

mod attempt;
mod backoff;
mod slot;

use backoff::backoff;

use crate::{
    clock::{Clock, Timestamp},
    confirmation::{Which, WorkerId},
    outcome::Destinations,
    publisher::Publisher,
    secret::{Entropy, Keys},
    store::{Store, StoreError},
    timing::Timing,
    validator::Validator,
};
use slot::Slot;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{Notify, Semaphore},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

/// What a worker works with.
#[derive(Clone)]
pub struct Tools {
    /// Where confirmations, sessions and users are kept.
    pub store: Arc<dyn Store>,
    /// Who judges tokens.
    pub validator: Arc<dyn Validator>,
    /// Who tells the browsers.
    pub publisher: Arc<dyn Publisher>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Unpredictable bytes.
    pub entropy: Arc<dyn Entropy>,
    /// The operator's keys, which unseal tokens.
    pub keys: Arc<Keys>,
    /// Where outcomes lead.
    pub destinations: Destinations,
    /// How long each part may take.
    pub timing: Timing,
}

/// The background task.
pub struct Worker {
    id: WorkerId,
    tools: Tools,
    wake: Arc<Notify>,
    slots: Arc<Semaphore>,
}

/// How long settled work is kept for browsers that ask late, beyond the life of a pending cookie.
const KEEP: Duration = Duration::from_mins(5);
/// How long attempts in flight may take to finish once a shutdown has begun; the rest is handed back.
const FINISH_WITHIN: Duration = Duration::from_secs(5);
/// How often rows that are of no more use are deleted.
const SWEEP_EVERY: Duration = Duration::from_mins(1);
/// How long to wait before using a store again that could not be used.
const STORE_PAUSE: Duration = Duration::from_millis(500);

impl Worker {
    /// A worker with a fresh identity, woken through `wake`, that keeps up to `in_flight` validations going at once.
    #[must_use]
    pub fn new(tools: Tools, wake: Arc<Notify>, in_flight: usize) -> Self {
        let slots = Arc::new(Semaphore::new(in_flight.max(1)));
        Self { id: WorkerId::generate(&*tools.entropy), tools, wake, slots }
    }

    /// Works until `shutdown`; then claims no more, lets what is in flight finish for 5 s, and hands the rest back.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut attempts = JoinSet::new();
        let hand_back = CancellationToken::new();
        let mut sweep_at = self.now();
        while !shutdown.is_cancelled() {
            if self.now() >= sweep_at {
                self.sweep().await;
                sweep_at = self.now() + SWEEP_EVERY;
            }
            // Registered before the look, so that a `begin` between the look and the wait is not missed.
            let woken = self.wake.notified();
            let look_again = self.claim_into(&mut attempts, &hand_back).await.unwrap_or_else(|error| {
                tracing::error!(%error, "the worker cannot use the store");
                self.now() + STORE_PAUSE
            });
            tokio::select! {
                biased;
                () = woken => {}
                () = self.tools.clock.sleep_until(look_again.min(sweep_at)) => {}
                () = shutdown.cancelled() => {}
            }
            while attempts.try_join_next().is_some() {}
        }
        self.finish(attempts, &hand_back).await;
    }

    /// Claims as many as there is room for, starts an attempt at each, and says when to look again at the latest.
    async fn claim_into(
        &self,
        attempts: &mut JoinSet<()>,
        hand_back: &CancellationToken,
    ) -> Result<Timestamp, StoreError> {
        let poll = self.now() + self.tools.timing.poll;
        let room = self.slots.available_permits();
        if room == 0 {
            return Ok(poll);
        }
        let limit = u32::try_from(room).unwrap_or(u32::MAX);
        let now = self.now();
        let claims = self.tools.store.claim(self.id, Which::Any, limit, now, now + self.tools.timing.lease).await?;
        let full = claims.len() == room;
        for claim in claims {
            let slot = Slot::take(&self.slots, &self.wake);
            attempts.spawn(attempt::run(self.tools.clone(), claim, slot, hand_back.clone()));
        }
        if full {
            return Ok(poll);
        }
        Ok(self.tools.store.next_due().await?.map_or(poll, |due| due.min(poll)))
    }

    async fn finish(&self, mut attempts: JoinSet<()>, hand_back: &CancellationToken) {
        let patience = self.now() + FINISH_WITHIN;
        let all_done = async { while attempts.join_next().await.is_some() {} };
        if crate::clock::until(&*self.tools.clock, patience, all_done).await.is_err() {
            hand_back.cancel();
            while attempts.join_next().await.is_some() {}
        }
    }

    async fn sweep(&self) {
        let now = self.now();
        let settled_before = now - (self.tools.timing.pending_cookie() + KEEP);
        let swept = self.tools.store.sweep_confirmations(settled_before).await;
        let sessions = self.tools.store.sweep_sessions(now).await;
        for error in [swept, sessions].into_iter().filter_map(Result::err) {
            tracing::error!(%error, "the worker cannot sweep");
        }
    }

    fn now(&self) -> Timestamp {
        self.tools.clock.now()
    }
}
