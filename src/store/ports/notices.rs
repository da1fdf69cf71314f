//! Storing notices.

use crate::{clock::Timestamp, id::ConfirmationId, notice::Notice, store::StoreError};
use async_trait::async_trait;

/// Stores notices. They are added by
/// [`ConfirmationStore::decide`](crate::store::ConfirmationStore::decide).
#[async_trait]
pub trait NoticeStore: Send + Sync + 'static {
    /// Takes up to `limit` due notices, and puts each off until `until`: if it is not removed by
    /// then, it is taken again.
    async fn take_notices(
        &self,
        limit: u32,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Notice>, StoreError>;

    /// Forgets the notice of this confirmation: the application has taken it.
    async fn remove_notice(&self, confirmation: ConfirmationId) -> Result<(), StoreError>;
}
