//! The breakers as attempts share them: who asks holds a call, and what becomes of the call is told
//! to the breakers.
//!
//! There are two kinds, so that one client's failures delay no other client. The one for
//! *everybody* counts networks: it opens where many different networks get no verdicts, and has the
//! validator left alone. Those of single *networks* count confirmations: they open where one
//! network alone gets none, and only its own confirmations are left out then.
//!
//! Nor does one network hold all places: it gets another one only while it holds no more than three
//! times as many as are free. So a network that is alone has three quarters, the next one three
//! quarters of what is left, and some are free for a network that comes later (dynamic thresholds:
//! Choudhury and Hahne, 1998).

mod breakers;

use super::{
    Environment,
    breaker::{BreakerChange, BreakerTicket, CallResult},
};
use crate::{
    caps::Network,
    clock::{Clock, Timestamp},
    confirmation::{Claim, ClaimLimits},
    secret::Entropy,
};
use breakers::Breakers;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Breakers that many share. Cheap to clone.
#[derive(Clone)]
pub(super) struct Circuit {
    breakers: Arc<Mutex<Breakers>>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

impl Circuit {
    pub(super) fn new(environment: &Environment, limit: usize) -> Self {
        let breakers = Arc::new(Mutex::new(Breakers::new(limit)));
        Self {
            breakers,
            clock: environment.clock.clone(),
            entropy: environment.entropy.clone(),
        }
    }

    /// Whether the breaker for all networks is not closed.
    pub(super) fn is_tried(&self) -> bool {
        !self.lock().everybody.is_closed()
    }

    /// How many may be asked about now, where some of the `places` are free.
    pub(super) fn limits(&self, places: &Semaphore) -> ClaimLimits {
        let mut breakers = self.lock();
        let free = places.available_permits();
        breakers.limits(free, self.clock.now(), &*self.entropy)
    }

    /// One of the `places` for what `network` is about to begin, if it may have one. Not while
    /// someone waits in the queue: those come first.
    pub(super) fn offer(
        &self,
        network: Network,
        places: &Arc<Semaphore>,
    ) -> Option<(OwnedSemaphorePermit, HeldPlace)> {
        let mut breakers = self.lock();
        if !breakers.may_offer(network, places.available_permits()) {
            return None;
        }
        let permit = Arc::clone(places).try_acquire_owned().ok()?;
        breakers.take_place(network, self.clock.now());
        Some((permit, self.held(network)))
    }

    /// Offers nothing from now on. What was offered before holds its places by now.
    pub(super) fn stop_offers(&self) {
        self.lock().offers = false;
    }

    /// Offers places again.
    pub(super) fn resume_offers(&self) {
        self.lock().offers = true;
    }

    /// When a few may be asked about again that may not be now.
    pub(super) fn probe_at(&self) -> Option<Timestamp> {
        self.lock().probe_at()
    }

    /// A call for a claim that is about to be asked about.
    pub(super) fn call(&self, claim: &Claim) -> ValidatorCall {
        let questions = self.lock().ask(claim, self.clock.now());
        ValidatorCall {
            circuit: self.clone(),
            network: claim.network,
            questions,
            heard: [CallResult::Inconclusive; 2],
        }
    }

    /// The place of a claim that is judged without the validator: it counts for its network, and
    /// says nothing about the validator.
    pub(super) fn hold_place(&self, claim: &Claim) -> HeldPlace {
        self.lock().take_place(claim.network, self.clock.now());
        self.held(claim.network)
    }

    /// A place that was counted for `network`.
    fn held(&self, network: Network) -> HeldPlace {
        HeldPlace {
            circuit: self.clone(),
            network,
        }
    }

    /// Forgets networks that have not been asked about for long.
    pub(super) fn forget(&self) {
        self.lock().forget(self.clock.now());
    }

    fn lock(&self) -> MutexGuard<'_, Breakers> {
        // Nothing in there panics half-way through a change.
        self.breakers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place that a network holds until this is dropped.
pub(super) struct HeldPlace {
    circuit: Circuit,
    network: Network,
}

impl Drop for HeldPlace {
    fn drop(&mut self) {
        self.circuit.lock().give_place_back(&self.network);
    }
}

/// One question to the validator. One that is dropped was cut short.
pub(super) struct ValidatorCall {
    circuit: Circuit,
    network: Network,
    questions: [BreakerTicket; 2],
    heard: [CallResult; 2],
}

impl ValidatorCall {
    /// Ends it with what was heard.
    pub(super) fn end(mut self, heard: CallResult) {
        self.heard = [heard; 2];
    }

    /// Ends it with what was heard, which says something about the client and nothing about the
    /// validator.
    pub(super) fn end_for_network(mut self, heard: CallResult) {
        self.heard = [CallResult::Inconclusive, heard];
    }
}

impl Drop for ValidatorCall {
    fn drop(&mut self) {
        let Circuit { clock, entropy, .. } = &self.circuit;
        let changes = self.circuit.lock().hear(
            &self.network,
            self.questions,
            self.heard,
            clock.now(),
            &**entropy,
        );
        match changes[0] {
            Some(BreakerChange::Opened) => {
                tracing::warn!(
                    "the validator gives no verdicts; it is tried now and then until it does"
                );
            }
            Some(BreakerChange::Recovers) => tracing::info!("the validator answers again"),
            None => {}
        }
        match changes[1] {
            Some(BreakerChange::Opened) => tracing::warn!(
                "the validator gives no verdicts on one client's tokens; for that client, it is tried now and then until it does"
            ),
            Some(BreakerChange::Recovers) => {
                tracing::info!("the validator answers again for one client");
            }
            None => {}
        }
    }
}
