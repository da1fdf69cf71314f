//! Tickets: proof that an address is a user's own, by a secret that was only sent to its mailbox.
//!
//! A ticket is sealed and not stored. It is good for one change of one user's address, for as long
//! as they are known by the former one and sign in as they did, and only for them: anyone else who
//! reads it can do nothing with it.

use crate::{
    clock::Timestamp,
    email_address::Address,
    secret::{Entropy, Keys, Sealed},
    user::UserId,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How long a ticket is good (OWASP ASVS 5.0, 6.5.5: at most 10 minutes).
pub const LIFETIME: Duration = Duration::from_mins(10);

/// What nothing else is sealed for.
const AS_TICKET: [u8; 16] = *b"address ticket/1";

/// A user who is to be known by another address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressTicket {
    /// Who.
    pub user: UserId,
    /// By which address they are known.
    pub from: Address,
    /// By which one they want to be.
    pub to: Address,
    /// The user's `valid_from` when it was made: once they have changed how they sign in, it no
    /// longer works.
    pub valid_from: Timestamp,
    /// When it expires.
    pub expires: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct SealedTicket {
    user: [u8; 16],
    from: String,
    to: String,
    valid_from: i64,
    expires: i64,
}

impl AddressTicket {
    /// The ticket as text that an address can hold: base64url without padding.
    ///
    /// # Panics
    /// Never: a ticket is text.
    #[must_use]
    pub fn to_text(&self, keys: &Keys, entropy: &dyn Entropy) -> String {
        let Self {
            user,
            from,
            to,
            valid_from,
            expires,
        } = self;
        let from = from.typed().to_owned();
        let to = to.typed().to_owned();
        let valid_from = valid_from.as_millis();
        let expires = expires.as_millis();
        let content = SealedTicket {
            user: *user.as_bytes(),
            from,
            to,
            valid_from,
            expires,
        };
        let plain = serde_json::to_vec(&content).expect("a ticket is text");
        let Sealed { key_id, bytes } = Sealed::seal(keys, entropy, &AS_TICKET, &plain);
        URL_SAFE_NO_PAD.encode([key_id.to_be_bytes().as_slice(), &bytes].concat())
    }

    /// The text of a good ticket in what was opened as a link: mail programs and people leave more
    /// around it, as around a [token](crate::token::Token::within).
    #[must_use]
    pub fn within<'t>(keys: &Keys, text: &'t str, now: Timestamp) -> Option<&'t str> {
        let of_ticket = |char: char| char.is_ascii_alphanumeric() || "-_".contains(char);
        let text = text.trim_start_matches(|char| !of_ticket(char));
        let text = &text[..text.find(|char| !of_ticket(char)).unwrap_or(text.len())];
        let starts = [Some(text), text.strip_prefix("3D"), text.strip_prefix("3d")];
        let mut texts = starts.into_iter().flatten().flat_map(|text| {
            let shorter = text.strip_suffix(['-', '_']);
            [
                Some(text),
                shorter,
                shorter.and_then(|text| text.strip_suffix(['-', '_'])),
            ]
        });
        texts.find_map(|text| text.filter(|text| Self::read(keys, text, now).is_some()))
    }

    /// Reads a ticket of ours that is still good at `now`.
    #[must_use]
    pub fn read(keys: &Keys, text: &str, now: Timestamp) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (key_id, bytes) = bytes.split_first_chunk::<4>()?;
        let sealed = Sealed {
            key_id: u32::from_be_bytes(*key_id),
            bytes: bytes.to_vec(),
        };
        let content: SealedTicket =
            serde_json::from_slice(&sealed.open(keys, &AS_TICKET).ok()?).ok()?;
        let expires = Timestamp::from_millis(content.expires);
        let user = UserId::from_bytes(content.user);
        let valid_from = Timestamp::from_millis(content.valid_from);
        let ticket = Self {
            user,
            from: content.from.parse().ok()?,
            to: content.to.parse().ok()?,
            valid_from,
            expires,
        };
        (now < expires).then_some(ticket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::SystemEntropy;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    #[test]
    fn a_ticket_reads_back_until_it_expires_under_its_own_key_alone() {
        let keys = Keys::from_secret(&[1; 32]);
        let ticket = AddressTicket {
            user: UserId::from_bytes([1; 16]),
            from: "ada@example.com".parse().unwrap(),
            to: "king@example.com".parse().unwrap(),
            valid_from: at(7),
            expires: at(60),
        };
        let text = ticket.to_text(&keys, &SystemEntropy);
        assert_eq!(AddressTicket::read(&keys, &text, at(59)), Some(ticket));
        assert_eq!(AddressTicket::read(&keys, &text, at(60)), None);
        assert_eq!(
            AddressTicket::read(&Keys::from_secret(&[2; 32]), &text, at(0)),
            None
        );
        for (before, after) in [
            ("", ""),
            ("=3D", ""),
            ("3D", ")"),
            ("<", ">"),
            ("", "."),
            ("", "_"),
            ("", "-\u{200b}"),
        ] {
            let opened = format!("{before}{text}{after}");
            assert_eq!(
                AddressTicket::within(&keys, &opened, at(59)),
                Some(&*text),
                "{opened}"
            );
        }
        assert_eq!(
            AddressTicket::within(&keys, &format!("{text}."), at(60)),
            None
        );
        for bad in ["", "AAAA", &text[1..], &text.replace(&text[20..22], "zz")] {
            assert_eq!(AddressTicket::read(&keys, bad, at(0)), None, "{bad}");
        }
    }

    #[test]
    fn a_ticket_of_an_earlier_version_is_read() {
        let keys = Keys::from_secret(&[1; 32]);
        let json = format!(
            r#"{{"user":{:?},"from":"ada@example.com","to":"king@example.com","valid_from":7000,"expires":60000}}"#,
            [1; 16]
        );
        let Sealed { key_id, bytes } =
            Sealed::seal(&keys, &SystemEntropy, &AS_TICKET, json.as_bytes());
        let text = URL_SAFE_NO_PAD.encode([key_id.to_be_bytes().as_slice(), &bytes].concat());
        let ticket = AddressTicket {
            user: UserId::from_bytes([1; 16]),
            from: "ada@example.com".parse().unwrap(),
            to: "king@example.com".parse().unwrap(),
            valid_from: at(7),
            expires: at(60),
        };
        assert_eq!(AddressTicket::read(&keys, &text, at(59)), Some(ticket));
    }

    #[test]
    fn what_is_mailed_is_good_for_ten_minutes() {
        // OWASP ASVS 5.0, 6.5.5: no longer than ten.
        assert_eq!(
            [LIFETIME, crate::link::LIFETIME],
            [Duration::from_mins(10); 2]
        );
    }
}
