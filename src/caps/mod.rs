//! How much may be on its way at once, and who is counted together: nothing pending grows without
//! bound.
//!
//! A begin costs nothing but a cookie that anyone can have, so what it stores is capped: for each
//! client before for all together, or one client could keep all others out. A begin that is
//! repeated stores nothing and is never refused, and a signed-in user never meets a cap.

mod client;
mod count;
mod room;
mod shares;
mod tally;

pub use client::{Client, Network};
pub use room::Room;
pub use shares::{Shares, Usage, in_networks};
pub use tally::Tally;

/// How much there may be at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caps {
    /// Undecided confirmations of one client (default 100): the [share](Shares) of an address, or
    /// of a /64 of IPv6.
    pub of_client: u32,
    /// Undecided confirmations in all (default 100,000).
    pub in_all: u32,
    /// Established sessions of one user (default 100): one more ends the one that was used longest
    /// ago.
    pub sessions: u32,
}

impl Default for Caps {
    fn default() -> Self {
        Self {
            of_client: 100,
            in_all: 100_000,
            sessions: 100,
        }
    }
}

/// On what terms a begin is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admission {
    /// Whose it is.
    pub client: Client,
    /// How many undecided confirmations the client and its networks may have with this one.
    pub shares: Shares,
    /// How many undecided ones there are in all, beside how many there may be.
    pub usage: Usage,
}

/// A cap that was met: nothing was stored. The same call succeeds once something is decided, or
/// long ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Capped {
    /// The client has as many undecided confirmations as it may.
    #[error("the client has as many undecided confirmations as it may")]
    Client,
    /// The client has asked for as many links as it may within an hour.
    #[error("the client has asked for as many links as it may")]
    Links,
    /// There are as many undecided confirmations in all as there may be, or as many mails wait.
    #[error("there are as many undecided confirmations, or mails that wait, as there may be")]
    All,
}

impl Admission {
    /// Why a begin was not let in whose networks have `undecided` others; `None` if it could have
    /// been.
    pub(crate) fn capped(&self, undecided: [u32; 3]) -> Option<Capped> {
        if !self.shares.admit(undecided) {
            Some(Capped::Client)
        } else if !self.shares.during(self.usage).admit(undecided) {
            Some(Capped::All)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_over_its_own_cap_is_told_so_also_where_all_is_full() {
        let admission = |usage| Admission {
            client: Client::from_bytes([1; 16]),
            shares: Shares::new(3),
            usage,
        };
        let capped = |usage| [0, 1, 2, 3].map(|undecided| admission(usage).capped([undecided; 3]));
        let own = Some(Capped::Client);
        let all = Some(Capped::All);
        assert_eq!(capped(Usage::Free), [None, None, None, own]);
        assert_eq!(capped(Usage::Scarce), [None, all, all, own]);
        assert_eq!(capped(Usage::Full), [all, all, all, own]);
    }
}
