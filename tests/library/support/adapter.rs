//! Every store that has to keep the contract.

use super::keys;
use std::{ops::Deref, sync::Arc};
use tempfile::TempDir;
use vestibule::store::{Store, sqlite::SqliteStore};

/// An empty store, and what has to live as long as it.
pub struct Adapter {
    store: Arc<dyn Store>,
    _folder: TempDir,
}

impl Deref for Adapter {
    type Target = Arc<dyn Store>;

    fn deref(&self) -> &Arc<dyn Store> {
        &self.store
    }
}

/// One empty store of each kind. A test of the contract opens with `for store in adapters().await`.
pub async fn adapters() -> Vec<Adapter> {
    vec![sqlite().await]
}

async fn sqlite() -> Adapter {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("vestibule.db"), &keys(&[7])).await.unwrap();
    Adapter { store: Arc::new(store), _folder: folder }
}
