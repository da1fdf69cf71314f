//! Where a browser may be sent.

use std::{fmt, str::FromStr};

/// A path on this origin, with a query perhaps: the only thing that a redirect of Vestibule's ever
/// names.
///
/// It holds only printable ASCII without backslashes, so it is a valid `Location` header too, and
/// at most 1,024 bytes. Before its query, it reads the same however often it is normalised: no
/// segment is empty but the last, none is `.` or `..`, and none hides a slash, a backslash or a
/// control character behind percent signs. So it begins with one `/` that neither another one nor a
/// backslash follows, which browsers read as the start of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalPath(String);

/// The text is not a path on this origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a path on this origin: it begins with one '/' and has no backslash, space or control character, no '//' and no \
     segment '.' or '..'"
)]
pub struct InvalidPath;

impl LocalPath {
    /// The first segment's name, decoded and in lower case, without what follows a semicolon in it.
    #[must_use]
    pub fn first_segment(&self) -> String {
        let segment = self.0[1..]
            .split(['/', '?', '#'])
            .next()
            .unwrap_or_default();
        let decoded = decode(segment).unwrap_or_default();
        let name = decoded
            .split(|byte| *byte == b';')
            .next()
            .unwrap_or_default();
        String::from_utf8_lossy(name).to_ascii_lowercase()
    }

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
        let path = text.split(['?', '#']).next().unwrap_or_default();
        if text.len() <= 1024 && text.bytes().all(harmless) && has_plain_segments(path) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidPath)
        }
    }
}

/// Whether `path` is a slash and segments that mean the same to every parser.
fn has_plain_segments(path: &str) -> bool {
    let Some(segments) = path.strip_prefix('/') else {
        return false;
    };
    let last = segments.split('/').count() - 1;
    segments
        .split('/')
        .enumerate()
        .all(|(place, segment)| match decode(segment) {
            Some(decoded) if decoded.is_empty() => place == last,
            Some(decoded) => {
                let name = decoded
                    .split(|byte| *byte == b';')
                    .next()
                    .unwrap_or_default();
                let ambiguous = |byte: &u8| byte.is_ascii_control() || matches!(byte, b'/' | b'\\');
                !matches!(name, b"." | b"..") && !decoded.iter().any(ambiguous)
            }
            None => false,
        })
}

/// The bytes that a segment's percent signs stand for; `None` if one stands for nothing.
fn decode(segment: &str) -> Option<Vec<u8>> {
    let mut parts = segment.split('%');
    let mut decoded = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2)?;
        let digits =
            Some(digits).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        decoded.push(u8::from_str_radix(digits, 16).ok()?);
        decoded.extend_from_slice(rest.as_bytes());
    }
    Some(decoded)
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
        for (text, good) in include!("path/cases.rs") {
            assert_eq!(text.parse::<LocalPath>().is_ok(), good, "{text:?}");
        }
        assert_eq!(
            format!("/{}", "a".repeat(1024)).parse::<LocalPath>(),
            Err(InvalidPath)
        );
    }
}
