//! The opaque id in `/confirm/{token}`.

use std::{fmt, str::FromStr};

/// A token: 1 to 512 characters of `A-Z a-z 0-9 . _ ~ -` (the unreserved characters of RFC 3986, section 2.3).
///
/// Only a validator can judge it. It is a secret: `Debug` prints nothing of it and there is no `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// The text is not a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a token has 1 to 512 characters of A-Z a-z 0-9 . _ ~ -")]
pub struct InvalidToken;

impl Token {
    /// The most characters a token has.
    pub const MAX_LENGTH: usize = 512;

    /// The token's text, for the validator and for links to its own page.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for Token {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, InvalidToken> {
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte);
        // A path of only dots would be resolved away by browsers, so no link to it can be followed.
        let only_dots = matches!(text, "." | "..");
        if (1..=Self::MAX_LENGTH).contains(&text.len()) && text.bytes().all(unreserved) && !only_dots {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidToken)
        }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_1_to_512_unreserved_characters() {
        for good in ["a", "A-z_0.9~", &"x".repeat(512), "..."] {
            assert!(good.parse::<Token>().is_ok(), "{good}");
        }
        for bad in ["", &"x".repeat(513), "a b", "a/b", "a%20", "é", "a\n", ".", ".."] {
            assert_eq!(bad.parse::<Token>(), Err(InvalidToken), "{bad:?}");
        }
    }

    #[test]
    fn debug_prints_nothing_of_a_token() {
        assert!(!format!("{:?}", "hush".parse::<Token>()).contains("hush"));
    }
}
