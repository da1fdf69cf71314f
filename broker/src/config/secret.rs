//! The application's secret.

use std::fmt;
use zeroize::ZeroizeOnDrop;

/// The secret that the application and the broker share. `Debug` prints nothing of it.
#[derive(Clone, ZeroizeOnDrop)]
pub struct AppSecret(String);

impl AppSecret {
    /// The secret with this text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for AppSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AppSecret(…)")
    }
}
