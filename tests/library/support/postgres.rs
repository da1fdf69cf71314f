//! Databases on a throw-away PostgreSQL server.

use super::keys;
use sqlx::{AssertSqlSafe, ConnectOptions as _, PgConnection, postgres::PgConnectOptions};
use std::{
    env,
    fmt::Write as _,
    io::{self, Write as _},
    sync::Once,
};
use vestibule::{
    secret::{Entropy as _, SystemEntropy},
    store::postgres::PostgresStore,
};

/// The variable with the address of a server on which tests may create and damage databases. It has
/// to ask for a password. `cargo xtask test` starts one.
const SERVER: &str = "VESTIBULE_TEST_POSTGRES";

/// A database of a test's own. It is left behind: the whole server is thrown away.
pub struct Postgres {
    server: PgConnectOptions,
    database: String,
    pub url: String,
}

impl Postgres {
    /// An empty database; `None` where there is no server to test with.
    pub async fn fresh() -> Option<Self> {
        let Ok(server) = env::var(SERVER) else {
            skipped();
            return None;
        };
        let mut random = [0; 8];
        SystemEntropy.fill(&mut random);
        let database = random.iter().fold("test_".to_owned(), |mut name, byte| {
            let _ = write!(name, "{byte:02x}");
            name
        });
        let (authority, _) = server
            .rsplit_once('/')
            .expect("the address of the server ends in a database");
        let url = format!("{authority}/{database}");
        let server: PgConnectOptions = server.parse().expect("the address of a server");
        let fresh = Self {
            server,
            database,
            url,
        };
        fresh
            .administer(&format!("create database {}", fresh.database))
            .await;
        Some(fresh)
    }

    pub async fn open(&self) -> PostgresStore {
        PostgresStore::open(&self.url, &keys(&[7])).await.unwrap()
    }

    /// A connection of the test's own, past the store.
    pub async fn raw(&self) -> PgConnection {
        self.server
            .clone()
            .database(&self.database)
            .connect()
            .await
            .unwrap()
    }

    /// Ends all connections and refuses new ones.
    pub async fn close(&self) {
        self.administer(&format!(
            "alter database {} allow_connections false",
            self.database
        ))
        .await;
        self.throw_everybody_out().await;
    }

    /// Accepts connections again.
    pub async fn reopen(&self) {
        self.administer(&format!(
            "alter database {} allow_connections true",
            self.database
        ))
        .await;
    }

    /// Ends every connection to the database, as a restart of the server does.
    pub async fn throw_everybody_out(&self) {
        // With a time limit, it waits until they have gone.
        let terminate =
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '{}'";
        self.administer(&terminate.replace("{}", &self.database))
            .await;
    }

    async fn administer(&self, statement: &str) {
        let mut server = self
            .server
            .connect()
            .await
            .expect("the server lets its tests in");
        sqlx::query(AssertSqlSafe(statement))
            .execute(&mut server)
            .await
            .unwrap();
    }
}

/// Says so once, past the test harness, which keeps what passing tests print to itself.
fn skipped() {
    static ONCE: Once = Once::new();
    assert!(
        env::var_os("CI").is_none_or(|ci| ci != "true"),
        "nothing may be skipped, and {SERVER} is not set"
    );
    ONCE.call_once(|| {
        let _ = writeln!(
            io::stderr(),
            "PostgreSQL is not tested: {SERVER} is not set (`cargo xtask test unit` sets it)"
        );
    });
}
