//! An empty database for each run.

use crate::settled::POSTGRES;
use sqlx::{Connection as _, PgConnection};
use std::env;
use tempfile::TempDir;
use url::Url;

const CREATE: &str = "create database vestibule_peers";
/// An interrupted bench leaves it behind.
const DROP: &str = "drop database if exists vestibule_peers with (force)";

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

    pub async fn postgres() -> Self {
        let server = env::var(POSTGRES).expect("there is a server to bench on");
        let server = Url::parse(&server).expect("an address of a database");
        run(&server, &[DROP, CREATE]).await;
        Self::Postgres(server)
    }

    /// Its address, as the setting `DATABASE_URL` takes it.
    pub fn url(&self) -> String {
        match self {
            Self::Sqlite(folder) => format!("sqlite:{}", folder.path().join("bench.db").display()),
            Self::Postgres(server) => {
                let mut url = server.clone();
                url.set_path("vestibule_peers");
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
