//! How many links a mailbox is sent, and a client may ask for: a stranger uses up nothing that is
//! the owner's.
//!
//! A browser that has signed in to the address before has a budget apart from all others. What the
//! others have is shared out: one client cannot use up all of it.

use crate::caps::{Capped, Shares, Usage};

/// How many links an address is sent within [`WINDOW`](super::WINDOW) that were asked for in
/// browsers that have signed in to it before, and how many its mailbox is sent that were asked for
/// in other browsers. To ask for more looks the same.
pub const PER_ADDRESS: u32 = 5;
/// How many of the other browsers' links may all be one client's. Of the rest there is one for each
/// client.
const FREE: u32 = 3;

/// The terms on which links are posted: how much there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How many links the client and its networks may ask for within [`WINDOW`](super::WINDOW).
    pub shares: Shares,
    /// How many mails may wait, with this one. A browser that is known finds a tenth more.
    pub in_all: u32,
    /// How many links may be mailed within [`WINDOW`](super::WINDOW) to addresses that no user has,
    /// all together.
    pub strangers: u32,
}

/// What becomes of the mail of a link that is posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mailing {
    /// It is sent.
    Sent,
    /// It is never sent, but takes a mail's time: the requester cannot tell.
    Unsent,
    /// There is none: the address has had its share.
    None,
}

/// What is there when a link is posted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Links mailed to the address lately that were asked for in browsers that have signed in to
    /// it.
    pub to_known: u32,
    /// Links mailed to its mailbox lately that were asked for in other browsers.
    pub to_others: u32,
    /// Of those, how many in each of the client's [networks](crate::caps::Client::networks).
    pub to_networks: [u32; 3],
    /// Links that each of the client's networks has asked for lately, mailed or not.
    pub asked: [u32; 3],
    /// How many of those still wait to be sent.
    pub waiting: [u32; 3],
    /// Mails that wait, in all.
    pub in_all: u32,
    /// Links mailed lately to all addresses that no user has, if this is one more of those.
    pub to_strangers: u32,
}

impl Terms {
    /// How many waiting mails make a difference.
    pub(crate) const fn at_most(&self) -> u32 {
        self.in_all.saturating_add(self.in_all / 10)
    }

    /// What becomes of a link's mail where this is `there`: one that is asked for in a browser that
    /// is `known`, or not, and that goes to a user's address, or to a `stranger`'s. What strangers
    /// have asked for, from the same network or anywhere, counts for no browser that is known; and
    /// the requester does not learn whether an address is a stranger's.
    pub(crate) fn judge(
        &self,
        known: bool,
        stranger: bool,
        there: &Counts,
    ) -> Result<Mailing, Capped> {
        if known && there.to_known < PER_ADDRESS {
            return if there.in_all < self.at_most() {
                Ok(Mailing::Sent)
            } else {
                Err(Capped::All)
            };
        }
        if !self.shares.admit(there.asked) {
            return Err(Capped::Links);
        }
        if !self
            .shares
            .during(Usage::of(there.in_all, self.in_all))
            .admit(there.waiting)
        {
            return Err(Capped::All);
        }
        Ok(if known || !there.leaves_one_for_others() {
            Mailing::None
        } else if stranger && !self.admit_stranger(there) {
            Mailing::Unsent
        } else {
            Mailing::Sent
        })
    }

    /// Whether one more link may go to an address that no user has: in the last tenth, only for a
    /// client that has asked for nothing else.
    fn admit_stranger(&self, there: &Counts) -> bool {
        let usage = Usage::of(there.to_strangers, self.strangers);
        if usage == Usage::Full {
            tracing::warn!(
                most = self.strangers,
                "too many links to addresses without an account; sending no more of them"
            );
        }
        self.shares.during(usage).admit(there.asked)
    }
}

impl Counts {
    fn leaves_one_for_others(&self) -> bool {
        self.to_others < FREE
            || self.to_others < PER_ADDRESS && Shares::new(1).admit(self.to_networks)
    }
}

#[cfg(test)]
mod tests;
