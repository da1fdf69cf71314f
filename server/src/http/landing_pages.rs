//! The application's own pages that links lead to.

use std::sync::{PoisonError, RwLock};
use vestibule::path::LocalPath;

/// The application's own pages that links lead to: their addresses have tokens in them, so no
/// browser is led back there.
#[derive(Debug, Default)]
pub struct LandingPages(RwLock<Vec<String>>);

impl LandingPages {
    /// Adds the page whose addresses are `before` and a token.
    pub fn add(&self, before: &str) {
        let mut pages = self.0.write().unwrap_or_else(PoisonError::into_inner);
        pages.push(before.to_owned());
    }

    /// Whether `path` may be the address of one of them.
    pub fn contain(&self, path: &LocalPath) -> bool {
        let pages = self.0.read().unwrap_or_else(PoisonError::into_inner);
        pages
            .iter()
            .any(|before| path.as_str().starts_with(&**before))
    }
}
