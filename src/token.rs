//! The opaque id in `/confirm/{token}`.

use std::{fmt, str::FromStr};

/// A token: 1 to 512 characters of `A-Z a-z 0-9 . _ ~ -` (the unreserved characters of RFC 3986,
/// section 2.3).
///
/// Only a validator can judge it. It is a secret: `Debug` prints nothing of it and there is no
/// `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

/// The text is not a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a token has 1 to 512 characters of A-Z a-z 0-9 . _ ~ -")]
pub struct InvalidToken;

impl Token {
    /// The most characters a token has.
    pub const MAX_LENGTH: usize = 512;

    /// The token in what was opened as a link. Mail programs and people leave more around it:
    /// quotation marks, a bracket, an invisible character, `=3D` of quoted-printable, what a
    /// campaign appends. Of that, all is cut off that no token may contain. What a token may
    /// contain stays: only its validator knows whether a full stop at the end is part of it.
    /// `None`: there is none, or it is broken in the middle.
    #[must_use]
    pub fn within(text: &str) -> Option<Self> {
        let mut rest = text;
        while let Some(after) = rest
            .strip_prefix("=3D")
            .or_else(|| rest.strip_prefix("=3d"))
            .or_else(|| rest.strip_prefix(|char| is_left_around(char) && char != '>'))
        {
            rest = after;
        }
        let (token, after) =
            rest.split_at(rest.find(|char| !is_unreserved(char)).unwrap_or(rest.len()));
        let appended =
            after.trim_start_matches(|char| is_left_around(char) || "._~-".contains(char));
        // A query, or what is left of a document.
        let is_appended = after[..after.len() - appended.len()].contains(['&', '?', '#', '<', '=']);
        if appended.is_empty() || is_appended {
            token.parse().ok()
        } else {
            None
        }
    }

    /// The token's text, for the validator and for links to its own page.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for Token {
    type Err = InvalidToken;

    fn from_str(text: &str) -> Result<Self, InvalidToken> {
        // A path of only dots would be resolved away by browsers, so no link to it can be followed.
        let only_dots = matches!(text, "." | "..");
        if (1..=Self::MAX_LENGTH).contains(&text.len())
            && text.chars().all(is_unreserved)
            && !only_dots
        {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidToken)
        }
    }
}

/// Whether mail programs and people leave it around a link: punctuation, signs, and what is not
/// seen.
fn is_left_around(char: char) -> bool {
    !is_unreserved(char) && !char.is_alphanumeric() && (!char.is_control() || char.is_whitespace())
}

fn is_unreserved(char: char) -> bool {
    char.is_ascii_alphanumeric() || "._~-".contains(char)
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
        for bad in [
            "",
            &"x".repeat(513),
            "a b",
            "a/b",
            "a%20",
            "é",
            "a\n",
            ".",
            "..",
        ] {
            assert_eq!(bad.parse::<Token>(), Err(InvalidToken), "{bad:?}");
        }
    }

    #[test]
    fn what_no_token_may_contain_is_cut_off_and_nothing_else() {
        let after = [
            ")",
            ",",
            "\"",
            " ",
            "\u{200b}",
            "&utm_source=news",
            ">",
            "'",
            ";",
            "!",
            "?",
            "\u{201d}",
            "\u{a0}",
            "\u{3002}",
        ];
        for junk in after.into_iter().chain([
            "\u{ff09}", "\u{feff}", "=\r\n", "&gt;", "]", "*", "\u{fffd}", "</a>", ")?a=b", ").",
            "\"...",
        ]) {
            assert_eq!(
                Token::within(&format!("a.b{junk}")).unwrap().expose(),
                "a.b",
                "{junk:?}"
            );
        }
        for junk in [
            "=",
            "=3D",
            "=3d",
            "=3D\"",
            "<",
            "\u{201c}",
            " ",
            "\u{200b}=3D",
        ] {
            assert_eq!(
                Token::within(&format!("{junk}a.b{junk}")).unwrap().expose(),
                "a.b",
                "{junk:?}"
            );
        }
        for token in ["a.", "a-", "a_", "a~", "3Da", "-a", "...", &"x".repeat(512)] {
            assert_eq!(Token::within(token).unwrap().expose(), token);
        }
        for none in [
            "",
            ")",
            "=3D",
            ".)",
            "a b",
            "a/b",
            "caf\u{e9}",
            "a\0",
            "\"><script>",
            "a\r\nb:c",
            &"x".repeat(513),
        ] {
            assert_eq!(Token::within(none), None, "{none:?}");
        }
    }

    #[test]
    fn debug_prints_nothing_of_a_token() {
        assert!(!format!("{:?}", "hush".parse::<Token>()).contains("hush"));
    }
}
