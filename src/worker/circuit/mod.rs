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

#[cfg(test)]
mod tests;

use super::{
    Environment,
    breaker::{Breaker, BreakerChange, BreakerTicket, CallResult},
};
use crate::{
    caps::Network,
    clock::{Clock, Timestamp},
    confirmation::{Claim, ClaimLimits},
    secret::Entropy,
};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many places a network may hold for each one that is free.
const FOR_EACH_FREE: usize = 3;
/// How long it is remembered that a network got no verdicts, without a new attempt: as long as a
/// confirmation lives.
const REMEMBERED: Duration = Duration::from_mins(1);

/// Breakers that many share. Cheap to clone.
#[derive(Clone)]
pub(super) struct Circuit {
    breakers: Arc<Mutex<Breakers>>,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
}

/// The breaker for all networks, and those of each network that is asked about or got no verdicts
/// lately.
struct Breakers {
    limit: usize,
    /// Whether places are offered to what is begun, because no one waits in the queue for one.
    offers: bool,
    everybody: Breaker,
    networks: HashMap<Network, OfNetwork>,
}

/// What is known of one network.
struct OfNetwork {
    breaker: Breaker,
    /// How many of its confirmations are being asked about.
    in_flight: usize,
    /// When it was last asked about.
    asked: Timestamp,
}

impl Breakers {
    fn new(limit: usize) -> Self {
        Self {
            limit,
            offers: false,
            everybody: Breaker::new(limit),
            networks: HashMap::new(),
        }
    }

    /// How many may be asked about now, where `free` places are.
    fn limits(&mut self, free: usize, now: Timestamp, entropy: &dyn Entropy) -> ClaimLimits {
        let room = free.min(self.everybody.room(now, entropy));
        let tried = !self.everybody.is_closed();
        let of_each = share(0, room);
        let mut exceptions = HashMap::new();
        for (network, of_network) in &mut self.networks {
            let holds = of_network.in_flight;
            // Those that hold a few of many would not get noticeably less: naming them all would
            // cost more.
            let holds_much =
                holds * 4 >= self.limit || holds > room + room / 2 || (tried && holds >= room);
            let share = if holds_much {
                share(holds, room)
            } else {
                of_each
            };
            let limit = share.min(of_network.breaker.room(now, entropy));
            if limit < of_each {
                exceptions.insert(*network, number(limit));
            }
        }
        ClaimLimits {
            in_all: number(room),
            of_each: number(of_each),
            exceptions,
        }
    }

    /// Whether this network may have one of the `free` places now. Never while there are doubts
    /// about the validator. Where none is free someone begins to wait, who comes first from now on.
    fn may_offer(&mut self, network: Network, free: usize) -> bool {
        self.offers &= free > 0;
        let of_network = self.networks.get(&network);
        let holds = of_network.map_or(0, |of_network| of_network.in_flight);
        self.offers
            && self.everybody.is_closed()
            && of_network.is_none_or(|of_network| of_network.breaker.is_closed())
            && share(holds, free) > 0
    }

    fn probe_at(&self) -> Option<Timestamp> {
        let of_networks = self
            .networks
            .values()
            .filter_map(|of_network| of_network.breaker.probe_at());
        of_networks.chain(self.everybody.probe_at()).min()
    }

    /// Counts one more place that `network` holds.
    fn take_place(&mut self, network: Network, now: Timestamp) -> &mut OfNetwork {
        let of_network = self.networks.entry(network).or_insert_with(|| OfNetwork {
            breaker: Breaker::new(self.limit),
            in_flight: 0,
            asked: now,
        });
        of_network.in_flight += 1;
        of_network.asked = now;
        of_network
    }

    /// Counts one place less, and forgets a network of which nothing is known.
    fn give_place_back(&mut self, network: &Network) {
        let Some(of_network) = self.networks.get_mut(network) else {
            return;
        };
        of_network.in_flight = of_network.in_flight.saturating_sub(1);
        if of_network.in_flight == 0 && of_network.breaker.is_untouched() {
            self.networks.remove(network);
        }
    }

    fn ask(&mut self, claim: &Claim, now: Timestamp) -> [BreakerTicket; 2] {
        let of_network = self.take_place(claim.network, now);
        let for_network = of_network.breaker.ask(*claim.id.as_bytes());
        [self.everybody.ask(claim.network), for_network]
    }

    /// Records the result for all networks and for this network alone, and tells what changed for
    /// either.
    fn hear(
        &mut self,
        network: &Network,
        questions: [BreakerTicket; 2],
        heard: [CallResult; 2],
        now: Timestamp,
        entropy: &dyn Entropy,
    ) -> [Option<BreakerChange>; 2] {
        let for_everybody = self.everybody.hear(questions[0], heard[0], now, entropy);
        let Some(of_network) = self.networks.get_mut(network) else {
            return [for_everybody, None];
        };
        let for_network = of_network
            .breaker
            .hear(questions[1], heard[1], now, entropy);
        self.give_place_back(network);
        [for_everybody, for_network]
    }

    fn forget(&mut self, now: Timestamp) {
        self.networks.retain(|_, of_network| {
            of_network.in_flight > 0 || now.since(of_network.asked) < REMEMBERED
        });
    }
}

/// How many more places a network may have that `holds` some, where `free` are left.
fn share(holds: usize, free: usize) -> usize {
    let more = (FOR_EACH_FREE * free).saturating_sub(holds) / (FOR_EACH_FREE + 1);
    more.max(usize::from(holds == 0 && free > 0))
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
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
