//! Mail on its way: kept with what it is about, and sent from the background until a mail server
//! has taken it.
//!
//! What a mail says is a secret (its link signs a user in), so it is sealed as a waiting token is,
//! and gone from the database once it is sent. A mail server may take a mail and its answer be
//! lost: then it is sent twice, under the same `Message-ID`. It is never lost before it expires,
//! and no request waits for it.

mod class;
mod confirmed;
mod outbox;
mod sealed;
mod worker;

pub use class::MailClass;
pub use outbox::Outbox;
pub use sealed::SealedMailBody;
pub use worker::MailWorker;

use crate::{
    caps::Client,
    clock::Timestamp,
    device::Device,
    email_address::Address,
    id::id,
    ids::SessionId,
    link::{BrowserTag, Code, Link, LinkToken, Terms},
    secret::{Entropy, Keys},
    token::Token,
};
use async_trait::async_trait;

id! {
    /// The id of a mail; also the left half of its `Message-ID`.
    MailId
}

/// A mail that waits to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// The mail's id.
    pub id: MailId,
    /// The recipient.
    pub to: Address,
    /// Its priority.
    pub class: MailClass,
    /// What it says, sealed.
    pub body: SealedMailBody,
    /// How often sending it has failed.
    pub failed: u32,
    /// When it is to be sent.
    pub due_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
}

impl Mail {
    /// A new mail, to be sent now.
    pub(crate) fn new(
        keys: &Keys,
        entropy: &dyn Entropy,
        now: Timestamp,
        to: &Address,
        (class, body): (MailClass, &MailBody),
        expires_at: Timestamp,
    ) -> Self {
        let id = MailId::generate(entropy);
        Self::with_id(id, keys, entropy, now, to, (class, body), expires_at)
    }

    /// The same with this id.
    fn with_id(
        id: MailId,
        keys: &Keys,
        entropy: &dyn Entropy,
        now: Timestamp,
        to: &Address,
        (class, body): (MailClass, &MailBody),
        expires_at: Timestamp,
    ) -> Self {
        let body = SealedMailBody::seal(keys, entropy, id, body);
        Self {
            id,
            to: to.clone(),
            class,
            body,
            failed: 0,
            due_at: now,
            expires_at,
        }
    }
}

/// A mail to go with a new link, and on what terms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posting {
    /// The mail.
    pub mail: Mail,
    /// Whether it is sent; if not, it still takes a mail's time.
    pub delivered: bool,
    /// Who has asked for it.
    pub client: Client,
    /// In which browser; `None` for one that shows no cookie of its own.
    pub browser: Option<BrowserTag>,
    /// Whether no user has its address.
    pub stranger: bool,
    /// Since when other links count.
    pub since: Timestamp,
    /// Between which moments the same browser has asked for the link that answers it, if that is
    /// still open. The second is later than this request: of two at once, either may be kept first.
    pub held: [Timestamp; 2],
    /// How much there may be.
    pub terms: Terms,
}

/// What has become of a link that was posted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Posted {
    /// It is kept.
    New,
    /// Nothing was kept: the same browser has asked for this one just before, to lead to the same
    /// place, and it is open.
    Held(Box<Link>),
}

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

/// A mail was not sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// A retry may help: no answer, or a 4xx (RFC 5321, section 4.2.1).
    #[error("{0}")]
    Temporary(String),
    /// A retry cannot help: a 5xx.
    #[error("{0}")]
    Permanent(String),
}

/// Sends mail.
#[async_trait]
pub trait Mailer: Send + Sync + 'static {
    /// Sends one mail. The mail worker bounds the time.
    async fn send(&self, id: MailId, to: &Address, body: &MailBody) -> Result<(), MailError>;
}

/// How many mails of every kind may wait at once to be sent: one with a link is refused beyond
/// that.
pub(crate) const MAILS: u32 = 10_000;
/// How many mails of each class that is about no link may wait at once: few, and each for itself.
const NOTICES: u32 = 1_000;
