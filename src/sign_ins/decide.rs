//! To decide a confirmation without the validator, and to announce what it came to.

use super::SignIns;
use crate::{
    channel::Channel,
    confirmation::{ConfirmationId, Decider, Decision, Ending},
    publisher::Announcement,
    store::{Settlement, StoreError},
    user::UserId,
};

impl SignIns {
    /// Decides a confirmation without asking the validator, then announces and returns its outcome.
    pub(crate) async fn decide(
        &self,
        id: ConfirmationId,
        decision: &Decision,
    ) -> Result<Option<Ending>, StoreError> {
        let Some(stored) = self
            .stores
            .confirmations
            .decide(id, Decider::User, decision, self.settlement())
            .await?
        else {
            return Ok(None);
        };
        if let Some(ending) = stored.ending() {
            self.announce(
                &Channel::of(&stored.secret),
                Announcement::Outcome(self.destinations.outcome(ending, stored.next.as_ref())),
            );
        }
        Ok(stored.ending())
    }

    pub(super) fn settlement(&self) -> Settlement {
        let new_user = UserId::generate(&*self.entropy);
        Settlement {
            now: self.clock.now(),
            new_user,
            bound: self.timing.bound,
            tells: self.notice_wake.is_some(),
        }
    }

    /// Publishing is an external call: no request waits for it.
    pub(super) fn announce(&self, channel: &Channel, announcement: Announcement) {
        let publisher = self.publisher.clone();
        let channel = channel.clone();
        tokio::spawn(async move {
            if let Err(error) = publisher.announce(&channel, &announcement).await {
                tracing::warn!(%error, "not announced; the page will ask");
            }
        });
    }
}
