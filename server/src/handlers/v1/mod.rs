//! `/v1/…`: what the application, and the proxy before it, ask of us: who is it? And what a
//! validator tells us that answers later.
//!
//! Who it is is decided by the session cookie alone. Nothing here exchanges a secret or sets a
//! cookie: the answer does not reach the browser, or not as it is. A session that is not
//! established is no one's.

mod authorize;
mod jwks;
mod session;
mod verdicts;

pub use authorize::authorize;
pub use jwks::jwks;
pub use session::session;
pub use verdicts::verdicts;

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use vestibule::{assertion::SigningKeyError, store::StoreError};

/// On every answer: it is this browser's, at this moment.
const PRIVATE: [(HeaderName, HeaderValue); 2] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (header::VARY, HeaderValue::from_static("Cookie")),
];

/// It cannot be told who it is: 503, so that proxies let no one in.
#[derive(Debug, thiserror::Error)]
pub enum CannotTell {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Sign(#[from] SigningKeyError),
}

impl IntoResponse for CannotTell {
    fn into_response(self) -> Response {
        tracing::error!(error = %self, "it cannot be told who is signed in");
        (StatusCode::SERVICE_UNAVAILABLE, PRIVATE).into_response()
    }
}

/// Whether another site's page has sent the request: nothing is told to it. A navigation from there
/// is the user's own, who has followed a link.
fn is_another_sites(headers: &axum::http::HeaderMap) -> bool {
    let is = |name: &str, value: &str| headers.get(name).is_some_and(|given| given == value);
    is("sec-fetch-site", "cross-site") && !is("sec-fetch-mode", "navigate")
}

#[cfg(test)]
mod tests;
