//! Where the processes keep things.

use super::given;
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, PgConnection, Row as _, postgres::PgConnectOptions,
    sqlite::SqliteConnectOptions,
};
use std::path::PathBuf;
use tempfile::TempDir;

/// A database of a test's own.
pub enum Database {
    Sqlite(TempDir),
    Postgres { url: String, redis: Option<String> },
}

impl Database {
    pub fn sqlite() -> Self {
        Self::Sqlite(TempDir::new().expect("a temporary folder"))
    }

    /// A fresh database, with sessions in it or in Redis.
    pub async fn postgres(in_redis: bool) -> Option<Self> {
        let server = given("VESTIBULE_TEST_POSTGRES")?;
        let redis = if in_redis {
            Some(given("VESTIBULE_TEST_REDIS")?)
        } else {
            None
        };
        let name = format!(
            "processes_{}",
            TempDir::new()
                .ok()?
                .path()
                .file_name()?
                .to_str()?
                .replace(['.', '-'], "_")
        );
        let name = name.to_lowercase();
        let mut admin = PgConnection::connect_to(&server).await;
        sqlx::query(AssertSqlSafe(format!("create database {name}")))
            .execute(&mut admin)
            .await
            .expect("a new database");
        let (server, _) = server.rsplit_once('/').expect("an address with a database");
        Some(Self::Postgres {
            url: format!("{server}/{name}"),
            redis,
        })
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "SQLite",
            Self::Postgres { .. } => "PostgreSQL",
        }
    }

    pub fn settings(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Sqlite(data) => vec![("VESTIBULE_DATA", data.path().display().to_string())],
            Self::Postgres { url, redis } => {
                let redis = redis.iter().map(|redis| ("REDIS_URL", redis.clone()));
                redis.chain([("DATABASE_URL", url.clone())]).collect()
            }
        }
    }

    /// Takes a PostgreSQL database away, from those who are connected as well.
    pub async fn drop(&self) {
        let Self::Postgres { url, .. } = self else {
            panic!("a file stays where it is")
        };
        let (server, name) = url.rsplit_once('/').expect("an address with a database");
        let mut admin = PgConnection::connect_to(&format!("{server}/postgres")).await;
        let drop = AssertSqlSafe(format!("drop database {name} with (force)"));
        sqlx::query(drop)
            .execute(&mut admin)
            .await
            .expect("it is there");
    }

    /// How many confirmations there are of each state and ending.
    pub async fn endings(&self) -> Vec<(String, Option<String>, i64)> {
        self.counts("select state, ending, count(*) from confirmations group by state, ending")
            .await
    }

    /// How many sessions there are of each state, where they are in the database.
    pub async fn sessions(&self) -> Vec<(String, Option<String>, i64)> {
        self.counts("select state, null as none, count(*) from sessions group by state")
            .await
    }

    /// All that PostgreSQL keeps of confirmations, sessions and users, and which transaction wrote
    /// each row: whatever is written changes it.
    pub async fn rows(&self) -> Vec<String> {
        let Self::Postgres { url, .. } = self else {
            panic!("SQLite does not say who wrote a row")
        };
        let query = "select xmin || ' ' || row::text from confirmations as row
                     union all select xmin || ' ' || row::text from sessions as row
                     union all select xmin || ' ' || row::text from users as row order by 1";
        sqlx::query_scalar(query)
            .fetch_all(&mut PgConnection::connect_to(url).await)
            .await
            .expect("rows")
    }

    async fn counts(&self, query: &'static str) -> Vec<(String, Option<String>, i64)> {
        match self {
            Self::Sqlite(data) => {
                let file: PathBuf = data.path().join("vestibule.db");
                let mut connection = SqliteConnectOptions::new()
                    .filename(file)
                    .connect()
                    .await
                    .expect("the file");
                let rows = sqlx::query(query)
                    .fetch_all(&mut connection)
                    .await
                    .expect("rows");
                rows.iter()
                    .map(|row| (row.get(0), row.get(1), row.get(2)))
                    .collect()
            }
            Self::Postgres { url, .. } => {
                let mut connection = PgConnection::connect_to(url).await;
                let rows = sqlx::query(query)
                    .fetch_all(&mut connection)
                    .await
                    .expect("rows");
                rows.iter()
                    .map(|row| (row.get(0), row.get(1), row.get(2)))
                    .collect()
            }
        }
    }
}

trait ConnectTo: Sized {
    async fn connect_to(url: &str) -> Self;
}

impl ConnectTo for PgConnection {
    async fn connect_to(url: &str) -> Self {
        let options: PgConnectOptions = url.parse().expect("an address");
        options.connect().await.expect("the database is there")
    }
}
