//! How a Pusher server is: well, or left alone but for a probe now and then. What is wrong is told
//! once, and so is its end.

use super::{IN_FLIGHT, waiting::Backlog};
use crate::{
    backoff::{Backoff, Jitter},
    publisher::PublishError,
    secret::Entropy,
};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// The waits between two probes.
const BACKOFF: Backoff = Backoff {
    first: Duration::from_millis(500),
    longest: Duration::from_secs(15),
    jitter: Jitter::Full,
};
/// How many different things are told until all is well again.
const TOLD: usize = 8;

/// The time between two changes: what was sent before a change says nothing after it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Round(u64);

/// How a Pusher server is.
pub struct Health {
    entropy: Arc<dyn Entropy>,
    round: u64,
    outage: Option<Outage>,
    /// What has been told since all was well, if it is not.
    told: Option<Vec<String>>,
    /// How many had been dropped when all was well.
    dropped: u64,
}

struct Outage {
    failed: u32,
    probe_at: Instant,
}

impl Health {
    pub fn new(entropy: Arc<dyn Entropy>) -> Self {
        Self {
            entropy,
            round: 0,
            outage: None,
            told: None,
            dropped: 0,
        }
    }

    pub const fn round(&self) -> Round {
        Round(self.round)
    }

    /// How many requests may be in flight.
    pub fn room(&self, now: Instant) -> usize {
        self.outage
            .as_ref()
            .map_or(IN_FLIGHT, |outage| usize::from(now >= outage.probe_at))
    }

    /// When one request may be sent again, while it is not well.
    pub fn probe_at(&self) -> Option<Instant> {
        self.outage.as_ref().map(|outage| outage.probe_at)
    }

    /// A request was taken.
    pub fn succeeded(&mut self, Round(round): Round) {
        if round == self.round && self.outage.take().is_some() {
            self.round += 1;
        }
    }

    /// A request was not taken.
    pub fn failed(&mut self, Round(round): Round, error: &PublishError, now: Instant) {
        let outage = self.outage.get_or_insert(Outage {
            failed: 0,
            probe_at: now,
        });
        if round == self.round {
            self.round += 1;
            outage.failed = outage.failed.saturating_add(1);
            outage.probe_at = now + BACKOFF.wait(outage.failed, &*self.entropy);
        }
        let told = self.told.get_or_insert_default();
        if told.len() < TOLD && !told.contains(&error.what) {
            told.push(error.what.clone());
            if error.retry {
                tracing::warn!(
                    what = error.what,
                    "announcements wait; until they can be sent, pages ask"
                );
            } else {
                tracing::error!(
                    what = error.what,
                    "announcements are refused, and pages ask; try `vestibule doctor`"
                );
            }
        }
    }

    /// Sees whether more waits than can, and whether all is well again.
    pub fn watch(&mut self, waiting: &Backlog) {
        if self.outage.is_some() {
            return;
        }
        if self.told.is_none() && waiting.dropped() > self.dropped {
            self.told = Some(Vec::new());
            tracing::warn!(
                "announcements come faster than they can be sent; some are dropped, and their pages ask"
            );
        }
        if waiting.len() == 0 && self.told.take().is_some() {
            tracing::info!(
                dropped = waiting.dropped() - self.dropped,
                "announcements are sent at once again"
            );
            self.dropped = waiting.dropped();
        }
    }
}
