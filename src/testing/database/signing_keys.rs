//! The keys that sign assertions.

use super::MemoryDatabase;
use crate::store::{SigningKeyStore, StoreError, StoredSigningKeys};
use async_trait::async_trait;

#[async_trait]
impl SigningKeyStore for MemoryDatabase {
    async fn signing_keys(&self) -> Result<Option<StoredSigningKeys>, StoreError> {
        Ok(self.lock().signing_keys.clone())
    }

    async fn replace_signing_keys(
        &self,
        from: Option<&StoredSigningKeys>,
        to: &StoredSigningKeys,
    ) -> Result<bool, StoreError> {
        let stored = &mut self.lock().signing_keys;
        let is_expected = stored.as_ref() == from;
        if is_expected {
            *stored = Some(to.clone());
        }
        Ok(is_expected)
    }
}
