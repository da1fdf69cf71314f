//! An empty database for each measurement: what one leaves behind changes no other.

use crate::sign_in::keys;
use sqlx::{Connection as _, PgConnection};
use std::{
    env,
    path::{Path, PathBuf},
};
use tempfile::TempDir;
use url::Url;
use vestibule::store::{Stores, postgres::PostgresStore, sqlite::SqliteStore};

/// Names a database on a server that is thrown away; without it nothing is measured on PostgreSQL.
const SERVER: &str = "VESTIBULE_BENCH_POSTGRES";
const CREATE: &str = "create database vestibule_bench";
/// An interrupted bench leaves it behind.
const DROP: &str = "drop database if exists vestibule_bench with (force)";

/// A database of Vestibule's.
pub enum Database {
    /// A file in this folder.
    Sqlite(TempDir),
    /// A database on the server with this address.
    Postgres(Url),
}

impl Database {
    pub fn sqlite() -> Self {
        Self::Sqlite(TempDir::new().expect("a temporary folder"))
    }

    /// `None`: there is no server to bench on.
    pub async fn postgres() -> Option<Self> {
        let server = env::var(SERVER).ok()?;
        let server = Url::parse(&server).expect("an address of a database");
        run(&server, &[DROP, CREATE]).await;
        Some(Self::Postgres(server))
    }

    /// Whether there can be one on `PostgreSQL`.
    pub fn has_postgres() -> bool {
        env::var_os(SERVER).is_some()
    }

    /// One of each that there can be here.
    pub async fn all() -> Vec<Self> {
        let sqlite = Self::sqlite();
        [sqlite].into_iter().chain(Self::postgres().await).collect()
    }

    pub const fn name(&self) -> &'static str {
        match self {
            Self::Sqlite(_) => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
        }
    }

    /// Its tables, made if there are none.
    pub async fn stores(&self) -> Stores {
        match self {
            Self::Sqlite(folder) => {
                let store = SqliteStore::open(&file(folder.path()), &keys()).await;
                Stores::in_one(store.expect("a file of its own"))
            }
            Self::Postgres(_) => {
                let store = PostgresStore::open(&self.url(), &keys()).await;
                Stores::in_one(store.expect("a database to bench on"))
            }
        }
    }

    /// Its address, as the setting `DATABASE_URL` takes it.
    pub fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => format!("sqlite:{}", file(folder.path()).display()),
            Self::Postgres(server) => {
                let mut url = server.clone();
                url.set_path("vestibule_bench");
                url.into()
            }
        }
    }

    /// Deletes it.
    pub async fn close(self) {
        if let Self::Postgres(server) = self {
            run(&server, &[DROP]).await;
        }
    }
}

fn file(folder: &Path) -> PathBuf {
    folder.join("bench.db")
}

async fn run(server: &Url, statements: &[&'static str]) {
    let connection = PgConnection::connect(server.as_str()).await;
    let mut connection = connection.expect("the server can be reached");
    for statement in statements {
        sqlx::query(*statement)
            .execute(&mut connection)
            .await
            .expect("the server is one to bench on");
    }
}
