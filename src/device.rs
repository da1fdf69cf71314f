//! What a browser calls itself, in words for a person, such as "Firefox on Linux".

use crate::invisible::{is_invisible, is_joiner};

/// The most that is kept of it, in characters.
const LONGEST: usize = 64;

/// The words for a browser. They are shown to its user and prove nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device(String);

impl Device {
    /// What is kept of `words`: nothing invisible, and 64 characters at most; `None` if nothing is
    /// left.
    #[must_use]
    pub fn new(words: &str) -> Option<Self> {
        let kept: String = words
            .chars()
            .filter(|char| !is_invisible(*char) && !is_joiner(*char))
            .take(LONGEST)
            .collect();
        let kept = kept.trim();
        (!kept.is_empty()).then(|| Self(kept.to_owned()))
    }

    /// The words, to keep.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }

    /// The words.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_browser_says_is_short_and_one_line() {
        let kept = |words: &str| Device::new(words).map(|device| device.0);
        assert_eq!(
            kept("Firefox on Linux").as_deref(),
            Some("Firefox on Linux")
        );
        assert_eq!(kept("a\r\n\0b").as_deref(), Some("ab"));
        assert_eq!(
            kept("Firefox\u{202e} on\u{200d} Linux\u{feff}").as_deref(),
            Some("Firefox on Linux")
        );
        assert_eq!(kept(&"é".repeat(1000)), Some("é".repeat(64)));
        for nothing in ["", " ", "\0"] {
            assert_eq!(kept(nothing), None, "{nothing:?}");
        }
    }
}
