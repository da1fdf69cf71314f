//! How many of something each client has at the moment.

use super::{Client, Network, Shares};
use std::collections::HashMap;

/// How many of something the networks of each client have, the narrowest networks first. A network
/// that has none takes no room.
#[derive(Debug, Default)]
pub struct Tally([HashMap<Network, u32>; 3]);

impl Tally {
    /// Whether `client` may have one more, because neither it nor a network around it has its
    /// `shares`.
    #[must_use]
    pub fn admits(&self, client: Client, shares: Shares) -> bool {
        shares.admit(self.around(client))
    }

    /// How many there are in each of the client's networks.
    pub(crate) fn around(&self, client: Client) -> [u32; 3] {
        let networks = client.networks();
        std::array::from_fn(|place| self.0[place].get(&networks[place]).copied().unwrap_or(0))
    }

    /// Counts one more of `client`, if it may have it.
    #[must_use]
    pub fn take(&mut self, client: Client, shares: Shares) -> bool {
        if !self.admits(client, shares) {
            return false;
        }
        self.add(client, 1);
        true
    }

    /// Counts so many more of `client`, whatever it may have.
    pub(crate) fn add(&mut self, client: Client, number: u32) {
        for (counts, network) in self.0.iter_mut().zip(client.networks()) {
            *counts.entry(*network).or_default() += number;
        }
    }

    /// One of `client` is gone that was counted.
    pub fn give_back(&mut self, client: Client) {
        for (counts, network) in self.0.iter_mut().zip(client.networks()) {
            if let Some(count) = counts.get_mut(network) {
                *count -= 1;
                if *count == 0 {
                    counts.remove(network);
                }
            }
        }
    }

    /// Whether no client has any.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(HashMap::is_empty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_and_the_networks_around_it_have_their_shares_and_leave_nothing_behind() {
        let client = |networks: [u8; 3]| Client::in_networks(networks.map(|byte| [byte; 16]));
        let mut tally = Tally::default();
        let mut taken = Vec::new();
        // One /64, then other /64s of one /56, then other /56s of one /48, then another /48.
        for (networks, has_room) in [
            ([1, 1, 1], true),
            ([1, 1, 1], true),
            ([1, 1, 1], false),
            ([2, 1, 1], true),
            ([3, 1, 1], true),
            ([4, 1, 1], false),
            ([5, 2, 1], true),
            ([6, 3, 1], true),
            ([7, 4, 1], true),
            ([8, 5, 1], true),
            ([9, 6, 1], false),
            ([10, 7, 2], true),
        ] {
            assert_eq!(
                tally.take(client(networks), Shares::new(2)),
                has_room,
                "{networks:?}"
            );
            taken.extend(has_room.then(|| client(networks)));
        }
        assert!(!tally.is_empty());
        for client in taken {
            tally.give_back(client);
        }
        assert!(tally.is_empty());
    }
}
