//! Opening the file: create, migrate, check that it is for this mode and under these keys.

use super::{SqliteStore, session_users::SessionUserReader, writer::Writer};
use crate::{
    secret::Keys,
    store::{
        open::{Mode, Notes, OpenError, warn_of_practice_user},
        statements::{
            ALL_SETTINGS, DELETE_MAILS_WITH_LINKS, DELETE_SIGNING_KEYS, DELETE_USER_BY_IDENTITY,
            NOTE_MODE, REVOKE_ALL_LINKS, USER_EXISTS,
        },
    },
    user::{PASSWORD_ISSUER, PRACTICE_IDENTITY, PRACTICE_SUBJECT},
};
use sqlx::{
    ConnectOptions as _, Connection as _, SqliteConnection,
    migrate::Migrator,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};
use std::{path::Path, time::Duration};

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// How much the writing connection keeps of the file, in KiB (negative, as SQLite wants it).
const WRITER_CACHE: &str = "-16384";
/// After how many pages of 4 KiB in the log the writer copies them back to the file, as far as that
/// was not done beside it (`writer/checkpoint.rs`).
const WAL_PAGES: &str = "16000";

impl SqliteStore {
    /// Opens the file at `path`, creates it if it is missing, and brings it up to date.
    ///
    /// # Errors
    /// [`OpenError`] says what is wrong with the file.
    pub async fn open(path: &Path, keys: &Keys) -> Result<Self, OpenError> {
        Self::open_for(Mode::PRODUCTION, path, keys).await
    }

    /// The same, for this mode.
    ///
    /// # Errors
    /// [`OpenError`] says what is wrong with the file.
    pub async fn open_for(mode: Mode, path: &Path, keys: &Keys) -> Result<Self, OpenError> {
        Self::open_with(options(path), mode, keys).await
    }

    /// The same, for tests of what happens when a disk is full: as if it had room for so many pages
    /// of 4 KiB.
    ///
    /// # Errors
    /// [`OpenError`] says what is wrong with the file.
    #[cfg(feature = "testing")]
    pub async fn open_within(pages: u32, path: &Path, keys: &Keys) -> Result<Self, OpenError> {
        Self::open_with(
            options(path).pragma("max_page_count", pages.to_string()),
            Mode::PRODUCTION,
            keys,
        )
        .await
    }

    async fn open_with(
        options: SqliteConnectOptions,
        mode: Mode,
        keys: &Keys,
    ) -> Result<Self, OpenError> {
        let writer = options
            .clone()
            .pragma("cache_size", WRITER_CACHE)
            .pragma("wal_autocheckpoint", WAL_PAGES);
        let mut connection = writer
            .clone()
            .create_if_missing(true)
            .connect()
            .await
            .map_err(OpenError::Cannot)?;
        notes(&mut connection)
            .await
            .map_err(OpenError::Cannot)?
            .check(mode, keys)?;
        MIGRATIONS.run(&mut connection).await?;
        note(&mut connection, mode, keys)
            .await
            .map_err(OpenError::Cannot)?;
        if matches!(mode, Mode::Production { forget: true, .. }) {
            forget_practice(&mut connection)
                .await
                .map_err(OpenError::Cannot)?;
        }
        let readers = SqlitePoolOptions::new()
            .max_connections(4)
            // A file does not hang up; asking each time would cost as much as what is read.
            .test_before_acquire(false)
            .connect_lazy_with(options.clone().read_only(true));
        Ok(Self {
            session_users: SessionUserReader::start(readers.clone()),
            readers,
            writer: Writer::start(connection, writer),
            sessions_apart: false,
        })
    }
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        // What undoes a statement needs no file.
        .pragma("temp_store", "memory")
        .busy_timeout(Duration::from_secs(5))
}

/// What the file has noted about itself.
async fn notes(connection: &mut SqliteConnection) -> Result<Notes, sqlx::Error> {
    let settings: i64 =
        sqlx::query_scalar("select count(*) from sqlite_master where name = 'settings'")
            .fetch_one(&mut *connection)
            .await?;
    if settings == 0 {
        return Ok(Notes::default());
    }
    let practice_user: bool = sqlx::query_scalar(USER_EXISTS)
        .bind(PASSWORD_ISSUER)
        .bind(PRACTICE_SUBJECT)
        .fetch_one(&mut *connection)
        .await?;
    let rows = sqlx::query_as(ALL_SETTINGS).fetch_all(connection).await?;
    Ok(Notes::read(rows, practice_user))
}

/// Notes the newest key, and what the file is for if it is new.
async fn note(
    connection: &mut SqliteConnection,
    mode: Mode,
    keys: &Keys,
) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin_with("begin immediate").await?;
    sqlx::query(
        "insert into settings (name, value) values ('key', $1) on conflict do update set value = excluded.value",
    )
    .bind(keys.fingerprint().to_string())
    .execute(&mut *transaction)
    .await?;
    sqlx::query(NOTE_MODE)
        .bind(mode.mark())
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await
}

/// Removes practice mode's users, if they are there, from a database that is in use. Which sessions
/// and links came of them cannot be told from the rest, so all users sign in again.
async fn forget_practice(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin_with("begin immediate").await?;
    let removed = sqlx::query(DELETE_USER_BY_IDENTITY)
        .bind(PASSWORD_ISSUER)
        .bind(PRACTICE_SUBJECT)
        .execute(&mut *transaction)
        .await?;
    if removed.rows_affected() == 0 {
        return Ok(());
    }
    let (issuer, subject) = PRACTICE_IDENTITY;
    sqlx::query(DELETE_USER_BY_IDENTITY)
        .bind(issuer)
        .bind(subject)
        .execute(&mut *transaction)
        .await?;
    for statement in [
        "update users set revision = revision + 1,
             valid_from = max(cast(unixepoch('subsec') * 1000 as integer), valid_from + 1)",
        REVOKE_ALL_LINKS,
        DELETE_MAILS_WITH_LINKS,
        DELETE_SIGNING_KEYS,
    ] {
        sqlx::query(statement).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    warn_of_practice_user();
    Ok(())
}
