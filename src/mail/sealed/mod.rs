//! The body of a mail, sealed while it waits.

use super::{AccountNotice, AddressMail, ConfirmedMail, LinkMail, MailBody, MailId, NoticeMail};
use crate::{
    clock::Timestamp,
    device::Device,
    email_address::Address,
    link::{Code, LinkToken},
    secret::{CannotOpen, Entropy, Keys, Sealed},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use std::fmt;
use zeroize::Zeroizing;

/// A sealed mail body.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedMailBody(pub Sealed);

/// What is sealed.
#[derive(Serialize, Deserialize)]
struct SealedContent {
    device: Option<String>,
    about: SealedFields,
}

#[derive(Serialize, Deserialize)]
enum SealedFields {
    Link { link: String, code: Option<String> },
    Address { ticket: String },
    Browser { at: i64 },
    WrongCodes { off: bool, at: i64 },
    Password { at: i64 },
    Moved { from: String, to: String, at: i64 },
    Confirmed { token: String, session: String },
}

impl SealedMailBody {
    /// Seals the body of the mail `id`.
    ///
    /// # Panics
    /// Never: the body of a mail is text.
    #[must_use]
    pub fn seal(keys: &Keys, entropy: &dyn Entropy, id: MailId, body: &MailBody) -> Self {
        let plain = Zeroizing::new(
            serde_json::to_vec(&SealedContent::of(body)).expect("a mail body is text"),
        );
        Self(Sealed::seal(keys, entropy, id.as_bytes(), &plain))
    }

    /// Opens the body of the mail `id`.
    ///
    /// # Errors
    /// [`CannotOpen`] if its key is not among `keys`, or it was sealed for another mail, or is
    /// damaged.
    pub fn open(&self, keys: &Keys, id: MailId) -> Result<MailBody, CannotOpen> {
        let plain = self.0.open(keys, id.as_bytes())?;
        let content: SealedContent = serde_json::from_slice(&plain).map_err(|_| CannotOpen)?;
        content.body().ok_or(CannotOpen)
    }
}

impl SealedContent {
    fn of(body: &MailBody) -> Self {
        let (device, about) = match body {
            MailBody::Link(LinkMail { link, code, device }) => {
                let link = URL_SAFE_NO_PAD.encode(link.expose());
                (
                    device,
                    SealedFields::Link {
                        link,
                        code: code.as_ref().map(Code::digits),
                    },
                )
            }
            MailBody::Address(AddressMail { ticket, device }) => (
                device,
                SealedFields::Address {
                    ticket: ticket.clone(),
                },
            ),
            MailBody::AccountNotice(NoticeMail { notice, device, at }) => {
                let at = at.as_millis();
                let about = match notice {
                    AccountNotice::Browser => SealedFields::Browser { at },
                    AccountNotice::WrongCodes { off } => SealedFields::WrongCodes { off: *off, at },
                    AccountNotice::Password => SealedFields::Password { at },
                    AccountNotice::Moved { from, to } => SealedFields::Moved {
                        from: from.typed().to_owned(),
                        to: to.typed().to_owned(),
                        at,
                    },
                };
                (device, about)
            }
            MailBody::Confirmed(ConfirmedMail { token, session }) => (
                &None,
                SealedFields::Confirmed {
                    token: token.expose().to_owned(),
                    session: session.to_string(),
                },
            ),
        };
        Self {
            device: device.clone().map(Device::into_string),
            about,
        }
    }

    fn body(self) -> Option<MailBody> {
        let device = self.device.as_deref().and_then(Device::new);
        let notice = |notice, at| NoticeMail {
            notice,
            device: device.clone(),
            at: Timestamp::from_millis(at),
        };
        Some(match self.about {
            SealedFields::Link { link, code } => {
                let link =
                    LinkToken::from_bytes(URL_SAFE_NO_PAD.decode(link).ok()?.try_into().ok()?);
                let code = code.map(|code| code.parse()).transpose().ok()?;
                MailBody::Link(LinkMail { link, code, device })
            }
            SealedFields::Address { ticket } => MailBody::Address(AddressMail { ticket, device }),
            SealedFields::Browser { at } => {
                MailBody::AccountNotice(notice(AccountNotice::Browser, at))
            }
            SealedFields::WrongCodes { off, at } => {
                MailBody::AccountNotice(notice(AccountNotice::WrongCodes { off }, at))
            }
            SealedFields::Password { at } => {
                MailBody::AccountNotice(notice(AccountNotice::Password, at))
            }
            SealedFields::Moved { from, to, at } => {
                let (from, to): (Address, Address) = (from.parse().ok()?, to.parse().ok()?);
                MailBody::AccountNotice(notice(AccountNotice::Moved { from, to }, at))
            }
            SealedFields::Confirmed { token, session } => MailBody::Confirmed(ConfirmedMail {
                token: token.parse().ok()?,
                session: session.parse().ok()?,
            }),
        })
    }
}

impl fmt::Debug for SealedMailBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedMailBody(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::SystemEntropy;

    #[test]
    fn a_body_opens_for_its_own_mail_alone() {
        let keys = Keys::from_secret(&[1; 32]);
        let mine = MailId::from_bytes([1; 16]);
        let other = MailId::from_bytes([2; 16]);
        let device = Device::new("Firefox on Linux");
        let notice = |notice| {
            MailBody::AccountNotice(NoticeMail {
                notice,
                device: device.clone(),
                at: Timestamp::from_millis(7),
            })
        };
        let from = "ada@example.com".parse().unwrap();
        let to = "king@example.com".parse().unwrap();
        for body in [
            MailBody::Link(LinkMail {
                link: LinkToken::generate(&SystemEntropy),
                code: Some(Code::generate(&SystemEntropy)),
                device: device.clone(),
            }),
            MailBody::Link(LinkMail {
                link: LinkToken::generate(&SystemEntropy),
                code: None,
                device: None,
            }),
            notice(AccountNotice::WrongCodes { off: true }),
            MailBody::Address(AddressMail {
                ticket: "ticket".into(),
                device: None,
            }),
            notice(AccountNotice::Browser),
            notice(AccountNotice::Password),
            notice(AccountNotice::Moved { from, to }),
        ] {
            let sealed = SealedMailBody::seal(&keys, &SystemEntropy, mine, &body);
            assert_eq!(sealed.open(&keys, mine), Ok(body));
            assert_eq!(sealed.open(&keys, other), Err(CannotOpen));
        }
    }

    #[test]
    fn a_body_that_an_earlier_version_sealed_is_read() {
        let keys = Keys::from_secret(&[1; 32]);
        let id = MailId::from_bytes([1; 16]);
        let opened = |json: &str| {
            let sealed = Sealed::seal(&keys, &SystemEntropy, id.as_bytes(), json.as_bytes());
            SealedMailBody(sealed).open(&keys, id)
        };
        let link = LinkToken::from_bytes([9; 32]);
        let token = URL_SAFE_NO_PAD.encode([9; 32]);
        for (code, json) in [
            (Some("012345".parse().unwrap()), r#""012345""#),
            (None, "null"),
        ] {
            let json = format!(
                r#"{{"device":null,"about":{{"Link":{{"link":"{token}","code":{json}}}}}}}"#
            );
            let link = link.clone();
            assert_eq!(
                opened(&json),
                Ok(MailBody::Link(LinkMail {
                    link,
                    code,
                    device: None
                }))
            );
        }
        assert_eq!(
            opened(r#"{"device":null,"about":{"Address":{"ticket":"abc"}}}"#),
            Ok(MailBody::Address(AddressMail {
                ticket: "abc".into(),
                device: None,
            }))
        );
        let from = "ada@example.com".parse().unwrap();
        let to = "king@example.com".parse().unwrap();
        for (about, notice) in [
            (r#"{"Browser":{"at":7}}"#, AccountNotice::Browser),
            (
                r#"{"WrongCodes":{"off":true,"at":7}}"#,
                AccountNotice::WrongCodes { off: true },
            ),
            (r#"{"Password":{"at":7}}"#, AccountNotice::Password),
            (
                r#"{"Moved":{"from":"ada@example.com","to":"king@example.com","at":7}}"#,
                AccountNotice::Moved { from, to },
            ),
        ] {
            let json = format!(r#"{{"device":"Firefox on Linux","about":{about}}}"#);
            let device = Device::new("Firefox on Linux");
            let at = Timestamp::from_millis(7);
            assert_eq!(
                opened(&json),
                Ok(MailBody::AccountNotice(NoticeMail { notice, device, at }))
            );
        }
    }
}
