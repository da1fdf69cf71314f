//! The keys that sign assertions, in SQLite.

use super::SqliteStore;
use crate::store::{
    SigningKeyStore, StoreError, StoredSigningKeys,
    row::{signing_keys, signing_keys_text},
    statements::{INSERT_SIGNING_KEYS, REPLACE_SIGNING_KEYS, SIGNING_KEYS},
};
use async_trait::async_trait;

#[async_trait]
impl SigningKeyStore for SqliteStore {
    async fn signing_keys(&self) -> Result<Option<StoredSigningKeys>, StoreError> {
        let text: Option<String> = sqlx::query_scalar(SIGNING_KEYS)
            .fetch_optional(&self.readers)
            .await?;
        text.as_deref().map(signing_keys).transpose()
    }

    async fn replace_signing_keys(
        &self,
        from: Option<&StoredSigningKeys>,
        to: &StoredSigningKeys,
    ) -> Result<bool, StoreError> {
        let from = from.map(signing_keys_text);
        let to = signing_keys_text(to);
        self.write((from, to), |connection, (from, to)| {
            Box::pin(async move {
                let replaced = match from {
                    Some(from) => sqlx::query(REPLACE_SIGNING_KEYS)
                        .bind(to.as_str())
                        .bind(from.as_str()),
                    None => sqlx::query(INSERT_SIGNING_KEYS).bind(to.as_str()),
                };
                Ok(replaced.execute(connection).await?.rows_affected() == 1)
            })
        })
        .await
    }
}
