//! What is kept on the disk: the folder, the key of practice mode, the database.

use crate::{config::Config, mount::StartError, practice};
use std::{
    fs,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};
use vestibule::{
    secret::{Keys, SystemEntropy},
    store::sqlite::SqliteStore,
};

/// Opens what is kept, making what is not there yet. The configured keys are taken out of `config`.
///
/// # Errors
/// [`StartError`] names what cannot be used.
pub async fn open(config: &mut Config) -> Result<(Keys, SqliteStore), StartError> {
    make_folder(&config.data)?;
    let keys = match config.keys.take() {
        Some(keys) => keys,
        None => practice::key(&config.data, &SystemEntropy)?,
    };
    make_private(&config.database)?;
    let path = || config.database.display().to_string();
    let store = SqliteStore::open(&config.database, &keys).await;
    Ok((keys, store.map_err(|error| StartError::Database { path: path(), error })?))
}

/// A folder that only its owner can look into.
fn make_folder(data: &Path) -> Result<(), StartError> {
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(data);
    made.map_err(|error| StartError::Data { path: data.display().to_string(), error })
}

/// A file that only its owner can read, also in a folder that others can look into. `SQLite` gives the files that it puts
/// beside it the same permissions.
fn make_private(database: &Path) -> Result<(), StartError> {
    let made = fs::OpenOptions::new().append(true).create(true).mode(0o600).open(database);
    made.map(drop).map_err(|error| StartError::Data { path: database.display().to_string(), error })
}
