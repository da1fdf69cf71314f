//! The client that caps count by.

use crate::secret::{Keys, Mac, Purpose};
use std::{fmt, net::IpAddr};

/// Everyone at one network address, or in one /64 of IPv6, all of which a single household has.
///
/// A keyed hash: the database holds no addresses, and none can be found out from it by trying them
/// all. Under a new key each client counts from nothing.
///
/// Anyone with a whole /48 of IPv6 has 65,536 of them, so each also knows the wider
/// [networks](Self::networks) that it is a part of, for shares that are nested.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Client {
    networks: [Network; 3],
}

/// The keyed hash of a network.
pub type Network = [u8; 16];

impl Client {
    /// The client at `address`.
    #[must_use]
    pub fn at(keys: &Keys, address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => {
                Self::from_bytes(cut(&keys.mac(Purpose::Client, &[&address.octets()])))
            }
            IpAddr::V6(address) => {
                let network =
                    |bytes| cut(&keys.mac(Purpose::Client, &[&address.octets()[..bytes]]));
                Self {
                    networks: [8, 7, 6].map(network),
                }
            }
        }
    }

    /// Everyone whose address is not known.
    #[must_use]
    pub fn unknown(keys: &Keys) -> Self {
        Self::from_bytes(cut(&keys.mac(Purpose::Client, &[])))
    }

    /// The client with these bytes, which is in no wider network.
    #[must_use]
    pub const fn from_bytes(bytes: Network) -> Self {
        Self {
            networks: [bytes; 3],
        }
    }

    /// The client in these networks, the narrowest first.
    #[must_use]
    pub const fn in_networks(networks: [Network; 3]) -> Self {
        Self { networks }
    }

    /// The client's bytes, for a store.
    #[must_use]
    pub const fn as_bytes(&self) -> &Network {
        &self.networks[0]
    }

    /// The networks that the client is in, the narrowest first: its /64, /56 and /48. An address of
    /// IPv4 is all three.
    #[must_use]
    pub const fn networks(&self) -> &[Network; 3] {
        &self.networks
    }
}

fn cut(mac: &Mac) -> Network {
    std::array::from_fn(|place| mac.as_bytes()[place])
}

/// A keyed hash, by which one client's lines in the log are found.
impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.networks[0]
            .iter()
            .take(8)
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Client(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(address: &str) -> Client {
        Client::at(&Keys::from_secret(&[1; 32]), address.parse().unwrap())
    }

    #[test]
    fn one_address_is_one_client_however_it_is_written() {
        assert_eq!(client("192.0.2.1"), client("::ffff:192.0.2.1"));
        assert_ne!(client("192.0.2.1"), client("192.0.2.2"));
        assert_ne!(
            client("0.0.0.0"),
            Client::unknown(&Keys::from_secret(&[1; 32]))
        );
    }

    #[test]
    fn all_of_a_64_is_one_client_and_the_next_one_is_another() {
        assert_eq!(
            client("2001:db8:0:1::1"),
            client("2001:db8:0:1:ffff:ffff:ffff:ffff")
        );
        assert_ne!(client("2001:db8:0:1::1"), client("2001:db8:0:2::1"));
    }

    #[test]
    fn a_64_is_in_a_56_and_in_a_48_and_an_address_of_ipv4_is_alone() {
        let [own, wider, widest] = *client("2001:db8:1:1::1").networks();
        assert_eq!(client("2001:db8:1:ff::1").networks()[1..], [wider, widest]);
        assert_ne!(client("2001:db8:1:100::1").networks()[1], wider);
        assert_eq!(client("2001:db8:1:ffff::1").networks()[2], widest);
        assert_ne!(client("2001:db8:2:1::1").networks()[2], widest);
        assert!(own != wider && wider != widest);
        let address = client("192.0.2.1");
        assert_eq!(*address.networks(), [*address.as_bytes(); 3]);
    }

    #[test]
    fn a_client_tells_nothing_of_its_address_without_the_key() {
        let address = "192.0.2.1".parse().unwrap();
        assert_ne!(
            Client::at(&Keys::from_secret(&[1; 32]), address),
            Client::at(&Keys::from_secret(&[2; 32]), address)
        );
    }
}
