//! Opening the database: connect, migrate, check that it is for this mode and under these keys.

use super::{DatabaseClock, PostgresStore, batch::Batches, listen::Notifier};
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
    ConnectOptions as _, Connection as _, PgConnection,
    error::DatabaseError,
    migrate::Migrator,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use std::{io, time::Duration};

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/postgres");

/// How many connections a process has at most.
const CONNECTIONS: u32 = 12;

/// How long to wait for a connection. After that, it is better to report that the database cannot
/// be used.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// The settings for each connection.
const LIMITS: [(&str, &str); 5] = [
    // None of our statements takes long, and a browser waits for each.
    ("statement_timeout", "10s"),
    ("lock_timeout", "2s"),
    // Frees the locks of a process that has frozen or vanished.
    ("idle_in_transaction_session_timeout", "10s"),
    // A plan that was made while a table was empty reads all of it; it must not be kept until there
    // are millions of rows.
    ("plan_cache_mode", "force_custom_plan"),
    ("jit", "off"),
];

macro_rules! schema {
    () => {
        "vestibule"
    };
}

/// The schema of what stands beside an application's tables.
const SCHEMA: &str = schema!();

/// A migration may take long, but not wait for ever for another server's.
const LIMITS_OF_MIGRATIONS: [(&str, &str); 1] = [("lock_timeout", "60s")];

impl PostgresStore {
    /// Opens the database at `url` and brings it up to date.
    ///
    /// # Errors
    /// [`OpenError`] says what is wrong with it, without the password.
    pub async fn open(url: &str, keys: &Keys) -> Result<Self, OpenError> {
        Self::open_for(Mode::PRODUCTION, url, keys).await
    }

    /// The same, for this mode.
    ///
    /// # Errors
    /// [`OpenError`] says what is wrong with it, without the password.
    pub async fn open_for(mode: Mode, url: &str, keys: &Keys) -> Result<Self, OpenError> {
        let options = url.parse().map_err(OpenError::Cannot)?;
        Self::open_with(mode, options, keys, Place::Whole).await
    }

    /// Opens the database of an application that connects to it with these `options`, for this
    /// mode. What is ours stands in a schema of its own, `vestibule`, which is made if it is
    /// missing, with the migrations that were run; connections are not shared, so neither waits for
    /// the other's.
    ///
    /// # Errors
    /// [`OpenError`] says what is wrong with it, without the password.
    pub async fn open_beside(
        mode: Mode,
        options: PgConnectOptions,
        keys: &Keys,
    ) -> Result<Self, OpenError> {
        let mut connection = connect(&options).await?;
        make_schema(&mut connection).await?;
        let options = options.options([("search_path", SCHEMA)]);
        Self::open_with(mode, options, keys, Place::Schema).await
    }

    async fn open_with(
        mode: Mode,
        mut options: PgConnectOptions,
        keys: &Keys,
        place: Place,
    ) -> Result<Self, OpenError> {
        if options.get_application_name().is_none() {
            options = options.application_name("vestibule");
        }
        let mut connection = connect(&options.clone().options(LIMITS_OF_MIGRATIONS)).await?;
        let is_there = place.is_of(&mut connection).await;
        if !is_there.map_err(OpenError::Cannot)? {
            return Err(OpenError::OtherSchema);
        }
        notes(&mut connection)
            .await
            .map_err(OpenError::Cannot)?
            .check(mode, keys)?;
        MIGRATIONS.run(&mut connection).await?;
        note(&mut connection, mode, keys)
            .await
            .map_err(OpenError::Cannot)?;
        // Another process may have noted something else meanwhile.
        notes(&mut connection)
            .await
            .map_err(OpenError::Cannot)?
            .check(mode, keys)?;
        if matches!(mode, Mode::Production { forget: true, .. }) {
            forget_practice(&mut connection)
                .await
                .map_err(OpenError::Cannot)?;
        }
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(CONNECT_WITHIN)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    // Each one may lead elsewhere.
                    if place.is_of(connection).await? {
                        Ok(())
                    } else {
                        Err(sqlx::Error::Configuration(OpenError::OtherSchema.into()))
                    }
                })
            })
            .connect_lazy_with(options.options(LIMITS));
        let clock = DatabaseClock::start(&mut connection, pool.clone())
            .await
            .map_err(OpenError::Cannot)?;
        let begins = Batches::start(&pool, Some(&Notifier::start(pool.clone())));
        let decisions = Batches::start(&pool, None);
        Ok(Self {
            pool,
            begins,
            decisions,
            clock,
            sessions_apart: false,
        })
    }
}

