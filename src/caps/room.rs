//! The caps, beside what is counted now and then: how much room there is.

use super::{Caps, Shares, Usage, count::CachedCount};
use crate::{
    clock::Timestamp,
    store::{ConfirmationQueue, StoreError},
};

/// How much room there is in one process for confirmations, within its caps.
#[derive(Debug, Default)]
pub struct Room {
    caps: Caps,
    undecided: CachedCount,
    later: CachedCount,
}

impl Room {
    /// Room within these caps.
    #[must_use]
    pub fn new(caps: Caps) -> Self {
        Self {
            caps,
            ..Self::default()
        }
    }

    /// The caps.
    #[must_use]
    pub const fn caps(&self) -> &Caps {
        &self.caps
    }

    /// How much is used of what may be undecided in all, which is `cap`.
    pub(crate) async fn usage(
        &self,
        cap: u32,
        now: Timestamp,
        queue: &dyn ConfirmationQueue,
    ) -> Result<Usage, StoreError> {
        let count = || queue.undecided(self.caps.in_all);
        self.undecided
            .admit("undecided confirmations", cap, now, count)
            .await
    }

    /// How many confirmations whose validator answers later the networks of a client may have: half
    /// of the caps, because they are undecided for long, and the other half is left for those that
    /// are not.
    pub(crate) async fn for_later(
        &self,
        now: Timestamp,
        queue: &dyn ConfirmationQueue,
    ) -> Result<Shares, StoreError> {
        let cap = self.caps.in_all / 2;
        let count = || queue.answered_later(cap);
        let usage = self
            .later
            .admit(
                "confirmations whose validator answers later",
                cap,
                now,
                count,
            )
            .await?;
        Ok(Shares::new(self.caps.of_client.div_ceil(2)).during(usage))
    }
}
