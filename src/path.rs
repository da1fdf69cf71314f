//! Where a browser may be sent.

use std::{fmt, str::FromStr};

/// A path on this origin, with a query perhaps: the only thing that a redirect of Vestibule's ever names.
///
/// It begins with one `/`, not followed by another or by a backslash (browsers read both as the start of a host), and
/// holds only printable ASCII without backslashes, so it is a valid `Location` header too. At most 1,024 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalPath(String);

/// The text is not a path on this origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a path on this origin: it begins with one '/' and has no backslash, space or control character")]
pub struct InvalidPath;

impl LocalPath {
    /// The path's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for LocalPath {
    type Err = InvalidPath;

    fn from_str(text: &str) -> Result<Self, InvalidPath> {
        let harmless = |byte: u8| byte.is_ascii_graphic() && byte != b'\\';
        let rooted = text.starts_with('/') && !text.starts_with("//");
        if rooted && text.len() <= 1024 && text.bytes().all(harmless) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidPath)
        }
    }
}

impl fmt::Display for LocalPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_path_on_this_origin_is_a_local_path() {
        for good in ["/", "/profile", "/login?reason=used", "/a#b"] {
            assert!(good.parse::<LocalPath>().is_ok(), "{good}");
        }
        let hostile = [
            "",
            "profile",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/a\nb",
            "/\t/evil.example",
            "/a b",
            "/é",
        ];
        for bad in hostile {
            assert_eq!(bad.parse::<LocalPath>(), Err(InvalidPath), "{bad:?}");
        }
    }
}
