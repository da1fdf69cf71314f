//! Where all addresses of Vestibule lie.

use super::{Decoded, LocalPath};
use std::{error::Error, fmt, str::FromStr};

/// The most segments that a base has.
const MAX_SEGMENTS: usize = 3;
/// The most bytes that one of them has.
const MAX_SEGMENT: usize = 32;

/// The path under which all addresses of Vestibule lie: empty, or such as `/auth`, where an
/// application has the rest of the host.
///
/// It has up to three segments of up to 32 of `A-Z a-z 0-9 _ -`, so there is one way to write it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Base(String);

/// The text is no base.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidBase;

impl Base {
    /// The base's text: empty, or with a slash in front and none at its end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The whole path of a page of ours, of which `below` is the path below the base.
    ///
    /// # Panics
    /// If that is no path: it is a constant, or made of what may stand in one.
    #[must_use]
    pub fn path(&self, below: &str) -> LocalPath {
        format!("{}{below}", self.0)
            .parse()
            .expect("a path of ours below the base")
    }

    /// What of `path` is below the base, without query and fragment, if it is spelled as we spell
    /// it.
    #[must_use]
    pub fn below<'p>(&self, path: &'p LocalPath) -> Option<&'p str> {
        let end = path.0.find(['?', '#']).unwrap_or(path.0.len());
        match path.0[..end].strip_prefix(&*self.0)? {
            "" => Some("/"),
            below if below.starts_with('/') => Some(below),
            _ => None,
        }
    }

    /// The name of the first segment below the base, as the most lenient of servers reads it:
    /// decoded, in lower case, without what follows a semicolon. `None`: no server takes the path
    /// for one below the base.
    #[must_use]
    pub fn first_name_below(&self, path: &LocalPath) -> Option<String> {
        let end = path.0.find(['?', '#']).unwrap_or(path.0.len());
        let mut names = path.0[1..end].split('/').map(name);
        for own in self.0.split('/').skip(1) {
            if names.next()? != own.to_ascii_lowercase() {
                return None;
            }
        }
        Some(names.next().unwrap_or_default())
    }
}

/// The name of a segment: decoded, in lower case, without what follows a semicolon.
fn name(segment: &str) -> String {
    let decoded = Decoded(segment.as_bytes()).map_while(Result::ok);
    let name: Vec<u8> = decoded.take_while(|byte| *byte != b';').collect();
    String::from_utf8_lossy(&name).to_ascii_lowercase()
}

impl FromStr for Base {
    type Err = InvalidBase;

    fn from_str(text: &str) -> Result<Self, InvalidBase> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let segments = text.strip_prefix('/').ok_or(InvalidBase)?.split('/');
        let is_good = |segment: &str| {
            (1..=MAX_SEGMENT).contains(&segment.len())
                && segment
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
        };
        if segments.clone().count() > MAX_SEGMENTS || !segments.clone().all(is_good) {
            return Err(InvalidBase);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for InvalidBase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a path here has one to three segments of A-Z a-z 0-9 _ -, such as /auth")
    }
}

impl Error for InvalidBase {}

#[cfg(test)]
mod tests {
    use super::*;

    fn base(text: &str) -> Base {
        text.parse().unwrap()
    }

    #[test]
    fn a_base_is_written_in_one_way() {
        let long = format!("/{}", "a".repeat(MAX_SEGMENT));
        for good in ["", "/auth", "/a/b/c", "/Sign-In_2", &long] {
            assert_eq!(good.parse::<Base>().map(|base| base.0), Ok(good.to_owned()));
        }
        let too_long = format!("{long}a");
        for bad in [
            "/", "auth", "/auth/", "//auth", "/a//b", "/a/b/c/d", "/..", "/a/../b", "/.", "/a.b",
            "/a%20", "/é", "/a b", "/a?x", "/a#x", "/a;b", "/a\\b", &too_long,
        ] {
            assert_eq!(bad.parse::<Base>(), Err(InvalidBase), "{bad:?}");
        }
    }

    #[test]
    fn what_is_below_the_base_is_told_from_what_only_begins_like_it() {
        let auth = base("/auth");
        for (path, below) in [
            ("/auth", Some("/")),
            ("/auth/", Some("/")),
            ("/auth?x=/y", Some("/")),
            ("/auth/profile?tab=1", Some("/profile")),
            ("/authority", None),
            ("/orders", None),
            ("/AUTH/profile", None),
            ("/%61uth/profile", None),
        ] {
            let path: LocalPath = path.parse().unwrap();
            assert_eq!(auth.below(&path), below, "{path}");
            assert_eq!(auth.path("/profile").as_str(), "/auth/profile");
        }
        let path = base("").path("/profile");
        assert_eq!(base("").below(&path), Some("/profile"));
    }

    #[test]
    fn a_name_is_read_as_the_most_lenient_server_reads_it() {
        for (own, path, name) in [
            ("", "/", Some("")),
            ("", "/Login?x", Some("login")),
            ("", "/l%6Fgin/x", Some("login")),
            ("", "/login;a=b/x", Some("login")),
            ("", "/login%3Ba", Some("login")),
            ("", "/#login", Some("")),
            ("/auth", "/auth", Some("")),
            ("/auth", "/auth/", Some("")),
            ("/auth", "/AUTH/Login", Some("login")),
            ("/auth", "/%61uth;x/l%6Fgin/y", Some("login")),
            ("/auth", "/login", None),
            ("/auth", "/authority/login", None),
            ("/a/B", "/A/b/enter?x", Some("enter")),
            ("/a/b", "/a/enter", None),
            ("/a/b", "/a", None),
        ] {
            let path: LocalPath = path.parse().unwrap();
            assert_eq!(
                base(own).first_name_below(&path).as_deref(),
                name,
                "{own} {path}"
            );
        }
    }
}
