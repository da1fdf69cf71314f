//! Addresses that mail is sent to.

use crate::{
    invisible::is_joiner,
    user::{Identity, PASSWORD_ISSUER},
};
use std::{
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
};

/// An e-mail address. It is looked up in lower case, and mail goes where it was typed: only its own
/// mail server knows whether the case of the part before the `@` matters (RFC 5321, section 2.4).
/// Two are equal if they are looked up alike.
///
/// This is the one parser for what people, operators and validators say. A narrow reading of RFC
/// 5321, on purpose: before the `@` ASCII alone, no quotes and no comments; no character is taken
/// for another. What two programs may read as two addresses, or a person take for another, is not
/// taken at all. A domain in other letters is turned into its A-labels (RFC 5890), as browsers do.
///
/// What stands around a pasted address is removed: invisible characters, `mailto:`, a name before
/// `<…>`, quotation marks, brackets, punctuation at the end.
#[derive(Clone)]
pub struct Address {
    key: String,
    typed: String,
}

/// The text is no address that mail can be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("That is not an e-mail address. It should look like ada@example.com, in plain letters.")]
pub struct InvalidAddress;

impl Address {
    /// The address with which the user with this identity signs in here; `None` if they have
    /// another issuer.
    #[must_use]
    pub fn known_by(issuer: &str, subject: &str) -> Option<Self> {
        if issuer == PASSWORD_ISSUER {
            subject.parse().ok()
        } else {
            None
        }
    }

    /// The address in lower case, by which it is looked up.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.key
    }

    /// The address as it was typed, to which mail goes.
    #[must_use]
    pub fn typed(&self) -> &str {
        &self.typed
    }

    /// The masked address: the owner recognises it, but no one else can tell whose it is:
    /// `a…@example.com`.
    #[must_use]
    pub fn masked(&self) -> String {
        let (local, domain) = self.key.split_once('@').unwrap_or((&self.key, ""));
        let first = local
            .chars()
            .next()
            .filter(|_| local.len() > 1)
            .map(String::from)
            .unwrap_or_default();
        format!("{first}…@{domain}")
    }

    /// The mailbox in which its mail mostly ends, as text to compare: without what follows a `+`
    /// before the `@` (RFC 5233 calls that a subaddress), of which anyone can invent any number.
    #[must_use]
    pub fn mailbox(&self) -> String {
        let (local, domain) = self.key.split_once('@').unwrap_or((&self.key, ""));
        let user = local
            .split('+')
            .next()
            .filter(|user| !user.is_empty())
            .unwrap_or(local);
        format!("{user}@{domain}")
    }

    /// Where to send a mail for the user with this identity, when this address was typed: to the
    /// address that the user has given. If their mail server is case-sensitive, the typed one could
    /// be another person's mailbox.
    #[must_use]
    pub fn of_user(&self, identity: &Identity) -> Self {
        let given: Option<Self> = identity
            .email
            .as_deref()
            .and_then(|email| email.parse().ok());
        let as_looked_up = || Self {
            key: self.key.clone(),
            typed: self.key.clone(),
        };
        given
            .filter(|given| given == self)
            .unwrap_or_else(as_looked_up)
    }
}

/// The most bytes that are read: an address has 254 characters, beside which a name may have been
/// pasted.
const MAX_TEXT: usize = 1024;

impl FromStr for Address {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, InvalidAddress> {
        // Before anything else is done with it: to write a domain in ASCII takes the square of its
        // length.
        if text.len() > MAX_TEXT {
            return Err(InvalidAddress);
        }
        let visible: String = text
            .chars()
            .filter(|char| !is_pasted_along(*char))
            .collect();
        let (local, domain) = unwrapped(&visible)?.split_once('@').ok_or(InvalidAddress)?;
        let local: String = local.chars().filter(|char| !is_joiner(*char)).collect();
        let domain = ascii_domain(domain)?;
        // Full stops may stand anywhere: mailboxes such as a..b@docomo.ne.jp exist.
        let is_local =
            |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-.".contains(&byte);
        let label = |part: &str| {
            (1..=63).contains(&part.len())
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !part.starts_with('-')
                && !part.ends_with('-')
        };
        let typed = format!("{local}@{domain}");
        // The lengths of RFC 5321, section 4.5.3.1, and the longest subject of an identity.
        let fits = (1..=64).contains(&local.len()) && typed.len() <= 254;
        let plain = local.bytes().all(is_local) && local.bytes().any(|byte| byte != b'.');
        if fits && plain && domain.contains('.') && domain.split('.').all(label) {
            Ok(Self {
                key: typed.to_ascii_lowercase(),
                typed,
            })
        } else {
            Err(InvalidAddress)
        }
    }
}

