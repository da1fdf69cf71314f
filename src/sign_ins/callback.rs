//! What a validator says by calling back: a verdict, or how far its check has come.
//!
//! It may come at any time and more than once: before the answer to the question, while a worker
//! asks, after a cancel. The first decision stands.

use super::SignIns;
use crate::{
    audit,
    caps::Shares,
    channel::Channel,
    confirmation::{
        Confirmation, ConfirmationId, Decider, Decision, Ending, Later, Noted, Rejection, State,
        Wait,
    },
    link::LinkToken,
    publisher::Announcement,
    store::StoreError,
    token::Token,
    validator::Answer,
};
use vestibule_protocol::Step;

/// How a validator's callback was received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reception {
    /// It has decided, or been noted; or the same was decided before.
    Taken,
    /// Something else was decided before, which stands.
    Contradicts,
    /// It came too late: the confirmation was cancelled, or is past its deadline.
    TooLate,
    /// It says that it answers later, and too many confirmations wait for that: nothing has changed.
    NoRoom,
    /// The validator is asked about no such confirmation, or it was deleted long ago.
    Unknown,
}

impl SignIns {
    /// Receives what a validator says of the confirmation `id` by calling back.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be stored: the validator is to call again.
    pub async fn receive(
        &self,
        id: ConfirmationId,
        answer: Answer,
    ) -> Result<Reception, StoreError> {
        let Some(confirmation) = self.stores.confirmations.confirmation(id).await? else {
            return Ok(Reception::Unknown);
        };
        let waiting = match &confirmation.state {
            State::Queued(queued) => match queued.token.open(&self.keys, id) {
                // No validator is ever asked about one of ours.
                Ok(token) if LinkToken::is_ours(&self.keys, &token) => {
                    return Ok(Reception::Unknown);
                }
                Ok(token) => Some((queued.later, token)),
                // A worker is about to decide that it is unavailable.
                Err(_) => return Ok(Reception::TooLate),
            },
            State::Decided(_) | State::Settled(_) => None,
        };
        match (answer, waiting) {
            (Answer::Verdict(verdict), Some((later, token))) => {
                let decision = self.destinations.decision(verdict);
                let told_later = later.map(|_| token);
                self.decide_for_validator(&confirmation, &decision, told_later)
                    .await
            }
            (Answer::Verdict(verdict), None) => {
                let decision = self.destinations.decision(verdict);
                self.compare(&confirmation, &decision).await
            }
            (Answer::Pending(stage), Some((before, _))) => {
                self.wait_for(&confirmation, before, Later { stage }).await
            }
            (Answer::Pending(_), None) => Ok(late_stage(&confirmation)),
        }
    }

    /// `told_later`: the token of one whose browser was told that it may take longer.
    async fn decide_for_validator(
        &self,
        confirmation: &Confirmation,
        decision: &Decision,
        told_later: Option<Token>,
    ) -> Result<Reception, StoreError> {
        let settlement = self.settlement();
        let stored = self
            .stores
            .confirmations
            .decide(confirmation.id, Decider::Validator, decision, settlement)
            .await?;
        let Some(stored) = stored else {
            return Ok(Reception::Unknown);
        };
        let reception = self.compare(&stored, decision).await?;
        if reception == Reception::Taken
            && let Some(ending) = stored.ending()
        {
            audit::settled(&stored, ending, settlement.now);
            if let (Ending::Confirmed(_), Some(wake)) = (ending, &self.notice_wake) {
                wake.notify_one();
            }
            self.announce(
                &Channel::of(&stored.secret),
                Announcement::Outcome(self.destinations.outcome(ending, stored.next.as_ref())),
            );
            if let (Some(outbox), Some(token)) = (&self.outbox, &told_later) {
                let lives = self.timing.bound;
                outbox.tell_confirmed(&stored, token, lives).await;
            }
        }
        Ok(reception)
    }

    /// Whether what is decided is what `decision` would have come to.
    async fn compare(
        &self,
        confirmation: &Confirmation,
        decision: &Decision,
    ) -> Result<Reception, StoreError> {
        let Some(ending) = confirmation.ending() else {
            return Ok(Reception::TooLate);
        };
        let users = &self.stores.users;
        let is_same = match (ending, decision) {
            (Ending::Unavailable | Ending::Rejected(Rejection::Cancelled), _) => {
                return Ok(Reception::TooLate);
            }
            (Ending::Confirmed(user), Decision::Valid(identity, _)) => {
                let known = users.user(user).await?;
                known.is_some_and(|known| {
                    (&known.identity.issuer, &known.identity.subject)
                        == (&identity.issuer, &identity.subject)
                })
            }
            // A user who may not sign in.
            (Ending::Rejected(Rejection::Invalid), Decision::Valid(identity, _)) => {
                let known = users
                    .user_by_identity(&identity.issuer, &identity.subject)
                    .await?;
                known.is_some_and(|known| known.disabled)
            }
            (Ending::Rejected(decided), Decision::Rejected(said)) => decided == *said,
            _ => false,
        };
        Ok(if is_same {
            Reception::Taken
        } else {
            Reception::Contradicts
        })
    }

    async fn wait_for(
        &self,
        confirmation: &Confirmation,
        before: Option<Later>,
        later: Later,
    ) -> Result<Reception, StoreError> {
        let queue = &*self.stores.queue;
        let now = self.clock.now();
        let wait = Wait {
            later,
            deadline: confirmation.created_at + self.timing.wait,
            room: match before {
                Some(_) => Shares::new(0),
                None => self.room.for_later(now, queue).await?,
            },
        };
        let id = confirmation.id;
        match self.stores.confirmations.wait(id, wait, now).await? {
            Noted::Stored => {}
            Noted::NoRoom => return Ok(Reception::NoRoom),
            Noted::TooLate => {
                let stored = self.stores.confirmations.confirmation(id).await?;
                return Ok(stored.as_ref().map_or(Reception::Unknown, late_stage));
            }
        }
        if Some(later) > before {
            let step = Step::Later { stage: later.stage };
            self.announce(
                &Channel::of(&confirmation.secret),
                Announcement::Progress(step),
            );
        }
        Ok(Reception::Taken)
    }
}

/// What is said of a stage that comes when there is nothing left to wait for.
fn late_stage(confirmation: &Confirmation) -> Reception {
    match confirmation.ending() {
        None | Some(Ending::Unavailable | Ending::Rejected(Rejection::Cancelled)) => {
            Reception::TooLate
        }
        Some(_) => Reception::Contradicts,
    }
}
