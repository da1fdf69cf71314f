//! What a mail says.

use crate::{
    clock::Timestamp,
    device::Device,
    email_address::Address,
    id::SessionId,
    link::{Code, LinkToken},
    token::Token,
};

/// What a mail says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailBody {
    /// Here is your link.
    Link(LinkMail),
    /// Is this address yours?
    Address(AddressMail),
    /// Something has happened to your account.
    AccountNotice(NoticeMail),
    /// The check that took longer is done.
    Confirmed(ConfirmedMail),
}

/// To a person whose link was found good after they may have closed its page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfirmedMail {
    /// The link's token. In the browser that began with it, it leads to that session.
    pub token: Token,
    /// The session that waits for that browser.
    pub session: SessionId,
}

/// To the address that a user wants to change to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressMail {
    /// The [ticket](crate::ticket::AddressTicket), as text.
    pub ticket: String,
    /// The device that asked for it, if known.
    pub device: Option<Device>,
}

/// To the owner, who should act if it was not them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoticeMail {
    /// What has happened.
    pub notice: AccountNotice,
    /// The device that it came from, if known.
    pub device: Option<Device>,
    /// When.
    pub at: Timestamp,
}

/// What has happened to an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountNotice {
    /// A browser has signed in that had not before.
    Browser,
    /// Wrong codes were typed for its address.
    WrongCodes {
        /// Whether so many in a row that there are no more codes for a time.
        off: bool,
    },
    /// It has another password.
    Password,
    /// It has another address.
    Moved {
        /// The former one.
        from: Address,
        /// The new one.
        to: Address,
    },
}

/// To the address that a link was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkMail {
    /// The link that signs in.
    pub link: LinkToken,
    /// The code that may be typed in its place; none where wrong ones were typed too often for the
    /// address.
    pub code: Option<Code>,
    /// The device that asked for it, if known.
    pub device: Option<Device>,
}
