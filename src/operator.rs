//! What an operator does about single confirmations: cancel one, or have the validator asked again.
//!
//! An operator's cancel is the user's, but for what has gone to a browser already: a session that
//! was exchanged is ended by signing its user out, not here.

use crate::{
    channel::Channel,
    clock::Clock,
    confirmation::{CannotAskAgain, Confirmation, ConfirmationId, Decided, Rejection, State},
    link::LinkToken,
    outcome::Destinations,
    publisher::{Announcement, Publisher},
    secret::{Entropy, Keys},
    session::{Session, SessionState},
    sign_ins::{CancelResult, cancel},
    store::{Settlement, StoreError, Stores},
    timing::Timing,
    user::UserId,
};
use std::sync::Arc;

/// What an operator works with.
#[derive(Clone)]
pub struct Operator {
    /// Where everything is stored.
    pub stores: Stores,
    /// Who tells the browsers.
    pub publisher: Arc<dyn Publisher>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Unpredictable bytes.
    pub entropy: Arc<dyn Entropy>,
    /// The operator's keys, which unseal tokens.
    pub keys: Arc<Keys>,
    /// Where outcomes lead.
    pub destinations: Destinations,
    /// How long each part may take.
    pub timing: Timing,
}

/// What an operator's cancel came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cancelled {
    /// It is cancelled now.
    Now,
    /// It was decided before, and that stands.
    DecidedBefore(Decided),
}

/// What came of an operator's wish to have the validator asked again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AskedAgain {
    /// It is due now: the next worker that has room asks.
    Now,
    /// There is nothing to make due.
    Not(CannotAskAgain),
    /// Its token is of a link of our own: no validator is ever asked about it.
    LinkOfOurs,
    /// Its token was sealed under a key that is not among the operator's.
    Sealed,
}

impl Operator {
    /// Cancels the confirmation, and announces that to its browser. `None`: there is none with this
    /// id.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be stored.
    pub async fn cancel(&self, id: ConfirmationId) -> Result<Option<Cancelled>, StoreError> {
        let Some(confirmation) = self.stores.confirmations.confirmation(id).await? else {
            return Ok(None);
        };
        let channel = Channel::of(&confirmation.secret);
        let now = self.clock.now();
        let settlement = Settlement {
            now,
            new_user: UserId::generate(&*self.entropy),
            bound: self.timing.bound,
            tells: false,
        };
        let waits_for_browser = |session: &Session| {
            matches!(session.state, SessionState::Bound { .. }) && session.is_live(now)
        };
        let result = cancel(&self.stores, confirmation, settlement, waits_for_browser).await?;
        match result {
            CancelResult::Cancelled => {
                self.announce_cancelled(&channel).await;
                Ok(Some(Cancelled::Now))
            }
            CancelResult::Stands(Confirmation {
                state: State::Decided(decided) | State::Settled(decided),
                ..
            }) => Ok(Some(Cancelled::DecidedBefore(decided))),
            // A store breaks its promise: a user may cancel whatever is queued.
            CancelResult::Stands(_) => Err(StoreError::Unavailable("nothing was decided".into())),
        }
    }

    async fn announce_cancelled(&self, channel: &Channel) {
        let outcome = self.destinations.rejected(Rejection::Cancelled);
        let announcement = Announcement::Outcome(outcome);
        if let Err(error) = self.publisher.announce(channel, &announcement).await {
            tracing::warn!(%error, "not announced; the page will ask");
        }
    }

    /// Makes the next question about the confirmation due now. `None`: there is none with this id.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be stored.
    pub async fn ask_again(&self, id: ConfirmationId) -> Result<Option<AskedAgain>, StoreError> {
        loop {
            let Some(confirmation) = self.stores.confirmations.confirmation(id).await? else {
                return Ok(None);
            };
            if let Some(unaskable) = self.unaskable(&confirmation) {
                return Ok(Some(unaskable));
            }
            // The statement decides; what was read before only explains why it did nothing.
            let now = self.clock.now();
            if self.stores.queue.ask_again(id, now).await? {
                return Ok(Some(AskedAgain::Now));
            }
            if let Err(why) = confirmation.ask_again(now) {
                return Ok(Some(AskedAgain::Not(why)));
            }
            // It has changed between the two: what it is now explains it.
        }
    }

    /// Whether no validator can be asked about it, whenever it is due.
    fn unaskable(&self, confirmation: &Confirmation) -> Option<AskedAgain> {
        let State::Queued(queued) = &confirmation.state else {
            return None;
        };
        match queued.token.open(&self.keys, confirmation.id) {
            Ok(token) if LinkToken::is_ours(&self.keys, &token) => Some(AskedAgain::LinkOfOurs),
            Ok(_) => None,
            Err(_) => Some(AskedAgain::Sealed),
        }
    }
}
