//! The host that a request was sent to: the one `Host` that it names (RFC 9112, section 3.2).

use axum::http::{Version, header, request::Parts, uri::Authority};

/// The host of a request, with its port if it names one. `None` if there is more than one, if it is
/// invalid, or if it is missing though the protocol requires it: a proxy that forwarded such a
/// request may have read it differently.
///
/// The host in a request's target counts more than the header, which must be good all the same.
pub fn of(request: &Parts) -> Option<&str> {
    let mut lines = request.headers.get_all(header::HOST).iter();
    let line = lines.next();
    if lines.next().is_some() || line.is_some_and(|host| !host.to_str().is_ok_and(is_host)) {
        return None;
    }
    let target = request.uri.authority().map(Authority::as_str);
    // HTTP/1.0 needs none: the request names no host then.
    let absent = (request.version < Version::HTTP_11).then_some("");
    target
        .or_else(|| line?.to_str().ok())
        .map_or(absent, |host| is_host(host).then_some(host))
}

/// Whether this is a host, perhaps with a port, and nothing else (RFC 3986, section 3.2.2). The
/// marks that a name might have by that are left out: no host has them, and a comma is how two
/// hosts are joined to one.
fn is_host(text: &str) -> bool {
    let usual = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%:[]".contains(&byte);
    let host = text
        .parse::<Authority>()
        .ok()
        .filter(|_| text.bytes().all(usual));
    host.is_some_and(|authority| {
        let port = &text[authority.host().len()..];
        let good_port = port.is_empty()
            || port == ":"
            || (port.starts_with(':') && authority.port_u16().is_some());
        !authority.host().is_empty() && good_port
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::extract::Request;

    fn host(target: &str, version: Version, lines: &[&[u8]]) -> Option<String> {
        let mut request = Request::builder().uri(target).version(version);
        for line in lines {
            request = request.header(header::HOST, *line);
        }
        let request: Request = request.body(axum::body::Body::empty()).unwrap();
        of(&request.into_parts().0).map(str::to_owned)
    }

    #[test]
    fn a_host_may_be_a_name_or_an_address_with_a_port_or_without() {
        for good in [
            "sign-in.example",
            "sign-in.example:8443",
            "127.0.0.1:3000",
            "[::1]",
            "[::1]:3000",
            "localhost:",
            "a_b",
        ] {
            assert_eq!(
                host("/", Version::HTTP_11, &[good.as_bytes()]).as_deref(),
                Some(good)
            );
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for bad in [
            &b""[..],
            b" ",
            b"a b",
            b"a,b",
            b"a/b",
            b"a?b",
            b"a#b",
            b"u@a",
            b"http://a",
            b"a:b",
            b"a:99999",
            b"a:1:2",
            b":80",
            b"[::1",
            b"::1]",
            b"a\\b",
            b"caf\xc3\xa9.example",
            b"\xff",
        ] {
            assert_eq!(
                host("/", Version::HTTP_11, &[bad]),
                None,
                "{}",
                String::from_utf8_lossy(bad)
            );
        }
    }

    #[test]
    fn two_hosts_are_none_also_where_they_are_the_same() {
        assert_eq!(host("/", Version::HTTP_11, &[b"a", b"b"]), None);
        assert_eq!(host("/", Version::HTTP_11, &[b"a", b"a"]), None);
        assert_eq!(host("http://a/", Version::HTTP_11, &[b"a", b"b"]), None);
    }

    #[test]
    fn only_the_old_protocol_does_without_one() {
        assert_eq!(host("/", Version::HTTP_11, &[]), None);
        assert_eq!(host("/", Version::HTTP_10, &[]).as_deref(), Some(""));
    }

    #[test]
    fn the_host_of_the_target_counts() {
        assert_eq!(
            host("http://a/", Version::HTTP_11, &[b"b"]).as_deref(),
            Some("a")
        );
        assert_eq!(
            host("https://a/", Version::HTTP_2, &[]).as_deref(),
            Some("a")
        );
        assert_eq!(host("http://a/", Version::HTTP_11, &[b"b c"]), None);
    }
}
