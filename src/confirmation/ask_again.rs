//! To ask again at once about a confirmation that waits: an operator's push.

use super::{Confirmation, Decided, State};
use crate::clock::Timestamp;

/// Why the next attempt at a confirmation cannot be made due now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CannotAskAgain {
    /// It is decided.
    Decided(Decided),
    /// It is past its deadline: it is about to be decided.
    Overdue,
    /// A worker has claimed it until then, and is asking.
    BeingAsked(Timestamp),
    /// It is due already: the next worker that has room asks.
    Due,
}

impl Confirmation {
    /// Makes the next attempt due at `now`. A lease stays: the worker that holds it is asking.
    ///
    /// # Errors
    /// [`CannotAskAgain`] if there is nothing to make due.
    pub fn ask_again(mut self, now: Timestamp) -> Result<Self, CannotAskAgain> {
        match &mut self.state {
            State::Decided(decided) | State::Settled(decided) => {
                Err(CannotAskAgain::Decided(*decided))
            }
            State::Queued(_) if now >= self.deadline => Err(CannotAskAgain::Overdue),
            State::Queued(queued) => match queued.lease {
                Some(lease) if lease.until > now => Err(CannotAskAgain::BeingAsked(lease.until)),
                _ if queued.due_at <= now => Err(CannotAskAgain::Due),
                _ => {
                    queued.due_at = now;
                    Ok(self)
                }
            },
        }
    }
}
