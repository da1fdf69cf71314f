//! Which passwords are accepted.

use std::collections::BTreeSet;
use unicode_normalization::UnicodeNormalization as _;
use vestibule::user::Identity;
use zeroize::Zeroizing;

/// The longest password that is read, in bytes.
pub const MAX_LENGTH: usize = 1024;
/// The shortest that is taken (NIST SP 800-63B, section 3.1.1.2), in characters.
const MIN_LENGTH: usize = 8;
/// How many characters are looked at. A password is at least as strong as its beginning, and the
/// time to look grows with more than the square of the length.
const LOOKED_AT: usize = 40;
/// How many kinds of digits and signs that stand for letters are undone. The time to look grows
/// exponentially with them.
const SUBSTITUTES: usize = 4;

/// Why a password is not accepted, as a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakPassword {
    /// It is too short.
    #[error("Use at least {MIN_LENGTH} characters.")]
    Short,
    /// It is too long.
    #[error("That password is too long.")]
    Long,
    /// It is among the first that an attacker would try.
    #[error("That password is easy to guess. {0}Try a few unrelated words.")]
    Guessable(String),
}

/// Whether `password` may be set. Those that an attacker would try first are refused: leaked and
/// common ones, names and words, dates, patterns on a keyboard, and what is known of the person
/// (OWASP ASVS 5.0, 6.2.4 and 6.2.12).
///
/// It takes some milliseconds of a core: not for an async thread.
///
/// # Errors
/// [`WeakPassword`] says why not.
pub fn strong(password: &str, about: &Identity) -> Result<(), WeakPassword> {
    if password.len() > MAX_LENGTH {
        return Err(WeakPassword::Long);
    }
    // As it is hashed: letters that only look like others are those.
    let password: Zeroizing<String> = Zeroizing::new(password.nfkc().collect());
    if password.chars().count() < MIN_LENGTH {
        return Err(WeakPassword::Short);
    }
    let known = [
        Some(about.subject.as_str()),
        about.name.as_deref(),
        about.email.as_deref(),
        Some("vestibule"),
    ];
    let words: Vec<&str> = known
        .into_iter()
        .flatten()
        .flat_map(|text| text.split(['@', '.', ' ']))
        .collect();
    let entropy = zxcvbn::zxcvbn(&looked_at(&password), &words);
    // Some 10^8 guesses and more, each of which costs argon2id.
    if entropy.score() >= zxcvbn::Score::Three {
        return Ok(());
    }
    let warning = entropy
        .feedback()
        .and_then(zxcvbn::feedback::Feedback::warning);
    Err(WeakPassword::Guessable(
        warning
            .map(|warning| format!("{warning} "))
            .unwrap_or_default(),
    ))
}

/// What of a password is looked at: its beginning, in which only the first kinds of substitutes are
/// left.
fn looked_at(password: &str) -> Zeroizing<String> {
    let mut kinds = BTreeSet::new();
    let mut bounded = |char: char| {
        let is_substitute = "4@8({[<369!1|0$5+7%2".contains(char);
        if is_substitute && (kinds.len() < SUBSTITUTES || kinds.contains(&char)) {
            kinds.insert(char);
        }
        if is_substitute && !kinds.contains(&char) {
            '~'
        } else {
            char
        }
    };
    Zeroizing::new(password.chars().take(LOOKED_AT).map(&mut bounded).collect())
}

#[cfg(test)]
mod tests {
    use super::{super::identity, *};

    #[test]
    fn an_easily_guessed_password_is_refused() {
        let about = identity("grace.hopper@example.com", Some("Grace Hopper".into()));
        for (weak, told) in [
            ("1234567", "Use at least 8 characters."),
            (
                "password",
                "easy to guess. This is a top-10 common password.",
            ),
            ("qwertyuiop", "easy to guess. "),
            ("GraceHopper1", "easy to guess. "),
            ("vestibule", "easy to guess. "),
            ("12345678", "easy to guess. "),
            ("iloveyou2026", "easy to guess. "),
            ("p4$$w0rd!1", "easy to guess. "),
            ("[hr1$t0ph3r", "easy to guess. "),
            (
                "\u{ff50}\u{ff41}\u{ff53}\u{ff53}\u{ff57}\u{ff4f}\u{ff52}\u{ff44}1",
                "easy to guess. ",
            ),
            (
                "a\u{308}o\u{308}u\u{308}\u{df}",
                "Use at least 8 characters.",
            ),
        ] {
            let why = strong(weak, &about).expect_err(weak).to_string();
            assert!(why.contains(told), "{weak}: {why}");
        }
        assert_eq!(strong(&"x1!Y".repeat(257), &about), Err(WeakPassword::Long));
        for good in [
            "correct-horse-battery-9",
            "open-sesame-42",
            "träumen vier Zitronen",
        ] {
            assert_eq!(strong(good, &about), Ok(()), "{good}");
        }
    }

    #[test]
    fn no_more_is_looked_at_than_can_be_in_a_moment() {
        for (password, looked) in [
            ("p4ssw0rd", "p4ssw0rd"),
            ("4@8({[<369!1|0$5+7%2'", "4@8(~~~~~~~~~~~~~~~~'"),
            ("44440000$$$$!!!!7777", "44440000$$$$!!!!~~~~"),
            ("(7+2%)(7+2%)", "(7+2~)(7+2~)"),
        ] {
            assert_eq!(*looked_at(password), looked, "{password}");
        }
        assert_eq!(looked_at(&"ä".repeat(1000)).chars().count(), LOOKED_AT);
    }
}
