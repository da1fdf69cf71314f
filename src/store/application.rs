//! The database of the application that Vestibule is a part of.

#[cfg(feature = "postgres")]
use sqlx::{PgPool, postgres::PgConnectOptions};
#[cfg(feature = "sqlite")]
use sqlx::{SqlitePool, sqlite::SqliteConnectOptions};
use std::fmt;
#[cfg(feature = "sqlite")]
use std::path::PathBuf;

/// Where the database of an application is, for what is ours beside the application's own tables.
///
/// It is made of the application's pool. Connections are not shared: what takes long in one is not
/// waited for in the other.
#[derive(Clone)]
pub enum ApplicationDatabase {
    /// In PostgreSQL, what is ours stands in a schema of its own, `vestibule`.
    #[cfg(feature = "postgres")]
    Postgres(Box<PgConnectOptions>),
    /// Beside a file of SQLite it stands in a file of its own, such as `shop-vestibule.db` beside
    /// `shop.db`: in the same one, the application's transactions and ours would wait for each other.
    /// `attach` brings both together for a query. `None`: the application's is kept in memory.
    #[cfg(feature = "sqlite")]
    Sqlite(Option<PathBuf>),
}

#[cfg(feature = "postgres")]
impl From<&PgPool> for ApplicationDatabase {
    fn from(pool: &PgPool) -> Self {
        Self::Postgres(Box::new((*pool.connect_options()).clone()))
    }
}

#[cfg(feature = "postgres")]
impl From<PgPool> for ApplicationDatabase {
    fn from(pool: PgPool) -> Self {
        Self::from(&pool)
    }
}

#[cfg(feature = "sqlite")]
impl From<&SqlitePool> for ApplicationDatabase {
    fn from(pool: &SqlitePool) -> Self {
        Self::Sqlite(file_beside(&pool.connect_options()))
    }
}

#[cfg(feature = "sqlite")]
impl From<SqlitePool> for ApplicationDatabase {
    fn from(pool: SqlitePool) -> Self {
        Self::from(&pool)
    }
}

impl fmt::Debug for ApplicationDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Its options have a password.
            #[cfg(feature = "postgres")]
            Self::Postgres(options) => {
                let database = options.get_database().unwrap_or_default();
                write!(f, "{database} at {}", options.get_host())
            }
            #[cfg(feature = "sqlite")]
            Self::Sqlite(file) => write!(f, "{file:?}"),
        }
    }
}

/// Our file beside an application's; `None` where that is kept in memory.
#[cfg(feature = "sqlite")]
fn file_beside(application: &SqliteConnectOptions) -> Option<PathBuf> {
    let application = application.get_filename();
    let in_memory = |name: &str| name.is_empty() || name == ":memory:" || name.starts_with("file:");
    if application.to_str().is_some_and(in_memory) {
        return None;
    }
    let mut name = application.file_stem()?.to_owned();
    name.push("-vestibule.db");
    Some(application.with_file_name(name))
}
