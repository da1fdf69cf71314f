//! To begin many confirmations at once: what follows from what, without a word of SQL.
//!
//! The new ones of a batch are ranked within their /64; those that are admitted there, within their
//! /56; then within their /48. A rank and what is undecided there already must not exceed the
//! limit. One that has begun before takes no rank. Those with a higher limit come first: one that
//! is refused by its own limit would take the rank of one that may begin.

use super::StoreError;
use crate::{
    caps::{Admission, Capped, Network},
    confirmation::{Confirmation, Queued, State},
    secret::SecretHash,
    session::Session,
};
use std::collections::{HashMap, HashSet};

/// A confirmation that is to begin, and its session unless that is kept elsewhere.
#[derive(Clone, Debug)]
pub(super) struct Begin {
    pub confirmation: Confirmation,
    pub session: Option<Session>,
    pub admission: Admission,
}

/// The confirmation that is now kept under the pending secret. To be refused is no failure: it
/// undoes nothing of those who share the transaction.
pub(super) type BeginResult = Result<Confirmation, Capped>;

impl Begin {
    /// What the confirmation waits with.
    pub fn queued(&self) -> Result<&Queued, StoreError> {
        match &self.confirmation.state {
            State::Queued(queued) => Ok(queued),
            State::Decided(_) | State::Settled(_) => Err(StoreError::Unavailable(
                "only a queued confirmation can be begun".into(),
            )),
        }
    }
}

/// Those of `jobs` that may begin: of two with one pending secret, also where it is one request that
/// came twice, the first.
pub(super) fn first_of_each_secret<'j>(jobs: &[&'j Begin]) -> Vec<&'j Begin> {
    let mut secrets = HashSet::new();
    let is_first = |job: &&Begin| secrets.insert(job.confirmation.secret);
    jobs.iter().copied().filter(is_first).collect()
}

/// How many undecided confirmations there are in each /64, each /56 and each /48 of some clients.
#[derive(Default)]
pub(super) struct UndecidedByNetwork([HashMap<Network, u32>; 3]);

impl UndecidedByNetwork {
    /// How many there are in each of the networks of `job`.
    fn beside(&self, job: &Begin) -> [u32; 3] {
        let networks = job.admission.client.networks();
        std::array::from_fn(|place| self.0[place].get(&networks[place]).copied().unwrap_or(0))
    }
}

impl FromIterator<([Network; 3], u32)> for UndecidedByNetwork {
    /// From clients, each with its networks.
    fn from_iter<I: IntoIterator<Item = ([Network; 3], u32)>>(clients: I) -> Self {
        let mut undecided = Self::default();
        for (networks, number) in clients {
            for (counts, network) in undecided.0.iter_mut().zip(networks) {
                *counts.entry(network).or_default() += number;
            }
        }
        undecided
    }
}

/// What is kept under the secrets of those that were begun before, or now.
pub(super) type StoredConfirmations = HashMap<SecretHash, Confirmation>;

/// What all `jobs` came to where each secret has its confirmation; `None` if one has none, which
/// was refused then.
pub(super) fn all_stored(jobs: &[&Begin], kept: &StoredConfirmations) -> Option<Vec<BeginResult>> {
    let kept = |job: &&Begin| kept.get(&job.confirmation.secret).cloned().map(Ok);
    jobs.iter().map(kept).collect()
}

/// What `jobs` came to where some were refused, beside what is `undecided` in their networks.
pub(super) fn results(
    jobs: &[&Begin],
    kept: &StoredConfirmations,
    undecided: &UndecidedByNetwork,
) -> Result<Vec<BeginResult>, StoreError> {
    let end = |job: &&Begin| {
        if let Some(kept) = kept.get(&job.confirmation.secret) {
            return Ok(Ok(kept.clone()));
        }
        let capped = job.admission.capped(undecided.beside(job));
        capped.map(Err).ok_or_else(|| {
            StoreError::Unavailable("the confirmation was swept while it was begun again".into())
        })
    };
    jobs.iter().map(end).collect()
}
