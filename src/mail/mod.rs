//! Mail on its way: kept with what it is about, and sent from the background until a mail server
//! has taken it.
//!
//! What a mail says is a secret (its link signs a user in), so it is sealed as a waiting token is,
//! and gone from the database once it is sent. A mail server may take a mail and its answer be
//! lost: then it is sent twice, under the same `Message-ID`. It is never lost before it expires,
//! and no request waits for it.

mod body;
mod class;
mod confirmed;
mod outbox;
mod sealed;
mod worker;

pub use body::{AccountNotice, AddressMail, ConfirmedMail, LinkMail, MailBody, NoticeMail};
pub use class::MailClass;
pub use outbox::Outbox;
pub use sealed::SealedMailBody;
pub use worker::MailWorker;

use crate::{
    caps::Client,
    clock::Timestamp,
    email_address::Address,
    id::id,
    link::{BrowserTag, Link, Terms},
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
