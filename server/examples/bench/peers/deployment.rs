//! What is compared, and how it is started.

use super::{express::Express, parts::Parts, vestibule::Vestibule};
use crate::{
    client::Client,
    database::Database,
    sign_in::{self, Begun},
};
use std::net::SocketAddr;

/// What is compared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Candidate {
    /// Vestibule on `SQLite`.
    Sqlite,
    Express,
    /// Vestibule on `PostgreSQL`.
    Postgres,
}

impl Candidate {
    /// All that there can be here, in their turns.
    pub fn all() -> Vec<Self> {
        let postgres = Database::has_postgres().then_some(Self::Postgres);
        [Self::Sqlite, Self::Express]
            .into_iter()
            .chain(postgres)
            .collect()
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Express => "Express",
            Self::Postgres => "PostgreSQL",
        }
    }

    /// Has the browser with this number begin. With Express, the landing itself begins.
    pub async fn begin(self, client: &mut Client, number: u32) -> Begun {
        match self {
            Self::Sqlite | Self::Postgres => sign_in::begin(client, number).await,
            Self::Express => Express::begin(client, number).await,
        }
    }
}

/// A candidate with a storage of its own, empty at first.
pub enum Deployment {
    Vestibule(Vestibule),
    Express(Express),
}

impl Deployment {
    /// A candidate with these settings, of which nothing runs yet.
    pub async fn new(candidate: Candidate, settings: &[(&'static str, String)]) -> Self {
        match candidate {
            Candidate::Sqlite => Self::Vestibule(Vestibule::new(Database::sqlite(), settings)),
            Candidate::Postgres => {
                let database = Database::postgres().await.expect("there is a server");
                Self::Vestibule(Vestibule::new(database, settings))
            }
            Candidate::Express => Self::Express(Express::new(settings).await),
        }
    }

    /// Starts these parts, and returns the address of the pages once they can be used.
    pub async fn start(&mut self, parts: Parts) -> SocketAddr {
        match self {
            Self::Vestibule(vestibule) => vestibule.start(parts).await,
            Self::Express(express) => express.start(parts).await,
        }
    }

    /// Stops what runs, and keeps the storage.
    pub async fn stop(&mut self) {
        match self {
            Self::Vestibule(vestibule) => vestibule.stop().await,
            Self::Express(express) => express.stop(),
        }
    }

    /// Stops what runs, and deletes the storage.
    pub async fn close(mut self) {
        self.stop().await;
        if let Self::Vestibule(vestibule) = self {
            vestibule.database.close().await;
        }
    }
}
