//! Opening the database: connect, migrate, check that the keys are the ones it was written with.

use super::{DatabaseClock, PostgresStore, batch::Batches, listen::Herald};
use crate::{
    secret::Keys,
    store::open::{OpenError, is_ours},
};
use sqlx::{
    ConnectOptions as _, PgConnection,
    error::DatabaseError,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{io, time::Duration};

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// How many connections a process has at most.
const CONNECTIONS: u32 = 12;

/// How long a connection is waited for. Who waits longer is better told that the database cannot be used.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// What is asked of the server for each connection.
const LIMITS: [(&str, &str); 5] = [
    // Nothing that is ours takes long, and whoever waits for it has a browser waiting.
    ("statement_timeout", "10s"),
    ("lock_timeout", "2s"),
    // The locks of a process that has frozen or vanished are given to others.
    ("idle_in_transaction_session_timeout", "10s"),
    // A plan that was made while a table was empty reads all of it; it must not be kept until there are millions of rows.
    ("plan_cache_mode", "force_custom_plan"),
    ("jit", "off"),
];

/// A migration may take long, but not wait for ever for another server's.
const LIMITS_OF_MIGRATIONS: [(&str, &str); 1] = [("lock_timeout", "60s")];

impl PostgresStore {
    /// Opens the database at `url` and brings it up to date.
    ///
    /// # Errors
    /// [`OpenError`] says what is wrong with it, without the password.
    pub async fn open(url: &str, keys: &Keys) -> Result<Self, OpenError> {
        let mut options: PgConnectOptions = url.parse().map_err(OpenError::Cannot)?;
        if options.get_application_name().is_none() {
            options = options.application_name("vestibule");
        }
        let mut connection = connect(&options.clone().options(LIMITS_OF_MIGRATIONS)).await?;
        if !check_keys(&mut connection, keys).await.map_err(OpenError::Cannot)? {
            return Err(OpenError::OtherKey);
        }
        MIGRATIONS.run(&mut connection).await?;
        if !note_key(&mut connection, keys).await.map_err(OpenError::Cannot)? {
            return Err(OpenError::OtherKey);
        }
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(CONNECT_WITHIN)
            .connect_lazy_with(options.options(LIMITS));
        let clock = DatabaseClock::start(&mut connection, pool.clone()).await.map_err(OpenError::Cannot)?;
        let begins = Batches::start(&pool, Some(&Herald::start(pool.clone())));
        let decisions = Batches::start(&pool, None);
        Ok(Self { pool, begins, decisions, clock, sessions_apart: false })
    }
}

async fn connect(options: &PgConnectOptions) -> Result<PgConnection, OpenError> {
    let silent = |_| sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, "the server does not answer"));
    let connected = tokio::time::timeout(CONNECT_WITHIN, options.connect()).await.map_err(silent).flatten();
    connected.map_err(|error| {
        // Class 28 is "invalid authorization specification".
        let code = error.as_database_error().and_then(DatabaseError::code);
        let denied = code.is_some_and(|code| code.starts_with("28"));
        if denied { OpenError::Credentials(error) } else { OpenError::Cannot(error) }
    })
}

/// Whether the database is new or was written under one of `keys`.
async fn check_keys(connection: &mut PgConnection, keys: &Keys) -> Result<bool, sqlx::Error> {
    let settings: bool =
        sqlx::query_scalar("select to_regclass('settings') is not null").fetch_one(&mut *connection).await?;
    if !settings {
        return Ok(true);
    }
    let known: Option<String> =
        sqlx::query_scalar("select value from settings where name = 'key'").fetch_optional(connection).await?;
    Ok(known.is_none_or(|known| is_ours(keys, &known)))
}

/// Notes the newest key. `false`: another server has noted one meanwhile that is not among `keys`.
async fn note_key(connection: &mut PgConnection, keys: &Keys) -> Result<bool, sqlx::Error> {
    let ours: Vec<String> = keys.fingerprints().map(|own| own.to_string()).collect();
    let noted = sqlx::query(
        "insert into settings (name, value) values ('key', $1)
         on conflict (name) do update set value = excluded.value where settings.value = any($2)",
    )
    .bind(keys.fingerprint().to_string())
    .bind(ours)
    .execute(connection)
    .await?;
    Ok(noted.rows_affected() == 1)
}
