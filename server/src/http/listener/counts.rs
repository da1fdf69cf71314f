//! Who has how many connections, or requests under way.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use vestibule::caps::{Client, Shares, Tally};

/// How many each client has. Cheap to clone; clones are one.
#[derive(Clone, Debug, Default)]
pub struct ClientCounts(Arc<Mutex<Tally>>);

impl ClientCounts {
    /// Counts one more of `client` until what this returns is dropped. `None`: it has its `shares`.
    pub fn take(&self, client: Client, shares: Shares) -> Option<CountedClient> {
        self.tally().take(client, shares).then(|| CountedClient {
            counts: self.clone(),
            client,
        })
    }

    /// Whether `client` may have one more.
    pub fn admits(&self, client: Client, shares: Shares) -> bool {
        self.tally().admits(client, shares)
    }

    /// Whether no client has any.
    #[cfg(test)]
    pub fn is_empty(&self) -> bool {
        self.tally().is_empty()
    }

    /// Nothing in here panics halfway through a change, so a poisoned lock guards sound data.
    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One that counts for its client.
#[derive(Debug)]
pub struct CountedClient {
    counts: ClientCounts,
    client: Client,
}

impl Drop for CountedClient {
    fn drop(&mut self) {
        self.counts.tally().give_back(self.client);
    }
}
