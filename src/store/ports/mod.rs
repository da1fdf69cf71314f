//! The traits of the stores: one for each kind of record.

mod confirmations;
mod links;
mod mails;
mod notices;
mod queue;
mod sessions;
mod signing_keys;
mod users;

pub use confirmations::ConfirmationStore;
pub use links::LinkStore;
pub use mails::MailStore;
pub use notices::NoticeStore;
pub use queue::ConfirmationQueue;
pub use sessions::{SessionStore, SessionUserStore, SessionWithUser};
pub use signing_keys::{SigningKeyStore, StoredSigningKeys};
pub use users::UserStore;
