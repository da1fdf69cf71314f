//! Addresses that mail is sent to.

use crate::user::PASSWORD_ISSUER;
use std::{fmt, str::FromStr};

/// An e-mail address in lower case, by which somebody is known here.
///
/// A narrow reading of RFC 5321, on purpose: ASCII alone, no quotes and no comments. What two programs may read as two
/// addresses, or a person take for another, is not taken at all.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Address(String);

/// The text is no address that mail can be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("That is not an e-mail address. It should look like ada@example.com, in plain letters.")]
pub struct InvalidAddress;

impl Address {
    /// The address by which the user with this identity is known here; none if somebody else vouches for them.
    #[must_use]
    pub fn known_by(issuer: &str, subject: &str) -> Option<Self> {
        if issuer == PASSWORD_ISSUER { subject.parse().ok() } else { None }
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        let text = text.trim();
        let (local, domain) = text.split_once('@').ok_or(InvalidAddress)?;
        let atom = |part: &str| {
            !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-".contains(&byte))
        };
        let label = |part: &str| {
            (1..=63).contains(&part.len())
                && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !part.starts_with('-')
                && !part.ends_with('-')
        };
        // The lengths of RFC 5321, section 4.5.3.1, and the longest subject of an identity.
        let fits = local.len() <= 64 && text.len() <= 254;
        if fits && local.split('.').all(atom) && domain.contains('.') && domain.split('.').all(label) {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(InvalidAddress)
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_in_lower_case() {
        for (text, read) in [
            ("Ada@Example.COM", "ada@example.com"),
            (" a.b+c@x-y.example ", "a.b+c@x-y.example"),
            ("o'neil@xn--bcher-kva.example", "o'neil@xn--bcher-kva.example"),
        ] {
            assert_eq!(text.parse::<Address>().as_ref().map(Address::as_str), Ok(read));
        }
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_no_address() {
        let (long, label) = ("a".repeat(65), "b".repeat(64));
        for bad in [
            "",
            "ada",
            "@example.com",
            "ada@",
            "ada@localhost",
            "ada@example..com",
            ".ada@example.com",
            "ada@-example.com",
            "ada@example.com@evil.example",
            "ada@[127.0.0.1]",
            "\"ada\"@example.com",
            "ada(comment)@example.com",
            "ada@example.com, bob@example.com",
            "ada@example.com\r\nBcc: bob@example.com",
            "ada\0@example.com",
            "аda@example.com",
            "ada@exаmple.com",
            "adı@example.com",
            &format!("{long}@example.com"),
            &format!("ada@{label}.com"),
        ] {
            assert_eq!(bad.parse::<Address>(), Err(InvalidAddress), "{bad:?}");
        }
    }
}
