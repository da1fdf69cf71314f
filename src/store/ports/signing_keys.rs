//! The keys that sign assertions.

use crate::{clock::Timestamp, secret::Sealed, store::StoreError};
use async_trait::async_trait;

/// The keys that sign assertions, as they are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSigningKeys {
    /// The keys.
    pub sealed: Sealed,
    /// When they were rotated last.
    pub rotated_at: Timestamp,
}

/// Stores the keys that sign assertions.
#[async_trait]
pub trait SigningKeyStore: Send + Sync + 'static {
    /// The keys, if there are any yet.
    async fn signing_keys(&self) -> Result<Option<StoredSigningKeys>, StoreError>;

    /// Stores `to` if `from` is what is stored. `false`: it is not any more, and nothing was
    /// changed.
    async fn replace_signing_keys(
        &self,
        from: Option<&StoredSigningKeys>,
        to: &StoredSigningKeys,
    ) -> Result<bool, StoreError>;
}