/// What of a database is ours.
#[derive(Clone, Copy)]
enum Place {
    /// All of it, wherever connections lead by themselves.
    Whole,
    /// The schema.
    Schema,
}

impl Place {
    /// Whether `connection` leads there.
    async fn is_of(self, connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
        match self {
            Self::Whole => Ok(true),
            Self::Schema => {
                sqlx::query_scalar("select coalesce(current_schema() = $1, false)")
                    .bind(SCHEMA)
                    .fetch_one(connection)
                    .await
            }
        }
    }
}

/// Makes the schema of what stands beside an application's tables. Who may not make one is not
/// asked to where it is there.
async fn make_schema(connection: &mut PgConnection) -> Result<(), OpenError> {
    let mut transaction = connection.begin().await.map_err(OpenError::Cannot)?;
    let is_missing: bool = sqlx::query_scalar("select to_regnamespace($1) is null")
        .bind(SCHEMA)
        .fetch_one(&mut *transaction)
        .await
        .map_err(OpenError::Cannot)?;
    if is_missing {
        sqlx::query(concat!("create schema if not exists ", schema!()))
            .execute(&mut *transaction)
            .await
            .map_err(OpenError::Cannot)?;
    }
    // By default, a user's own schema comes first: of a user of that name, it would be ours.
    let hides: bool = sqlx::query_scalar("select $1::name = any(current_schemas(false))")
        .bind(SCHEMA)
        .fetch_one(&mut *transaction)
        .await
        .map_err(OpenError::Cannot)?;
    if hides {
        return Err(OpenError::HidesTables);
    }
    // Who owns a schema can put other tables in the place of ours.
    let is_safe: bool = sqlx::query_scalar(
        "select pg_has_role(current_user, nspowner, 'usage')
             or nspowner = (select datdba from pg_database where datname = current_database())
             or (select rolsuper from pg_roles where oid = nspowner)
         from pg_namespace where nspname = $1",
    )
    .bind(SCHEMA)
    .fetch_one(&mut *transaction)
    .await
    .map_err(OpenError::Cannot)?;
    if !is_safe {
        return Err(OpenError::ForeignSchema);
    }
    transaction.commit().await.map_err(OpenError::Cannot)
}

async fn connect(options: &PgConnectOptions) -> Result<PgConnection, OpenError> {
    let silent = |_| {
        sqlx::Error::Io(io::Error::new(
            io::ErrorKind::TimedOut,
            "the server does not answer",
        ))
    };
    let connected = tokio::time::timeout(CONNECT_WITHIN, options.connect())
        .await
        .map_err(silent)
        .flatten();
    connected.map_err(|error| {
        // Class 28 is "invalid authorization specification".
        let code = error.as_database_error().and_then(DatabaseError::code);
        let denied = code.is_some_and(|code| code.starts_with("28"));
        if denied {
            OpenError::Credentials(error)
        } else {
            OpenError::Cannot(error)
        }
    })
}

/// What the database has noted about itself.
async fn notes(connection: &mut PgConnection) -> Result<Notes, sqlx::Error> {
    let settings: bool = sqlx::query_scalar("select to_regclass('settings') is not null")
        .fetch_one(&mut *connection)
        .await?;
    if !settings {
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

/// Notes the newest key, unless another server has noted one meanwhile that is not among `keys`,
/// and what the database is for if it is new.
async fn note(connection: &mut PgConnection, mode: Mode, keys: &Keys) -> Result<(), sqlx::Error> {
    let ours: Vec<String> = keys.fingerprints().map(|own| own.to_string()).collect();
    let mut transaction = connection.begin().await?;
    sqlx::query(NOTE_MODE)
        .bind(mode.mark())
        .execute(&mut *transaction)
        .await?;
    sqlx::query(
        "insert into settings (name, value) values ('key', $1)
         on conflict (name) do update set value = excluded.value where settings.value = any($2)",
    )
    .bind(keys.fingerprint().to_string())
    .bind(ours)
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await
}

/// Removes practice mode's users, if they are there, from a database that is in use. Which sessions
/// and links came of them cannot be told from the rest, so all users sign in again.
async fn forget_practice(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin().await?;
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
             valid_from = greatest((extract(epoch from clock_timestamp()) * 1000)::bigint, valid_from + 1)",
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
