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
mod tests;
