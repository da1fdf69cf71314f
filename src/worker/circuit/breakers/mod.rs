//! What the breakers say, of all networks together and of each one.

use crate::{
    caps::Network,
    clock::Timestamp,
    confirmation::{Claim, ClaimLimits},
    secret::Entropy,
    worker::breaker::{Breaker, BreakerChange, BreakerTicket, CallResult},
};
use std::{collections::HashMap, time::Duration};

/// How many places a network may hold for each one that is free.
const FOR_EACH_FREE: usize = 3;
/// How long it is remembered that a network got no verdicts, without a new attempt: as long as a
/// confirmation lives.
const REMEMBERED: Duration = Duration::from_mins(1);

/// The breaker for all networks, and those of each network that is asked about or got no verdicts
/// lately.
pub(super) struct Breakers {
    limit: usize,
    /// Whether places are offered to what is begun, because no one waits in the queue for one.
    pub offers: bool,
    pub everybody: Breaker,
    networks: HashMap<Network, OfNetwork>,
}

/// What is known of one network.
pub(super) struct OfNetwork {
    breaker: Breaker,
    /// How many of its confirmations are being asked about.
    in_flight: usize,
    /// When it was last asked about.
    asked: Timestamp,
}

impl Breakers {
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            offers: false,
            everybody: Breaker::new(limit),
            networks: HashMap::new(),
        }
    }

    /// How many may be asked about now, where `free` places are.
    pub fn limits(&mut self, free: usize, now: Timestamp, entropy: &dyn Entropy) -> ClaimLimits {
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
    pub fn may_offer(&mut self, network: Network, free: usize) -> bool {
        self.offers &= free > 0;
        let of_network = self.networks.get(&network);
        let holds = of_network.map_or(0, |of_network| of_network.in_flight);
        self.offers
            && self.everybody.is_closed()
            && of_network.is_none_or(|of_network| of_network.breaker.is_closed())
            && share(holds, free) > 0
    }

    pub fn probe_at(&self) -> Option<Timestamp> {
        let of_networks = self
            .networks
            .values()
            .filter_map(|of_network| of_network.breaker.probe_at());
        of_networks.chain(self.everybody.probe_at()).min()
    }

    /// Counts one more place that `network` holds.
    pub fn take_place(&mut self, network: Network, now: Timestamp) -> &mut OfNetwork {
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
    pub fn give_place_back(&mut self, network: &Network) {
        let Some(of_network) = self.networks.get_mut(network) else {
            return;
        };
        of_network.in_flight = of_network.in_flight.saturating_sub(1);
        if of_network.in_flight == 0 && of_network.breaker.is_untouched() {
            self.networks.remove(network);
        }
    }

    pub fn ask(&mut self, claim: &Claim, now: Timestamp) -> [BreakerTicket; 2] {
        let of_network = self.take_place(claim.network, now);
        let for_network = of_network.breaker.ask(*claim.id.as_bytes());
        [self.everybody.ask(claim.network), for_network]
    }

    /// Records the result for all networks and for this network alone, and tells what changed for
    /// either.
    pub fn hear(
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

    pub fn forget(&mut self, now: Timestamp) {
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

#[cfg(test)]
mod tests;
