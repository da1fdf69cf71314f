//! Mails that wait to be sent.

use crate::{
    clock::Timestamp,
    mail::{Mail, MailId},
    store::StoreError,
};
use async_trait::async_trait;

/// Stores mail until it is sent.
#[async_trait]
pub trait MailStore: Send + Sync + 'static {
    /// Takes up to `limit` due mails, ordered by class, and puts each off until `until`: if the
    /// process is killed while sending one, it is sent again then. Removes those that are not to be
    /// sent.
    async fn take_mail(
        &self,
        limit: u32,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Mail>, StoreError>;

    /// When the next mail is due.
    async fn next_mail(&self) -> Result<Option<Timestamp>, StoreError>;

    /// Puts a mail off after a failure.
    async fn put_mail_off(&self, id: MailId, due: Timestamp) -> Result<(), StoreError>;

    /// Forgets a mail: it is sent, or cannot be, or has expired.
    async fn remove_mail(&self, id: MailId) -> Result<(), StoreError>;

    /// Stores a mail that is about no link. `false`: as many of its class wait as may, `at_most`,
    /// and nothing was kept.
    async fn add_mail(&self, mail: &Mail, at_most: u32) -> Result<bool, StoreError>;

    /// Deletes mails that expired before `before`, and returns how many.
    async fn sweep_mails(&self, before: Timestamp) -> Result<u64, StoreError>;
}
