//! Links, and the wrong codes that were typed for them.

use crate::{
    clock::Timestamp,
    email_address::Address,
    id::ConfirmationId,
    link::{Link, Tries},
    mail::{Posted, Posting},
    secret::SecretHash,
    store::{BeginError, StoreError},
};
use async_trait::async_trait;

/// Stores links, in the database of the confirmations.
#[async_trait]
pub trait LinkStore: Send + Sync + 'static {
    /// Stores a new link without a mail: the caller passes it on.
    async fn add_link(&self, link: &Link) -> Result<(), StoreError>;

    /// Stores a new link with its mail, both or neither, and revokes those links to the same
    /// address that were mailed, are open, and were asked for in the same browser to lead to the
    /// same place. If the address has had enough, keeps a link that is not mailed, which revokes
    /// nothing. If the browser has asked for such a link just before, and it is open, keeps
    /// nothing and returns that one. However many come at once, no more are mailed.
    ///
    /// # Errors
    /// [`BeginError`] if the client has asked for as many as it may, or too many mails wait:
    /// nothing is kept then.
    async fn post_link(&self, link: &Link, posting: &Posting) -> Result<Posted, BeginError>;

    /// Revokes all links to this address that are open.
    async fn revoke_links(&self, address: &Address) -> Result<(), StoreError>;

    /// The link with this token.
    async fn link_by_token(&self, token: &SecretHash) -> Result<Option<Link>, StoreError>;

    /// The link for which this confirmation waits.
    async fn link_by_waiting(&self, waiting: ConfirmationId) -> Result<Option<Link>, StoreError>;

    /// Stores the new state of a link. If it is no longer open, its mail is not sent, and the
    /// waiting confirmation is due. If it was mailed and has let a browser in, wrong codes of its
    /// address no longer count, unless there were [`WRONG_CODES`](crate::link::WRONG_CODES).
    /// `false`: it was written since it was read, and nothing was changed.
    async fn replace_link(&self, next: &Link) -> Result<bool, StoreError>;

    /// Counts one more code that is tried, unless [`WRONG_CODES`](crate::link::WRONG_CODES) were
    /// since `since`: then it is `None`. Returns how many there were in a row with this one.
    async fn count_code(
        &self,
        tries: &Tries,
        now: Timestamp,
        since: Timestamp,
    ) -> Result<Option<u32>, StoreError>;

    /// How many codes were tried since `since`.
    async fn codes_tried(&self, tries: &Tries, since: Timestamp) -> Result<u32, StoreError>;

    /// A code that was tried is right: counts from nothing.
    async fn forget_codes(&self, tries: &Tries) -> Result<(), StoreError>;

    /// Deletes counts of codes of which the last was tried before `before`, and returns how many.
    async fn sweep_codes(&self, before: Timestamp) -> Result<u64, StoreError>;

    /// Deletes links that expired before `before`, and returns how many.
    async fn sweep_links(&self, before: Timestamp) -> Result<u64, StoreError>;
}
