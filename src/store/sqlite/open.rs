//! Opening the file: create, migrate, check that the keys are the ones it was written with.

use super::{SqliteStore, writer::Writer};
use crate::secret::Keys;
use sqlx::{
    ConnectOptions as _, SqliteConnection,
    migrate::{MigrateError, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{path::Path, time::Duration};

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// The store could not be opened. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The file cannot be opened or created, or is no database.
    #[error("cannot be opened: {0}")]
    Cannot(#[source] sqlx::Error),
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

impl SqliteStore {
    /// Opens the file at `path`, creates it if it is missing, and brings it up to date.
    ///
    /// # Errors
    /// [`OpenError`] says what is wrong with the file.
    pub async fn open(path: &Path, keys: &Keys) -> Result<Self, OpenError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5));
        let mut connection = options.clone().create_if_missing(true).connect().await.map_err(OpenError::Cannot)?;
        if !check_keys(&mut connection, keys).await.map_err(OpenError::Cannot)? {
            return Err(OpenError::OtherKey);
        }
        MIGRATIONS.run(&mut connection).await.map_err(|error| match error {
            MigrateError::VersionMissing(version) => OpenError::Newer(version),
            MigrateError::Execute(error) => OpenError::Cannot(error),
            error => OpenError::Migrate(error),
        })?;
        note_key(&mut connection, keys).await.map_err(OpenError::Cannot)?;
        let readers = SqlitePoolOptions::new().max_connections(4).connect_lazy_with(options.clone().read_only(true));
        Ok(Self { readers, writer: Writer::start(connection, options), sessions_apart: false })
    }
}

/// Whether the file is new or was written under one of `keys`. A server with another key would take its own cookies for
/// forged and could unseal nothing.
async fn check_keys(connection: &mut SqliteConnection, keys: &Keys) -> Result<bool, sqlx::Error> {
    let settings: i64 = sqlx::query_scalar("select count(*) from sqlite_master where name = 'settings'")
        .fetch_one(&mut *connection)
        .await?;
    if settings == 0 {
        return Ok(true);
    }
    let known: Option<String> =
        sqlx::query_scalar("select value from settings where name = 'key'").fetch_optional(&mut *connection).await?;
    Ok(known.is_none_or(|known| keys.fingerprints().any(|own| own.to_string() == known)))
}

async fn note_key(connection: &mut SqliteConnection, keys: &Keys) -> Result<(), sqlx::Error> {
    sqlx::query(
        "insert into settings (name, value) values ('key', ?) on conflict do update set value = excluded.value",
    )
    .bind(keys.fingerprint().to_string())
    .execute(connection)
    .await?;
    Ok(())
}
