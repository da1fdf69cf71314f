//! Where everything is kept.

use super::{
    RawSettings, SettingError,
    setting::{DATABASE_URL, REDIS_URL, SESSION_STORE, VESTIBULE_DATA},
};
use crate::config::origin::is_loopback_host;
use std::{
    fmt,
    path::{Path, PathBuf},
};
use url::Url;
use vestibule::store::ApplicationDatabase;

/// Where everything is kept.
#[derive(Clone, Debug)]
pub struct StorageConfig {
    /// The folder of the `SQLite` file and, in practice mode, of the key.
    pub data: PathBuf,
    /// Where confirmations and users are kept.
    pub database: DatabaseLocation,
    /// Where sessions are kept.
    pub sessions: SessionLocation,
}

/// Where confirmations and users are kept.
#[derive(Clone, Debug)]
pub enum DatabaseLocation {
    /// In one file, for one process.
    Sqlite(PathBuf),
    /// In a `PostgreSQL` server, for any number of processes.
    Postgres(ConnectionUrl),
    /// In the database of the application that this is a part of.
    Application(ApplicationDatabase),
}

impl From<ApplicationDatabase> for DatabaseLocation {
    fn from(database: ApplicationDatabase) -> Self {
        match database {
            ApplicationDatabase::Sqlite(Some(file)) => Self::Sqlite(file),
            other => Self::Application(other),
        }
    }
}

/// Where sessions are kept.
#[derive(Clone, Debug)]
pub enum SessionLocation {
    /// In the same database.
    Database,
    /// In a Redis server.
    Redis(ConnectionUrl),
    /// In this process's memory: a restart signs everyone out.
    Memory,
}

/// The address of a server, which may hold a password: `Debug` and `Display` leave it out.
#[derive(Clone)]
pub struct ConnectionUrl(Url);

impl ConnectionUrl {
    fn parse(text: &str, schemes: &[&str]) -> Result<Self, String> {
        let url = Url::parse(text)
            .ok()
            .filter(|url| schemes.contains(&url.scheme()));
        url.map(Self).ok_or_else(|| {
            format!(
                "not an address that begins with {}://",
                schemes.join(":// or ")
            )
        })
    }

    /// The whole of it, for the driver.
    pub fn expose(&self) -> &str {
        self.0.as_str()
    }
}

impl ConnectionUrl {
    /// Whether it is another machine's, and nothing says that the connection has to be encrypted.
    pub fn is_unencrypted_elsewhere(&self) -> bool {
        let given = |names: &[&str]| {
            self.0
                .query_pairs()
                .filter(|(name, _)| names.contains(&&**name))
                .last()
                .map(|(_, value)| value.into_owned())
        };
        let mode = given(&["sslmode", "ssl-mode"]);
        if self.0.scheme() == "rediss" || mode.is_some_and(|mode| ENCRYPTED.contains(&&*mode)) {
            return false;
        }
        // PostgreSQL's addresses may name the host in the query, and a folder for a socket of this
        // machine.
        let host = given(&["host", "hostaddr"])
            .or_else(|| self.0.host_str().map(str::to_owned))
            .unwrap_or_default();
        !(host.is_empty()
            || host.starts_with('/')
            || host.starts_with("%2F")
            || is_loopback_host(&host))
    }
}

/// The values of PostgreSQL's `sslmode` with which nothing goes unencrypted.
const ENCRYPTED: [&str; 3] = ["require", "verify-ca", "verify-full"];

impl fmt::Display for ConnectionUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.0.host_str().unwrap_or("localhost");
        let port = self
            .0
            .port()
            .map(|port| format!(":{port}"))
            .unwrap_or_default();
        write!(f, "{}://{host}{port}{}", self.0.scheme(), self.0.path())
    }
}

impl fmt::Debug for ConnectionUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl StorageConfig {
    /// Reads the settings of what is kept.
    pub fn read(given: &RawSettings) -> Result<Self, SettingError> {
        let data = PathBuf::from(given.text(&VESTIBULE_DATA).unwrap_or("data"));
        let database = given.read(&DATABASE_URL, database)?;
        let redis = given.read(&REDIS_URL, |text| {
            ConnectionUrl::parse(text, &["redis", "rediss"])
        })?;
        let sessions = match (given.text(&SESSION_STORE), redis) {
            (None | Some("redis"), Some(redis)) => SessionLocation::Redis(redis),
            (Some("redis"), None) => {
                return Err(REDIS_URL.wrong("missing; SESSION_STORE says redis"));
            }
            (None | Some("database"), _) => SessionLocation::Database,
            (Some("memory"), _) => SessionLocation::Memory,
            (Some(_), _) => {
                return Err(SESSION_STORE.wrong("neither database nor redis nor memory"));
            }
        };
        let database =
            database.unwrap_or_else(|| DatabaseLocation::Sqlite(data.join("vestibule.db")));
        Ok(Self {
            data,
            database,
            sessions,
        })
    }

