//! Every store that has to keep the contract.

use super::{Postgres, keys, redis};
use std::{ops::Deref, sync::Arc};
use tempfile::TempDir;
use vestibule::{
    store::{SessionStore, Stores, memory::MemorySessions, sqlite::SqliteStore},
    testing::MemoryDatabase,
    timing::Timing,
};

/// Empty stores, and what has to live as long as they.
pub struct Adapter {
    stores: Stores,
    /// Whether sessions are in the same database, so that one transaction spans both.
    pub together: bool,
    _folder: Option<TempDir>,
}

impl Deref for Adapter {
    type Target = Stores;

    fn deref(&self) -> &Stores {
        &self.stores
    }
}

/// Empty stores of each kind; those in PostgreSQL only where there is a server to test with. A test
/// of the contract opens with `for stores in adapters().await`.
pub async fn adapters() -> Vec<Adapter> {
    let (database, folder) = sqlite().await;
    let mut adapters = vec![together(Stores::in_one(database), Some(folder))];
    let (database, folder) = sqlite().await;
    let sessions = Arc::<MemorySessions>::default();
    let database = Stores::in_one(database.without_sessions());
    adapters.push(split(database, sessions, Some(folder)));
    adapters.push(in_memory(Arc::<MemorySessions>::default()));
    if let (Some(first), Some(second)) = (Postgres::fresh().await, Postgres::fresh().await) {
        adapters.push(together(Stores::in_one(first.open().await), None));
        let database = Stores::in_one(second.open().await.without_sessions());
        adapters.push(split(database, Arc::<MemorySessions>::default(), None));
    }
    if let (Some(first), Some(second)) = (redis(), redis()) {
        let (database, folder) = sqlite().await;
        let database = Stores::in_one(database.without_sessions());
        adapters.push(split(database, first.sessions().await, Some(folder)));
        adapters.push(in_memory(second.sessions().await));
    }
    adapters
}

/// Empty session stores of each kind, for sessions that are stored elsewhere.
pub async fn session_stores() -> Vec<Arc<dyn SessionStore>> {
    let mut stores: Vec<Arc<dyn SessionStore>> = vec![Arc::<MemorySessions>::default()];
    if let Some(corner) = redis() {
        stores.push(corner.sessions().await);
    }
    stores
}

async fn sqlite() -> (SqliteStore, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("vestibule.db"), &keys(&[7]))
        .await
        .unwrap();
    (store, folder)
}

fn together(stores: Stores, folder: Option<TempDir>) -> Adapter {
    Adapter {
        stores,
        together: true,
        _folder: folder,
    }
}

fn in_memory(sessions: Arc<dyn SessionStore>) -> Adapter {
    let database = Arc::<MemoryDatabase>::default().stores(sessions.clone());
    split(database, sessions, None)
}

fn split(database: Stores, sessions: Arc<dyn SessionStore>, folder: Option<TempDir>) -> Adapter {
    Adapter {
        stores: database.with_external_sessions(sessions, Timing::default().bound),
        together: false,
        _folder: folder,
    }
}
