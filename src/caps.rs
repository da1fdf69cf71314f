//! How much may be on its way at once, and who is counted together: nothing pending grows without bound.
//!
//! A begin costs nothing but a cookie that anybody can have, so what it stores is capped: for each client before for all
//! together, or one client could keep everybody else out. A begin that is repeated stores nothing and is never refused,
//! and nobody who is signed in is ever asked.

mod client;
mod undecided;

pub use client::{Client, Network};
pub(crate) use undecided::Undecided;

/// How much there may be at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caps {
    /// Undecided confirmations of one client (default 100).
    pub of_client: u32,
    /// Undecided confirmations in all (default 100,000).
    pub in_all: u32,
    /// Established sessions of one user (default 100): one more ends the one that was used longest ago.
    pub sessions: u32,
}

impl Default for Caps {
    fn default() -> Self {
        Self { of_client: 100, in_all: 100_000, sessions: 100 }
    }
}

/// On what terms a begin is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admission {
    /// Whose it is.
    pub client: Client,
    /// How many undecided confirmations the client may have with this one.
    pub of_client: u32,
    /// Whether there are as many undecided ones in all as there may be.
    pub full: bool,
}

/// A cap that was met: nothing was stored. The same call succeeds once something is decided, or long ago.
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
    /// How many undecided confirmations the client may have for one more to be let in now.
    pub(crate) fn room(&self) -> u32 {
        if self.full { 0 } else { self.of_client }
    }

    /// Why a begin was not let in whose client has `undecided` others; `None` if it could have been.
    pub(crate) fn capped(&self, undecided: u32) -> Option<Capped> {
        if undecided >= self.of_client { Some(Capped::Client) } else { self.full.then_some(Capped::All) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_over_its_own_cap_is_told_so_also_where_all_is_full() {
        let admission = |full| Admission { client: Client::from_bytes([1; 16]), of_client: 3, full };
        assert_eq!([2, 3].map(|undecided| admission(false).capped(undecided)), [None, Some(Capped::Client)]);
        let full = [Some(Capped::All), Some(Capped::Client)];
        assert_eq!([2, 3].map(|undecided| admission(true).capped(undecided)), full);
        assert_eq!([true, false].map(|full| admission(full).room()), [0, 3]);
    }
}
