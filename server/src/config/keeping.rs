//! Where everything is kept.

use super::{
    Given, WrongSetting,
    setting::{DATABASE_URL, REDIS_URL, SESSION_STORE, VESTIBULE_DATA},
};
use std::{
    fmt,
    path::{Path, PathBuf},
};
use url::Url;

/// Where everything is kept.
#[derive(Clone, Debug)]
pub struct Keeping {
    /// The folder of the `SQLite` file and, in practice mode, of the key.
    pub data: PathBuf,
    /// Where confirmations and users are kept.
    pub database: Database,
    /// Where sessions are kept.
    pub sessions: Sessions,
}

/// Where confirmations and users are kept.
#[derive(Clone, Debug)]
pub enum Database {
    /// In one file, for one process.
    Sqlite(PathBuf),
    /// In a `PostgreSQL` server, for any number of processes.
    Postgres(Address),
}

/// Where sessions are kept.
#[derive(Clone, Debug)]
pub enum Sessions {
    /// In the same database.
    Database,
    /// In a Redis server.
    Redis(Address),
    /// In this process's memory: a restart signs everybody out.
    Memory,
}

/// The address of a server, which may hold a password: `Debug` and `Display` leave it out.
#[derive(Clone)]
pub struct Address(Url);

impl Address {
    fn parse(text: &str, schemes: &[&str]) -> Result<Self, String> {
        let url = Url::parse(text).ok().filter(|url| schemes.contains(&url.scheme()));
        url.map(Self).ok_or_else(|| format!("not an address that begins with {}://", schemes.join(":// or ")))
    }

    /// The whole of it, for the driver.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.0.host_str().unwrap_or("localhost");
        let port = self.0.port().map(|port| format!(":{port}")).unwrap_or_default();
        write!(f, "{}://{host}{port}{}", self.0.scheme(), self.0.path())
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl Keeping {
    /// Reads the settings of what is kept.
    ///
    /// # Errors
    /// [`WrongSetting`] names the first one that is wrong or missing.
    pub fn read(given: &Given) -> Result<Self, WrongSetting> {
        let data = PathBuf::from(given.text(&VESTIBULE_DATA).unwrap_or("data"));
        let database = given.read(&DATABASE_URL, database)?;
        let redis = given.read(&REDIS_URL, |text| Address::parse(text, &["redis", "rediss"]))?;
        let sessions = match (given.text(&SESSION_STORE), redis) {
            (None | Some("redis"), Some(redis)) => Sessions::Redis(redis),
            (Some("redis"), None) => return Err(REDIS_URL.wrong("missing; SESSION_STORE says redis")),
            (None | Some("database"), _) => Sessions::Database,
            (Some("memory"), _) => Sessions::Memory,
            (Some(_), _) => return Err(SESSION_STORE.wrong("neither database nor redis nor memory")),
        };
        let database = database.unwrap_or_else(|| Database::Sqlite(data.join("vestibule.db")));
        Ok(Self { data, database, sessions })
    }

    /// Says why several processes cannot share what is kept, if they cannot.
    ///
    /// # Errors
    /// [`WrongSetting`] names the setting that keeps it to one process.
    pub fn shared(&self) -> Result<(), WrongSetting> {
        if let Database::Sqlite(_) = self.database {
            return Err(DATABASE_URL.wrong("a SQLite file is one process's; servers and workers apart need PostgreSQL"));
        }
        if let Sessions::Memory = self.sessions {
            return Err(SESSION_STORE.wrong("memory is one process's; servers and workers apart need another store"));
        }
        Ok(())
    }
}

fn database(text: &str) -> Result<Database, String> {
    let Some(path) = text.strip_prefix("sqlite:") else {
        let postgres = Address::parse(text, &["postgres", "postgresql"]);
        return postgres.map(Database::Postgres).map_err(|_| "neither a sqlite: nor a postgres:// address".into());
    };
    let path = path.strip_prefix("//").unwrap_or(path);
    if path.is_empty() || path.contains('?') {
        Err("it names no file".into())
    } else {
        Ok(Database::Sqlite(Path::new(path).into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(given: &[(&str, &str)]) -> Result<Keeping, String> {
        let find = |setting: &super::super::Setting| {
            given.iter().find(|(key, _)| *key == setting.key).map(|(_, value)| (*value).to_owned())
        };
        Keeping::read(&Given::from_lookup(find)).map_err(|error| error.to_string())
    }

    #[test]
    fn no_password_is_printed() {
        let url = "postgres://vestibule:hush@db.internal:5433/sign_in?sslmode=require";
        let keeping = read(&[("DATABASE_URL", url), ("REDIS_URL", "rediss://:hush@cache.internal/1")]).unwrap();
        let Database::Postgres(address) = &keeping.database else { panic!("it is PostgreSQL") };
        assert_eq!(address.to_string(), "postgres://db.internal:5433/sign_in");
        assert_eq!(address.expose(), url);
        assert!(!format!("{keeping:?}").contains("hush"));
    }

    #[test]
    fn sessions_are_where_one_would_expect_them() {
        let redis = ("REDIS_URL", "redis://localhost:6379");
        assert!(matches!(read(&[]).unwrap().sessions, Sessions::Database));
        assert!(matches!(read(&[redis]).unwrap().sessions, Sessions::Redis(_)));
        assert!(matches!(read(&[redis, ("SESSION_STORE", "database")]).unwrap().sessions, Sessions::Database));
        assert!(matches!(read(&[("SESSION_STORE", "memory")]).unwrap().sessions, Sessions::Memory));
        assert!(read(&[("SESSION_STORE", "redis")]).unwrap_err().starts_with("REDIS_URL: missing"));
    }

    #[test]
    fn what_is_one_processs_own_is_not_shared() {
        let postgres = ("DATABASE_URL", "postgres://localhost/sign_in");
        assert!(read(&[]).unwrap().shared().is_err());
        assert!(read(&[postgres, ("SESSION_STORE", "memory")]).unwrap().shared().is_err());
        assert!(read(&[postgres]).unwrap().shared().is_ok());
    }
}
