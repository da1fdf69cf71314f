//! How many a worker claims at once, of one network and in all.

use super::Claim;
use crate::caps::Network;
use std::collections::HashMap;

/// How many confirmations a worker may claim, in all and of one network.
///
/// A network here is the widest that a [`Client`](crate::caps::Client) is in, so that having many
/// addresses brings no more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimLimits {
    /// How many in all.
    pub in_all: u32,
    /// How many of each network that is not named below.
    pub of_each: u32,
    /// How many of these networks. A network with 0 is left out.
    pub exceptions: HashMap<Network, u32>,
}

impl ClaimLimits {
    /// How many of this network.
    #[must_use]
    pub fn of(&self, network: &Network) -> u32 {
        self.exceptions
            .get(network)
            .copied()
            .unwrap_or(self.of_each)
    }

    /// The networks that are left out.
    pub fn left_out(&self) -> impl Iterator<Item = &Network> {
        self.exceptions
            .iter()
            .filter(|(_, limit)| **limit == 0)
            .map(|(network, _)| network)
    }

    /// Whether these claims are as many as one network may have, so that more of it may have been
    /// passed over.
    #[must_use]
    pub fn reached_by(&self, claims: &[Claim]) -> bool {
        let mut counts = HashMap::new();
        claims.iter().any(|claim| {
            let count = counts.entry(claim.network).or_insert(0_u32);
            *count += 1;
            *count >= self.of(&claim.network)
        })
    }
}

/// So many in all, of any network.
impl From<u32> for ClaimLimits {
    fn from(in_all: u32) -> Self {
        Self {
            in_all,
            of_each: in_all,
            exceptions: HashMap::new(),
        }
    }
}