    /// Says why several processes cannot share what is kept, if they cannot.
    pub fn shared(&self) -> Result<(), SettingError> {
        if let DatabaseLocation::Sqlite(_) = self.database {
            return Err(DATABASE_URL.wrong(
                "a SQLite file is one process's; servers and workers apart need PostgreSQL",
            ));
        }
        if let SessionLocation::Memory = self.sessions {
            return Err(SESSION_STORE
                .wrong("memory is one process's; servers and workers apart need another store"));
        }
        Ok(())
    }
}

fn database(text: &str) -> Result<DatabaseLocation, String> {
    let Some(path) = text.strip_prefix("sqlite:") else {
        let postgres = ConnectionUrl::parse(text, &["postgres", "postgresql"]);
        return postgres
            .map(DatabaseLocation::Postgres)
            .map_err(|_| "neither a sqlite: nor a postgres:// address".into());
    };
    let path = path.strip_prefix("//").unwrap_or(path);
    if path.is_empty() || path.contains('?') {
        Err("it names no file".into())
    } else {
        Ok(DatabaseLocation::Sqlite(Path::new(path).into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(given: &[(&str, &str)]) -> Result<StorageConfig, String> {
        let find = |setting: &super::super::Setting| {
            given
                .iter()
                .find(|(key, _)| *key == setting.key)
                .map(|(_, value)| (*value).to_owned())
        };
        StorageConfig::read(&RawSettings::from_lookup(find)).map_err(|error| error.to_string())
    }

    #[test]
    fn no_password_is_printed() {
        let url = "postgres://vestibule:hush@db.internal:5433/sign_in?sslmode=require";
        let storage = read(&[
            ("DATABASE_URL", url),
            ("REDIS_URL", "rediss://:hush@cache.internal/1"),
        ])
        .unwrap();
        let DatabaseLocation::Postgres(address) = &storage.database else {
            panic!("it is PostgreSQL")
        };
        assert_eq!(address.to_string(), "postgres://db.internal:5433/sign_in");
        assert_eq!(address.expose(), url);
        assert!(!format!("{storage:?}").contains("hush"));
    }

    #[test]
    fn what_may_go_unencrypted_to_another_machine_is_noticed() {
        for (url, unencrypted) in [
            ("postgres://db.internal/x", true),
            ("postgres://10.0.0.7/x?sslmode=prefer", true),
            ("postgres://db.internal/x?sslmode=require", false),
            (
                "postgres://db.internal/x?sslmode=verify-full&application_name=y",
                false,
            ),
            ("postgres://localhost/x", false),
            ("postgres://u:p@127.0.0.1:5433/x", false),
            ("postgres://[::1]/x", false),
            ("postgres:///x?host=/var/run/postgresql", false),
            ("postgres://%2Fvar%2Frun/x", false),
            ("postgres://localhost/x?host=db.internal", true),
            ("postgres://db.internal/x?host=127.0.0.1", false),
            (
                "postgres://db.internal/x?sslmode=require&sslmode=disable",
                true,
            ),
            ("postgres://localhost.internal/x", true),
            ("redis://cache.internal", true),
            ("rediss://cache.internal", false),
            ("redis://localhost:6379/0", false),
        ] {
            let address = ConnectionUrl::parse(url, &["postgres", "redis", "rediss"]).unwrap();
            assert_eq!(address.is_unencrypted_elsewhere(), unencrypted, "{url}");
        }
    }

    #[test]
    fn sessions_are_where_one_would_expect_them() {
        let redis = ("REDIS_URL", "redis://localhost:6379");
        assert!(matches!(
            read(&[]).unwrap().sessions,
            SessionLocation::Database
        ));
        assert!(matches!(
            read(&[redis]).unwrap().sessions,
            SessionLocation::Redis(_)
        ));
        assert!(matches!(
            read(&[redis, ("SESSION_STORE", "database")])
                .unwrap()
                .sessions,
            SessionLocation::Database
        ));
        assert!(matches!(
            read(&[("SESSION_STORE", "memory")]).unwrap().sessions,
            SessionLocation::Memory
        ));
        assert!(
            read(&[("SESSION_STORE", "redis")])
                .unwrap_err()
                .starts_with("REDIS_URL: missing")
        );
    }

    #[test]
    fn what_is_one_processs_own_is_not_shared() {
        let postgres = ("DATABASE_URL", "postgres://localhost/sign_in");
        assert!(read(&[]).unwrap().shared().is_err());
        assert!(
            read(&[postgres, ("SESSION_STORE", "memory")])
                .unwrap()
                .shared()
                .is_err()
        );
        assert!(read(&[postgres]).unwrap().shared().is_ok());
    }
}
