//! To begin many confirmations at once: what follows from what, without a word of SQL.

use super::StoreError;
use crate::{
    caps::{Admission, Capped, Network},
    confirmation::{Confirmation, Queued, State},
    secret::SecretHash,
    session::Session,
};
use std::collections::HashMap;

/// A confirmation that is to begin, and its session unless that is kept elsewhere.
#[derive(Clone, Debug)]
pub(super) struct Begin {
    pub confirmation: Confirmation,
    pub session: Option<Session>,
    pub admission: Admission,
}

/// The confirmation that is now kept under the pending secret. To be refused is no failure: it
/// undoes nothing of those who share the transaction.
pub(super) type Begun = Result<Confirmation, Capped>;

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

/// How many undecided confirmations some clients have, each with its networks.
pub(super) struct Undecided(pub Vec<([Network; 3], u32)>);

impl Undecided {
    /// How many there are in each of the networks of `job`.
    fn beside(&self, job: &Begin) -> [u32; 3] {
        let networks = job.admission.client.networks();
        std::array::from_fn(|place| {
            let there = self
                .0
                .iter()
                .filter(|(others, _)| others[place] == networks[place]);
            there.map(|(_, number)| number).sum()
        })
    }
}

/// What is kept under the secrets of those that were begun before, or now.
pub(super) type Kept = HashMap<SecretHash, Confirmation>;

/// What all `jobs` came to where each secret has its confirmation; `None` if one has none, which
/// was refused then.
pub(super) fn all_kept(jobs: &[&Begin], kept: &Kept) -> Option<Vec<Begun>> {
    let kept = |job: &&Begin| kept.get(&job.confirmation.secret).cloned().map(Ok);
    jobs.iter().map(kept).collect()
}

/// What `jobs` came to where some were refused, beside what is `undecided` in their networks.
pub(super) fn ends(
    jobs: &[&Begin],
    kept: &Kept,
    undecided: &Undecided,
) -> Result<Vec<Begun>, StoreError> {
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
