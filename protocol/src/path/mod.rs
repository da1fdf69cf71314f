//! Where a browser may be sent.

mod base;

pub use base::{Base, InvalidBase};

use std::{error::Error, fmt, str::FromStr};

/// The most bytes that a path has.
const MAX_BYTES: usize = 8_192;

/// A path on this origin, with a query perhaps: the only thing that a redirect of Vestibule's ever
/// names, and the only thing that the page in the browser goes to by itself.
///
/// It holds only printable ASCII without backslashes, so it is a valid `Location` header too, and
/// at most 8,192 bytes. Before its query, it reads the same however often it is normalised: no
/// segment is empty but the last, none is `.` or `..`, and none hides a slash, a backslash or a
/// control character behind percent signs. So it begins with one `/` that neither another one nor a
/// backslash follows, which browsers read as the start of a host.
///
/// Tabs and line ends are dropped by URL parsers before they look, so that `/\t/host` would become
/// `//host` (WHATWG URL, "basic URL parser", steps 1 to 3). Spaces and characters beyond ASCII
/// are refused: a server that means them percent-encodes them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalPath(String);

/// The text is not a path on this origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
        if text.len() > MAX_BYTES || !text.bytes().all(harmless) {
            return Err(InvalidPath);
        }
        let end = text.find(['?', '#']).unwrap_or(text.len());
        let mut segments = text[..end]
            .strip_prefix('/')
            .ok_or(InvalidPath)?
            .split('/')
            .peekable();
        while let Some(segment) = segments.next() {
            let is_last = segments.peek().is_none();
            if segment.is_empty() && !is_last {
                return Err(InvalidPath);
            }
            check_segment(segment)?;
        }
        Ok(Self(text.to_owned()))
    }
}

/// Fails unless every parser reads the segment the same way.
fn check_segment(segment: &str) -> Result<(), InvalidPath> {
    // How many dots the name is made of, unless it has something else. Some servers drop what
    // follows a semicolon before they look at the dots.
    let mut dots = Some(0);
    let mut in_name = true;
    for byte in Decoded(segment.as_bytes()) {
        let byte = byte?;
        if byte.is_ascii_control() || byte == b'/' || byte == b'\\' {
            return Err(InvalidPath);
        }
        in_name &= byte != b';';
        if in_name {
            dots = if byte == b'.' {
                dots.map(|dots| dots + 1)
            } else {
                None
            };
        }
    }
    match dots {
        Some(1 | 2) => Err(InvalidPath),
        _ => Ok(()),
    }
}

/// The bytes of a segment with its percent signs decoded; an error for one that stands for nothing.
struct Decoded<'a>(&'a [u8]);

impl Iterator for Decoded<'_> {
    type Item = Result<u8, InvalidPath>;

    fn next(&mut self) -> Option<Self::Item> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        if first != b'%' {
            return Some(Ok(first));
        }
        let [high, low, rest @ ..] = rest else {
            return Some(Err(InvalidPath));
        };
        self.0 = rest;
        let digit = |byte: &u8| char::from(*byte).to_digit(16);
        let byte = digit(high)
            .zip(digit(low))
            .and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
        Some(byte.ok_or(InvalidPath))
    }
}

impl fmt::Display for LocalPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for InvalidPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "not a path on this origin: it begins with one '/' and has no backslash, space or control character, no \
             '//' and no segment '.' or '..'",
        )
    }
}

impl Error for InvalidPath {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_path_on_this_origin_is_a_local_path() {
        for (text, good) in include!("cases.rs") {
            assert_eq!(text.parse::<LocalPath>().is_ok(), good, "{text:?}");
        }
        assert_eq!(
            format!("/{}", "a".repeat(MAX_BYTES)).parse::<LocalPath>(),
            Err(InvalidPath)
        );
    }
}
