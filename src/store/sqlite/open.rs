//! Opening the file: create, migrate, check that the keys are the ones it was written with.

use super::{SqliteStore, writer::Writer};
use crate::{
    secret::Keys,
    store::open::{OpenError, is_ours},
};
use sqlx::{
    ConnectOptions as _, SqliteConnection,
    migrate::Migrator,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{path::Path, time::Duration};

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

impl SqliteStore {
    /// Opens the file at `path`, creates it if it is missing, and brings it up to date.
    ///
    /// # Errors
    /// [`OpenError`] says what is wrong with the file.
    pub async fn open(path: &Path, keys: &Keys) -> Result<Self, OpenError> {
        Self::open_with(options(path), keys).await
    }

    /// The same, for tests of what happens when a disk is full: as if it had room for so many pages of 4 KiB.
    ///
    /// # Errors
    /// [`OpenError`] says what is wrong with the file.
    #[cfg(feature = "testing")]
    pub async fn open_within(pages: u32, path: &Path, keys: &Keys) -> Result<Self, OpenError> {
        Self::open_with(options(path).pragma("max_page_count", pages.to_string()), keys).await
    }

    async fn open_with(options: SqliteConnectOptions, keys: &Keys) -> Result<Self, OpenError> {
        let mut connection = options.clone().create_if_missing(true).connect().await.map_err(OpenError::Cannot)?;
        if !check_keys(&mut connection, keys).await.map_err(OpenError::Cannot)? {
            return Err(OpenError::OtherKey);
        }
        MIGRATIONS.run(&mut connection).await?;
        note_key(&mut connection, keys).await.map_err(OpenError::Cannot)?;
        let readers = SqlitePoolOptions::new().max_connections(4).connect_lazy_with(options.clone().read_only(true));
        Ok(Self { readers, writer: Writer::start(connection, options), sessions_apart: false })
    }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
}

/// Whether the file is new or was written under one of `keys`.
async fn check_keys(connection: &mut SqliteConnection, keys: &Keys) -> Result<bool, sqlx::Error> {
    let settings: i64 = sqlx::query_scalar("select count(*) from sqlite_master where name = 'settings'")
        .fetch_one(&mut *connection)
        .await?;
    if settings == 0 {
        return Ok(true);
    }
    let known: Option<String> =
        sqlx::query_scalar("select value from settings where name = 'key'").fetch_optional(&mut *connection).await?;
    Ok(known.is_none_or(|known| is_ours(keys, &known)))
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
