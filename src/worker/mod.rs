//! The worker: the background task that takes confirmations through their states.
//!
//! It claims due confirmations under a lease, asks the validator (many at once: they wait on the
//! network, not on a core), decides, settles and announces. It is woken by a `begin` and by a due
//! time, and looks by itself besides, so a lost wake-up costs a poll interval and never a
//! confirmation. Nothing here is inside a request or a transaction.
//!
//! While the validator is away it is left alone but for a few probes: a breaker says how many may
//! be asked about. Those who wait meanwhile are not claimed and have not failed; only what reaches
//! its deadline is, and ends without a question. A network whose tokens alone fail is left out
//! alone, and none holds all places.

mod attempt;
mod breaker;
mod circuit;
mod dispatch;
mod environment;
mod look;
mod slot;

use crate::{clock::Timestamp, confirmation::WorkerId};
use circuit::Circuit;
use dispatch::RunningWorker;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

pub use dispatch::Dispatch;
pub(crate) use dispatch::Offer;
pub use environment::Environment;

/// The background task.
pub struct Worker {
    id: WorkerId,
    environment: Environment,
    dispatch: Dispatch,
    circuit: Circuit,
    slots: Arc<Semaphore>,
    overdue: Arc<Semaphore>,
}

/// The attempts under way, and how they are told to hand back what they have not finished.
#[derive(Default)]
struct Attempts {
    tasks: JoinSet<()>,
    hand_back: CancellationToken,
}

/// How many validations are in flight at once by default. With a validator that takes 200 ms, and
/// as long again for the database under load, that is 5,000 a second; each takes a connection to
/// the validator and a few KiB.
pub const IN_FLIGHT: usize = 2048;
/// How long settled work is kept for browsers that ask late, beyond the life of a pending cookie.
const KEEP: Duration = Duration::from_mins(5);
/// How long attempts in flight may take to finish once a shutdown has begun; the rest is handed
/// back.
const FINISH_WITHIN: Duration = Duration::from_secs(5);
/// How often rows that are no longer needed are deleted.
const SWEEP_EVERY: Duration = Duration::from_mins(1);
/// How long to wait before using a store again that could not be used.
const STORE_PAUSE: Duration = Duration::from_millis(500);
/// How many overdue confirmations are decided at once without asking the validator.
const OVERDUE: usize = 256;

impl Worker {
    /// A worker with a fresh identity, reached through `dispatch`, that keeps up to `in_flight`
    /// validations going at once.
    #[must_use]
    pub fn new(environment: Environment, dispatch: Dispatch, in_flight: usize) -> Self {
        let in_flight = in_flight.max(1);
        let slots = Arc::new(Semaphore::new(in_flight));
        let overdue = Arc::new(Semaphore::new(OVERDUE));
        let id = WorkerId::generate(&*environment.entropy);
        let circuit = Circuit::new(&environment, in_flight);
        Self {
            id,
            environment,
            dispatch,
            circuit,
            slots,
            overdue,
        }
    }

    /// Works until `shutdown`; then claims no more, lets what is in flight finish for 5 s, and
    /// hands the rest back.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut attempts = Attempts::default();
        self.open(&mut attempts);
        let mut sweep_at = self.now();
        while !shutdown.is_cancelled() {
            if self.now() >= sweep_at {
                self.sweep().await;
                sweep_at = self.now() + SWEEP_EVERY;
            }
            // Registered before the look, so that a `begin` between the look and the wait is not
            // missed.
            let waker = self.dispatch.waker();
            let woken = waker.notified();
            let look_again = self.look(&mut attempts).await.unwrap_or_else(|error| {
                tracing::error!(%error, "the worker cannot use the store");
                self.now() + STORE_PAUSE
            });
            tokio::select! {
                biased;
                () = woken => {}
                () = self.environment.clock.sleep_until(look_again.min(sweep_at)) => {}
                () = shutdown.cancelled() => {}
            }
            while attempts.tasks.try_join_next().is_some() {}
        }
        self.dispatch.close(self.id);
        self.finish(attempts).await;
    }

    /// Offers places to what is begun in this process, and starts an attempt at each that takes
    /// one.
    fn open(&self, attempts: &mut Attempts) {
        let (claims, taken) = mpsc::unbounded_channel();
        self.dispatch.open(RunningWorker {
            id: self.id,
            lease: self.environment.timing.lease,
            circuit: self.circuit.clone(),
            slots: self.slots.clone(),
            claims,
        });
        attempts.tasks.spawn(dispatch::work_off(
            self.environment.clone(),
            self.circuit.clone(),
            taken,
            attempts.hand_back.clone(),
        ));
    }

    async fn finish(
        &self,
        Attempts {
            mut tasks,
            hand_back,
        }: Attempts,
    ) {
        let patience = self.now() + FINISH_WITHIN;
        let all_done = async { while tasks.join_next().await.is_some() {} };
        if crate::clock::until(&*self.environment.clock, patience, all_done)
            .await
            .is_err()
        {
            hand_back.cancel();
            while tasks.join_next().await.is_some() {}
        }
    }

    async fn sweep(&self) {
        self.circuit.forget();
        let now = self.now();
        let settled_before = now - (self.environment.timing.pending_cookie() + KEEP);
        let swept = self
            .environment
            .stores
            .queue
            .sweep_confirmations(settled_before)
            .await;
        let sessions = self.environment.stores.sessions.sweep_sessions(now).await;
        for error in [swept, sessions].into_iter().filter_map(Result::err) {
            tracing::error!(%error, "the worker cannot sweep");
        }
    }

    fn now(&self) -> Timestamp {
        self.environment.clock.now()
    }
}
