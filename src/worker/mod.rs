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
mod slot;

use crate::{
    clock::{Clock, Timestamp},
    confirmation::{Claim, ClaimLimits, Which, WorkerId},
    link::LinkToken,
    outcome::Destinations,
    publisher::Publisher,
    secret::{Entropy, Keys},
    store::{StoreError, Stores},
    timing::Timing,
    validator::Validator,
};
use attempt::Judge;
use circuit::Circuit;
use dispatch::{Desk, DirectClaim};
use slot::Slot;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{Semaphore, mpsc},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

pub use dispatch::Dispatch;
pub(crate) use dispatch::Offer;

/// What a worker works with.
#[derive(Clone)]
pub struct Environment {
    /// Where everything is stored.
    pub stores: Stores,
    /// Who judges tokens other than our own.
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
        self.dispatch.open(Desk {
            worker: self.id,
            lease: self.environment.timing.lease,
            circuit: self.circuit.clone(),
            slots: self.slots.clone(),
            claims,
        });
        attempts.tasks.spawn(attempt_each(
            self.environment.clone(),
            self.circuit.clone(),
            taken,
            attempts.hand_back.clone(),
        ));
    }

    /// Claims as many as there is room for, starts an attempt at each, and says when to look again
    /// at the latest.
    async fn look(&self, attempts: &mut Attempts) -> Result<Timestamp, StoreError> {
        let mut again = self.now() + self.environment.timing.poll;
        let confirmations = &self.environment.stores.confirmations;
        if let Err(error) = confirmations.settle_abandoned(self.now()).await {
            // Validating goes on meanwhile: what it comes to waits in the database.
            tracing::error!(%error, "the worker cannot settle what is decided");
        }
        let limits = self.limits();
        if limits.in_all == 0 || self.circuit.is_tried() || limits.left_out().next().is_some() {
            // Their deadlines wait for no place and for no validator.
            again = again.min(self.end_overdue(attempts).await?.unwrap_or(again));
        }
        let next = if limits.in_all > 0 {
            self.claim_what_is_due(attempts).await?
        } else {
            self.circuit.stop_offers();
            None
        };
        let probe_at = self.circuit.probe_at();
        Ok(next.into_iter().chain(probe_at).fold(again, Timestamp::min))
    }

    /// Claims what is due, as far as there is room, and says when the next one is due. Places are
    /// offered to what is begun only while no one waits for one here.
    async fn claim_what_is_due(
        &self,
        attempts: &mut Attempts,
    ) -> Result<Option<Timestamp>, StoreError> {
        let next = self.environment.stores.queue.next_due().await?;
        if next.is_none_or(|due| due > self.now()) {
            self.circuit.resume_offers();
            return Ok(next);
        }
        self.circuit.stop_offers();
        loop {
            let limits = self.limits();
            if limits.in_all == 0 {
                return Ok(None);
            }
            let now = self.now();
            let claims = self.claim_to_ask(&limits, now).await?;
            let full = claims.len() == limits.in_all as usize;
            let any = !claims.is_empty();
            let reached = limits.reached_by(&claims);
            for claim in claims {
                let judge = judge(&self.environment, &self.circuit, &claim, true);
                self.start(attempts, claim, judge, &self.slots);
            }
            if full {
                return Ok(None);
            }
            if !reached {
                let next = self.next_due(&limits, now, any).await?;
                let waits = next.is_some_and(|due| due <= self.now());
                // Of a network that is left out, more may wait.
                if !waits && limits.left_out().next().is_none() {
                    self.circuit.resume_offers();
                }
                return Ok(next);
            }
            // A network had as many as it may have, and others may have been behind it.
        }
    }

    fn limits(&self) -> ClaimLimits {
        self.circuit.limits(&self.slots)
    }

    /// When the next one is due that was not claimed at `now`, though it was let in. What was left
    /// out is due all the time.
    async fn next_due(
        &self,
        limits: &ClaimLimits,
        now: Timestamp,
        any: bool,
    ) -> Result<Option<Timestamp>, StoreError> {
        if limits.exceptions.is_empty() {
            return self.environment.stores.queue.next_due().await;
        }
        // Those with time were claimed, and perhaps others wait.
        if any && self.circuit.is_tried() {
            return Ok(Some(now));
        }
        self.environment.stores.queue.next_due_after(now).await
    }

    /// By turns, but while the validator is tried and may yet be away, those first that have time
    /// for an answer: it would learn nothing from questions that the deadline cuts short.
    async fn claim_to_ask(
        &self,
        limits: &ClaimLimits,
        now: Timestamp,
    ) -> Result<Vec<Claim>, StoreError> {
        if self.circuit.is_tried() {
            let claims = self
                .claim(
                    Which::WithTime(self.environment.timing.telling()),
                    limits,
                    now,
                )
                .await?;
            if !claims.is_empty() {
                return Ok(claims);
            }
        }
        self.claim(Which::Any, limits, now).await
    }

    /// Ends what is past its deadline, some at a time, and says when there will be more.
    async fn end_overdue(&self, attempts: &mut Attempts) -> Result<Option<Timestamp>, StoreError> {
        let room = self.overdue.available_permits();
        if room == 0 {
            return Ok(None);
        }
        let limits = u32::try_from(room).unwrap_or(u32::MAX).into();
        let claims = self.claim(Which::Overdue, &limits, self.now()).await?;
        let full = claims.len() == room;
        for claim in claims {
            let judge = judge(&self.environment, &self.circuit, &claim, false);
            self.start(attempts, claim, judge, &self.overdue);
        }
        if full {
            Ok(None)
        } else {
            self.environment.stores.queue.next_overdue().await
        }
    }

    async fn claim(
        &self,
        which: Which,
        limits: &ClaimLimits,
        now: Timestamp,
    ) -> Result<Vec<Claim>, StoreError> {
        let queue = &self.environment.stores.queue;
        queue
            .claim(
                self.id,
                which,
                limits,
                now,
                now + self.environment.timing.lease,
            )
            .await
    }

    fn start(&self, attempts: &mut Attempts, claim: Claim, judge: Judge, places: &Arc<Semaphore>) {
        let slot = Slot::take(places, &self.dispatch.waker());
        attempts.tasks.spawn(attempt::run(
            self.environment.clone(),
            claim,
            judge,
            slot,
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

/// Starts an attempt at each claim that was begun under the worker's lease, until no more can come.
async fn attempt_each(
    environment: Environment,
    circuit: Circuit,
    mut claims: mpsc::UnboundedReceiver<DirectClaim>,
    hand_back: CancellationToken,
) {
    let mut attempts = JoinSet::new();
    loop {
        let direct = tokio::select! {
            direct = claims.recv() => direct,
            () = hand_back.cancelled() => {
                claims.close();
                claims.recv().await
            }
        };
        let Some(DirectClaim { claim, slot, place }) = direct else {
            break;
        };
        let judge = judge(&environment, &circuit, &claim, true);
        // The judge holds one of its own by now.
        drop(place);
        attempts.spawn(attempt::run(
            environment.clone(),
            claim,
            judge,
            slot,
            hand_back.clone(),
        ));
        while attempts.try_join_next().is_some() {}
    }
    while attempts.join_next().await.is_some() {}
}

/// Who judges the claim. The validator is asked only if there is time left; our own links are
/// judged also when theirs has passed, and say nothing about the validator.
fn judge(environment: &Environment, circuit: &Circuit, claim: &Claim, in_time: bool) -> Judge {
    let keys = &environment.keys;
    match claim.token.open(keys, claim.id) {
        Err(_) => Judge::None,
        Ok(token) if LinkToken::is_ours(keys, &token) => {
            Judge::Ourselves(token, in_time.then(|| circuit.hold_place(claim)))
        }
        Ok(token) => Judge::Validator(token, in_time.then(|| circuit.call(claim))),
    }
}
