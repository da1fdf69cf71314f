//! Sessions in a store of their own: if a process is killed between two writes, the next one to
//! look finishes.

mod begin;
mod ends;
mod settle;

use crate::support::{Sample, at, session_stores, worker};
use std::{sync::Arc, time::Duration};
use vestibule::{
    confirmation::{Claim, Decider, Which},
    store::{SessionStore, Stores},
    testing::MemoryDatabase,
};

const BOUND: Duration = Duration::from_mins(15);

/// Both stores. A test can write to one alone, as a process that is killed half-way does.
struct Split {
    database: Arc<MemoryDatabase>,
    sessions: Arc<dyn SessionStore>,
    both: Stores,
}

impl Split {
    /// Empty ones, with each kind of session store. A test opens with
    /// `for stores in Split::all().await`.
    async fn all() -> Vec<Self> {
        session_stores().await.into_iter().map(Self::with).collect()
    }

    fn with(sessions: Arc<dyn SessionStore>) -> Self {
        let database = Arc::<MemoryDatabase>::default();
        let both = database
            .stores(sessions.clone())
            .with_external_sessions(sessions.clone(), BOUND);
        Self {
            database,
            sessions,
            both,
        }
    }

    async fn claimed(&self, number: u8) -> (Sample, Claim, Decider) {
        let sample = Sample::new(number).begun(&*self.both.confirmations).await;
        let claim = self
            .both
            .queue
            .claim(worker(1), Which::Any, &1.into(), at(0), at(30))
            .await
            .unwrap()
            .remove(0);
        let decider = Decider::Worker { fence: claim.fence };
        (sample, claim, decider)
    }

    async fn has_session(&self, sample: &Sample) -> bool {
        self.sessions
            .session(sample.session.id)
            .await
            .unwrap()
            .is_some()
    }
}
