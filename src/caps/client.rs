//! Who is counted together.

use crate::secret::{Keys, Mac, Purpose};
use std::{fmt, net::IpAddr};

/// Everybody at one network address, or in one /64 of IPv6, of which a single household has all.
///
/// A keyed hash: the database holds no addresses, and none can be found out from it by trying them all. Under a new key
/// each client counts from nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Client([u8; 16]);

impl Client {
    /// Who is at `address`.
    #[must_use]
    pub fn at(keys: &Keys, address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::cut(&keys.mac(Purpose::Client, &[&address.octets()])),
            IpAddr::V6(address) => Self::cut(&keys.mac(Purpose::Client, &[&address.octets()[..8]])),
        }
    }

    /// Everybody whose address is not known.
    #[must_use]
    pub fn unknown(keys: &Keys) -> Self {
        Self::cut(&keys.mac(Purpose::Client, &[]))
    }

    fn cut(mac: &Mac) -> Self {
        Self(std::array::from_fn(|place| mac.as_bytes()[place]))
    }

    /// The client with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The client's bytes, for a store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
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
        assert_ne!(client("0.0.0.0"), Client::unknown(&Keys::from_secret(&[1; 32])));
    }

    #[test]
    fn all_of_a_64_is_one_client_and_the_next_one_is_another() {
        assert_eq!(client("2001:db8:0:1::1"), client("2001:db8:0:1:ffff:ffff:ffff:ffff"));
        assert_ne!(client("2001:db8:0:1::1"), client("2001:db8:0:2::1"));
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
