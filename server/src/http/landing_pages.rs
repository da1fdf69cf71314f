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
        let path = path.as_str().split('?').next().unwrap_or_default();
        let token = |before: &String| path.strip_prefix(&**before);
        let mut tokens = pages.iter().filter_map(token);
        tokens.any(|token| !token.is_empty() && !token.contains('/'))
    }
}
