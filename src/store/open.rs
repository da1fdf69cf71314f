//! What opening a database comes to, for every kind of it.

use crate::secret::Keys;
use sqlx::migrate::MigrateError;

/// The store could not be opened. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It cannot be reached, opened or created, or is no database.
    #[error("cannot be opened: {0}")]
    Cannot(#[source] sqlx::Error),
    /// The server knows no such user, or by another password.
    #[error("lets nobody in with this user name and password: {0}")]
    Credentials(#[source] sqlx::Error),
    /// It was written by a newer version.
    #[error("was written by a newer version of Vestibule (migration {0}); start that version instead")]
    Newer(i64),
    /// A migration failed.
    #[error("cannot be migrated: {0}")]
    Migrate(#[source] MigrateError),
    /// It was written under a key that is not among the configured ones.
    #[error("was written under another key; give the old key after the new one, separated by a comma")]
    OtherKey,
}

impl From<MigrateError> for OpenError {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::VersionMissing(version) => Self::Newer(version),
            MigrateError::Execute(error) => Self::Cannot(error),
            error => Self::Migrate(error),
        }
    }
}

/// Whether what was written under the key with the fingerprint `noted` is ours. A server with another key would take its
/// own cookies for forged and could unseal nothing.
pub(super) fn is_ours(keys: &Keys, noted: &str) -> bool {
    keys.fingerprints().any(|own| own.to_string() == noted)
}
