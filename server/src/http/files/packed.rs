//! The built client that comes with a packed crate, so that all who depend on it have one.

use std::collections::HashMap;

/// Its files, by the path of their address; none in a clone of the repository.
const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/packed.rs"));

/// The packed files, by the path of their address; `None` where none are.
pub fn files() -> Option<HashMap<String, Vec<u8>>> {
    let files = FILES
        .iter()
        .map(|(name, bytes)| ((*name).to_owned(), bytes.to_vec()));
    (!FILES.is_empty()).then(|| files.collect())
}