/// What word processors, chats and web pages put, unseen, into a text that is copied from them.
/// Fewer characters than [`crate::invisible`] refuses in names: these are removed, so a control
/// character or a filler must not be among them.
fn is_pasted_along(char: char) -> bool {
    matches!(
        char,
        '\u{a0}' | '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{2007}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202f}' | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
    )
}

/// The address itself in what was pasted.
fn unwrapped(text: &str) -> Result<&str, InvalidAddress> {
    let text = text.trim().trim_end_matches([',', ';', '.']);
    let text = match text.split_once('<') {
        Some((name, rest)) => {
            let address = rest.strip_suffix('>').ok_or(InvalidAddress)?;
            // The name is another address: it is unclear which one was meant.
            if name.contains('@') && !bare(name).eq_ignore_ascii_case(bare(address)) {
                return Err(InvalidAddress);
            }
            address
        }
        None => text,
    };
    let text = bare(text);
    match text.split_at_checked("mailto:".len()) {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("mailto:") => {
            let (address, _) = rest.split_once('?').unwrap_or((rest, ""));
            // It may be an encoded character (RFC 6068), or the address's own.
            if address.contains('%') {
                Err(InvalidAddress)
            } else {
                Ok(bare(address))
            }
        }
        _ => Ok(text),
    }
}

/// Without quotation marks, brackets and punctuation around it that no address begins or ends with.
fn bare(text: &str) -> &str {
    const OPENING: &str =
        "\"([<\u{201c}\u{201d}\u{201e}\u{2018}\u{2019}\u{201a}\u{ab}\u{bb}\u{2039}\u{203a}\u{300c}";
    const CLOSING: &str =
        "\")]>.,;:!?`}\u{201c}\u{201d}\u{2018}\u{2019}\u{ab}\u{bb}\u{2039}\u{203a}\u{300d}\u{3002}";
    let text = text.trim_start_matches(|char: char| char.is_whitespace() || OPENING.contains(char));
    let text = text.trim_end_matches(|char: char| char.is_whitespace() || CLOSING.contains(char));
    // This one may begin an address, but ends none.
    match text.strip_suffix('\'') {
        Some(text) => text.strip_prefix('\'').unwrap_or(text),
        None => text,
    }
}

/// A domain in lower case; labels with other letters than ASCII as A-labels. A letter that only
/// looks like one of ASCII, or is folded into one, is refused.
fn ascii_domain(domain: &str) -> Result<String, InvalidAddress> {
    let plain: String = domain.chars().filter(|char| !is_joiner(*char)).collect();
    if plain.is_ascii() {
        return Ok(plain.to_ascii_lowercase());
    }
    if domain
        .chars()
        .any(|char| !char.is_ascii() && char.to_lowercase().any(|lower| lower.is_ascii()))
    {
        return Err(InvalidAddress);
    }
    let ascii = idna::domain_to_ascii_strict(domain).map_err(|_| InvalidAddress)?;
    let labels = || domain.split('.').zip(ascii.split('.'));
    let same_count = domain.split('.').count() == ascii.split('.').count();
    let folded = labels().any(|(given, label)| !given.is_ascii() && !label.starts_with("xn--"));
    if same_count && !folded {
        Ok(ascii)
    } else {
        Err(InvalidAddress)
    }
}

impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Address {}

impl Hash for Address {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key.hash(state);
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(…)")
    }
}

#[cfg(test)]
mod tests;
