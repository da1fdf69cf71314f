//! Every store that has to keep the contract.

use super::{Postgres, keys, redis};
use std::{ops::Deref, sync::Arc};
use tempfile::TempDir;
use vestibule::{
    store::{
        Database, SessionStore, Store, apart::Apart, memory::MemorySessions, sqlite::SqliteStore,
    },
    testing::MemoryDatabase,
    timing::Timing,
};

/// An empty store, and what has to live as long as it.
pub struct Adapter {
    store: Arc<dyn Store>,
    /// Whether sessions are in the same database, so that one transaction spans both.
    pub together: bool,
    _folder: Option<TempDir>,
}

impl Deref for Adapter {
    type Target = Arc<dyn Store>;

    fn deref(&self) -> &Arc<dyn Store> {
        &self.store
    }
}

/// One empty store of each kind; those in PostgreSQL only where there is a server to test with. A
/// test of the contract opens with `for store in adapters().await`.
pub async fn adapters() -> Vec<Adapter> {
    let (together, folder) = sqlite().await;
    let together = Adapter {
        store: Arc::new(together),
        together: true,
        _folder: Some(folder),
    };
    let (database, folder) = sqlite().await;
    let in_memory = Arc::<MemorySessions>::default();
    let mixed = apart(
        Arc::new(database.without_sessions()),
        in_memory,
        Some(folder),
    );
    let memory = apart(
        Arc::<MemoryDatabase>::default(),
        Arc::<MemorySessions>::default(),
        None,
    );
    let mut adapters = vec![together, mixed, memory];
    if let (Some(together), Some(database)) = (Postgres::fresh().await, Postgres::fresh().await) {
        let together = Arc::new(together.open().await);
        adapters.push(Adapter {
            store: together,
            together: true,
            _folder: None,
        });
        let database = Arc::new(database.open().await.without_sessions());
        adapters.push(apart(database, Arc::<MemorySessions>::default(), None));
    }
    if let (Some(first), Some(second)) = (redis(), redis()) {
        let (database, folder) = sqlite().await;
        adapters.push(apart(
            Arc::new(database.without_sessions()),
            first.sessions().await,
            Some(folder),
        ));
        adapters.push(apart(
            Arc::<MemoryDatabase>::default(),
            second.sessions().await,
            None,
        ));
    }
    adapters
}

/// Empty session stores of each kind, to be kept apart.
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

fn apart(
    database: Arc<dyn Database>,
    sessions: Arc<dyn SessionStore>,
    folder: Option<TempDir>,
) -> Adapter {
    let store = Apart::new(database, sessions, Timing::default().bound);
    Adapter {
        store: Arc::new(store),
        together: false,
        _folder: folder,
    }
}
