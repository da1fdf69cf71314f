//! The trusted proxies, and the client address that they report.

use axum::http::HeaderMap;
use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};

/// The header to which each proxy appends the address of its client.
pub const FORWARDED_FOR: &str = "x-forwarded-for";

/// The trusted proxies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies(Vec<IpNet>);

impl Proxies {
    /// Reads networks and single addresses, separated by commas.
    ///
    /// # Errors
    /// Says what is wrong with them.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let network = |text: &str| {
            let address = text.parse::<IpAddr>().map(IpNet::from);
            let network: IpNet = text
                .parse()
                .or(address)
                .map_err(|_| "not addresses or networks such as 10.0.0.0/8, separated by commas")?;
            // Then any client could claim any address.
            if network.prefix_len() == 0 {
                Err(
                    "a network of all addresses, so any client could claim another's; name your proxies alone",
                )
            } else {
                Ok(network)
            }
        };
        text.split(',')
            .map(|text| network(text.trim()))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether `address`, in its canonical form, is one of them.
    pub fn trusts(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The client of a request that `peer` sent: the last forwarder that is not trusted, because it
    /// may have invented the addresses before its own.
    pub fn origin(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut from = peer.to_canonical();
        let lines = headers.get_all(FORWARDED_FOR).iter().rev();
        for named in lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b',')) {
            if !self.trusts(from) {
                break;
            }
            // A proxy that names no client counts as the client for everyone behind it.
            let Some(named) = std::str::from_utf8(named).ok().and_then(address) else {
                break;
            };
            from = named;
        }
        from
    }
}

/// An address, perhaps with a port, as proxies write them.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'))
        .unwrap_or(text);
    let with_port = || text.parse::<SocketAddr>().map(|address| address.ip());
    bare.parse()
        .or_else(|_| with_port())
        .ok()
        .map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    fn origin(peer: &str, forwarded_for: &[&'static str]) -> String {
        let proxies = Proxies::parse("10.0.0.0/8, 192.0.2.7, 2001:db8:ffff::/48").unwrap();
        let line = |line: &&'static str| {
            (
                HeaderName::from_static(FORWARDED_FOR),
                HeaderValue::from_static(line),
            )
        };
        let headers = forwarded_for.iter().map(line).collect();
        proxies.origin(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn without_a_trusted_proxy_it_is_the_connection_whatever_is_said() {
        assert_eq!(origin("198.51.100.1", &[]), "198.51.100.1");
        assert_eq!(origin("198.51.100.1", &["203.0.113.9"]), "198.51.100.1");
        assert_eq!(
            origin("198.51.100.1", &["203.0.113.9, 10.0.0.1"]),
            "198.51.100.1"
        );
    }

    #[test]
    fn a_trusted_proxy_is_believed_and_so_is_a_second_one_behind_it() {
        assert_eq!(origin("10.0.0.1", &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(origin("::ffff:10.0.0.1", &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(
            origin("10.0.0.1", &["203.0.113.9, 192.0.2.7"]),
            "203.0.113.9"
        );
        assert_eq!(
            origin("2001:db8:ffff::1", &["203.0.113.9", "192.0.2.7,10.9.9.9"]),
            "203.0.113.9"
        );
    }

    #[test]
    fn what_the_client_itself_has_written_is_never_reached() {
        assert_eq!(origin("10.0.0.1", &["1.1.1.1, 203.0.113.9"]), "203.0.113.9");
        assert_eq!(
            origin("10.0.0.1", &["10.0.0.5, 203.0.113.9"]),
            "203.0.113.9"
        );
        assert_eq!(
            origin("10.0.0.1", &["1.1.1.1", "203.0.113.9"]),
            "203.0.113.9"
        );
    }

    #[test]
    fn a_proxy_that_names_no_client_stands_for_all_behind_it() {
        for unusable in [
            &[][..],
            &[""],
            &["unknown"],
            &["203.0.113.9, unknown"],
            &["203.0.113.9,"],
        ] {
            assert_eq!(origin("10.0.0.1", unusable), "10.0.0.1", "{unusable:?}");
        }
        assert_eq!(
            origin("10.0.0.1", &["10.0.0.3, 10.0.0.2"]),
            "10.0.0.3",
            "all of them are trusted"
        );
    }

    #[test]
    fn addresses_are_read_as_proxies_write_them() {
        for (written, meant) in [
            (" 203.0.113.9:4711", "203.0.113.9"),
            ("2001:db8::1", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:443 ", "2001:db8::1"),
            ("::ffff:203.0.113.9", "203.0.113.9"),
        ] {
            assert_eq!(
                address(written)
                    .map(|address| address.to_string())
                    .as_deref(),
                Some(meant),
                "{written}"
            );
        }
    }

    #[test]
    fn proxies_that_are_none_are_refused() {
        let everybody = ["0.0.0.0/0", "::/0", "10.0.0.1, 203.0.113.7/0"];
        let none = [
            "",
            "proxy.example",
            "10.0.0.0/33",
            "10.0.0.1,",
            "10.0.0.1 10.0.0.2",
        ];
        for bad in none.into_iter().chain(everybody) {
            assert!(Proxies::parse(bad).is_err(), "{bad}");
        }
    }
}
