//! Nested shares: how much of a cap one client may use, and how much the networks around it.

use super::Client;

/// How many one client may have, and how many the wider networks that it is in may have together.
///
/// A /64 of IPv6 has one share, its /56 two and its /48 four: many clients of one /48 are mostly
/// one person, and never get more than four clients do. An address of IPv4 is all three networks,
/// so only its own share binds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shares {
    of_client: u32,
}

/// How many shares a client's /64, /56 and /48 have, as in [`Client::networks`].
const MULTIPLES: [u32; 3] = [1, 2, 4];

/// How much of a cap in all is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// Below the last tenth: each client has its share.
    Free,
    /// Within the last tenth, of which there is one for each client.
    Scarce,
    /// All of it: no client gets one.
    Full,
}

impl Usage {
    /// The usage where there are `count` and may be `cap`. A cap below ten has no last tenth.
    #[must_use]
    pub const fn of(count: u32, cap: u32) -> Self {
        if count >= cap {
            Self::Full
        } else if count >= cap - cap / 10 {
            Self::Scarce
        } else {
            Self::Free
        }
    }
}

impl Shares {
    /// Shares of `of_client` for one client.
    #[must_use]
    pub const fn new(of_client: u32) -> Self {
        Self { of_client }
    }

    /// The shares that are left while this much of a cap in all is used.
    #[must_use]
    pub fn during(self, usage: Usage) -> Self {
        match usage {
            Usage::Free => self,
            Usage::Scarce => Self::new(self.of_client.min(1)),
            Usage::Full => Self::new(0),
        }
    }

    /// How many there may be in each of a client's [networks](Client::networks).
    #[must_use]
    pub fn limits(self) -> [u32; 3] {
        MULTIPLES.map(|multiple| self.of_client.saturating_mul(multiple))
    }

    /// Whether a client may have one more whose networks have `there`.
    #[must_use]
    pub fn admit(self, there: [u32; 3]) -> bool {
        there
            .iter()
            .zip(self.limits())
            .all(|(there, limit)| *there < limit)
    }
}

/// How many there are in each of the networks of `client`, of those that `clients` have.
#[must_use]
pub fn in_networks(client: Client, clients: impl IntoIterator<Item = Client>) -> [u32; 3] {
    let mut counts = [0; 3];
    for other in clients {
        for (place, count) in counts.iter_mut().enumerate() {
            *count += u32::from(other.networks()[place..] == client.networks()[place..]);
        }
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(networks: [u8; 3]) -> Client {
        Client::in_networks(networks.map(|byte| [byte; 16]))
    }

    #[test]
    fn a_wider_network_has_twice_and_four_times_the_share_of_a_client() {
        assert_eq!(Shares::new(100).limits(), [100, 200, 400]);
        assert_eq!(Shares::new(u32::MAX).limits(), [u32::MAX; 3]);
        let shares = Shares::new(2);
        assert!(shares.admit([1, 3, 7]));
        for full in [[2, 3, 7], [1, 4, 7], [1, 3, 8]] {
            assert!(!shares.admit(full), "{full:?}");
        }
    }

    #[test]
    fn of_the_last_tenth_there_is_one_for_each_client_and_nothing_of_what_is_full() {
        let usages = [0, 89, 90, 99, 100, 101].map(|count| Usage::of(count, 100));
        assert_eq!(
            usages,
            [
                Usage::Free,
                Usage::Free,
                Usage::Scarce,
                Usage::Scarce,
                Usage::Full,
                Usage::Full
            ]
        );
        assert_eq!(Usage::of(8, 9), Usage::Free, "no tenth of a small cap");
        assert_eq!(Usage::of(0, 0), Usage::Full);
        let shares = [Usage::Free, Usage::Scarce, Usage::Full]
            .map(|usage| Shares::new(100).during(usage).limits());
        assert_eq!(shares, [[100, 200, 400], [1, 2, 4], [0; 3]]);
    }

    #[test]
    fn neighbours_count_in_the_networks_that_they_share() {
        let [own, next, far] = [
            client([1, 10, 100]),
            client([2, 10, 100]),
            client([3, 11, 100]),
        ];
        assert_eq!(
            in_networks(own, [own, next, far, client([4, 12, 101])]),
            [1, 2, 3]
        );
        let alone = Client::from_bytes([9; 16]);
        assert_eq!(
            in_networks(alone, [alone, own, alone]),
            [2; 3],
            "an address of IPv4 is all three"
        );
    }
}
