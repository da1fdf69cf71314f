//! The one check of every place the island navigates to.

/// Whether `path` leads to this origin, whatever origin that is and however the browser reads it.
///
/// It must be one slash and then printable ASCII. A second slash or a backslash would make the rest a host name; a
/// backslash counts as a slash anywhere in it; tabs and line ends are dropped by URL parsers before they look, so that
/// `/\t/host` would become `//host` (WHATWG URL, "basic URL parser", steps 1 to 3). A path whose only peculiarity is
/// beyond ASCII or a space would be percent-encoded by any server that means it.
#[must_use]
pub fn is_local(path: &str) -> bool {
    let bytes = path.as_bytes();
    bytes.first() == Some(&b'/')
        && bytes.get(1) != Some(&b'/')
        && bytes.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'\\')
}

#[cfg(test)]
mod tests {
    use super::is_local;

    #[test]
    fn a_path_of_this_origin_is_taken() {
        for path in ["/", "/profile", "/login?reason=expired", "/a//b", "/a?next=https://b.example/", "/%2F/x#y"] {
            assert!(is_local(path), "{path}");
        }
    }

    #[test]
    fn anything_that_could_be_another_origin_is_refused() {
        for path in [
            "",
            "profile",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "\t//evil.example",
            " /profile",
            "/a\\b",
            "/pro file",
            "/prof\u{0}ile",
            "/\u{ff0f}evil.example",
            "https://evil.example/",
            "javascript:alert(1)",
            "?x",
            "#x",
        ] {
            assert!(!is_local(path), "{path:?}");
        }
    }
}
