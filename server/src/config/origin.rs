//! The origin that browsers see (RFC 6454).

use std::net::IpAddr;
use url::Url;
use vestibule::path::{Base, InvalidBase};

/// A scheme, a host and a port, as browsers write them in `Origin`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    text: String,
    secure: bool,
}

impl Origin {
    /// Reads a public address. Its cookies must reach browsers: plain HTTP is for loopback alone.
    ///
    /// # Errors
    /// Says what is wrong with the address.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let url: Url = text.parse().map_err(|_| "not an address with https://")?;
        if url.path() != "/"
            || url.query().is_some()
            || url.fragment().is_some()
            || !url.username().is_empty()
        {
            return Err("it has more than scheme, host and port");
        }
        if !url.has_host() {
            return Err("it has no host");
        }
        let loopback = is_loopback(&url);
        match url.scheme() {
            "https" => Ok(Self {
                text: url.origin().ascii_serialization(),
                secure: true,
            }),
            "http" if loopback => Ok(Self {
                text: url.origin().ascii_serialization(),
                secure: false,
            }),
            "http" => Err("browsers keep no session for a plain http:// address"),
            _ => Err("not an address with https://"),
        }
    }

    /// The origin as browsers write it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether cookies can be `Secure`: everywhere but on plain-HTTP loopback.
    pub const fn is_secure(&self) -> bool {
        self.secure
    }

    /// The port.
    pub fn port(&self) -> u16 {
        let port = self.text.rsplit_once(':').map(|(_, port)| port.parse());
        match port {
            Some(Ok(port)) => port,
            _ if self.secure => 443,
            _ => 80,
        }
    }

    /// The host, with its port if that is not the scheme's own, as browsers write it in `Host`.
    pub fn host(&self) -> &str {
        self.text.split_once("://").map_or("", |(_, host)| host)
    }
}

/// Reads a public address: an origin, and the base, which is what of it is a path.
///
/// # Errors
/// Says what is wrong with the address.
pub fn public(text: &str) -> Result<(Origin, Base), String> {
    // As it is written: a parser would have resolved `..` and the like.
    let host = text.find("://").map_or(0, |scheme| scheme + 3);
    let end = text[host..].find('/').map_or(text.len(), |end| host + end);
    let (origin, path) = text.split_at(end);
    let origin = Origin::parse(origin)?;
    let base = path.strip_suffix('/').unwrap_or(path).parse();
    let base = base.map_err(|error: InvalidBase| error.to_string())?;
    Ok((origin, base))
}

/// Whether an address leads to this machine.
pub fn is_loopback(url: &Url) -> bool {
    url.host_str().is_some_and(is_loopback_host)
}

/// Whether a host's name or address is this machine's.
pub fn is_loopback_host(host: &str) -> bool {
    let address = host.trim_matches(['[', ']']).parse();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|ip: IpAddr| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_the_schemes_own_unless_another_is_named() {
        for (text, port) in [
            ("http://127.0.0.1:3000", 3000),
            ("http://[::1]:8080", 8080),
            ("http://[::1]", 80),
            ("http://localhost", 80),
            ("https://app.example", 443),
            ("https://app.example:8443", 8443),
        ] {
            assert_eq!(
                Origin::parse(text).map(|origin| origin.port()),
                Ok(port),
                "{text}"
            );
        }
    }

    #[test]
    fn an_origin_is_written_as_browsers_write_it() {
        assert_eq!(
            Origin::parse("https://Sign-In.example:443/")
                .unwrap()
                .as_str(),
            "https://sign-in.example"
        );
        assert_eq!(
            Origin::parse("http://[::1]:3000").unwrap().host(),
            "[::1]:3000"
        );
        assert!(!Origin::parse("http://127.0.0.1:3000").unwrap().is_secure());
    }

    #[test]
    fn an_address_with_more_or_less_than_an_origin_is_refused() {
        for bad in [
            "",
            "example",
            "ftp://a",
            "http://a.example",
            "https://a/b",
            "https://u@a",
            "https://a?x",
        ] {
            assert!(Origin::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_public_address_may_have_a_path_that_is_written_in_one_way() {
        for (text, origin, base) in [
            ("https://app.example", "https://app.example", ""),
            ("https://app.example/", "https://app.example", ""),
            ("https://App.example/auth", "https://app.example", "/auth"),
            ("https://app.example/auth/", "https://app.example", "/auth"),
            (
                "http://localhost:3000/a/b/c",
                "http://localhost:3000",
                "/a/b/c",
            ),
        ] {
            let (public, path) = public(text).unwrap();
            assert_eq!((public.as_str(), path.as_str()), (origin, base), "{text}");
        }
        for bad in [
            "https://app.example/auth?x=1",
            "https://app.example/auth#x",
            "https://app.example?x=/auth",
            "https://app.example//auth",
            "https://app.example//",
            "https://app.example/a//b",
            "https://app.example/auth/..",
            "https://app.example/a/../b",
            "https://app.example/%61uth",
            "https://app.example/a.b",
            "https://app.example/a/b/c/d",
            "https://app.example\\auth",
            "https:/app.example/auth",
            "app.example/auth",
            "/auth",
            "http://app.example/auth",
        ] {
            assert!(public(bad).is_err(), "{bad}");
        }
    }
}
