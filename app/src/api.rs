//! The island's questions: three server functions, which answer with a [`Report`].
//!
//! The functions are thin, and on the server alone. The island calls `/api/begin` and the like below
//! the base; there the call is handed to Leptos as one of `/vestibule/…`, because Leptos has the
//! server functions of the whole process by their paths, and `/api` is the application's. Each hands
//! its call to the [`ssr::IslandApi`] of the request, which knows the browser's cookies and the
//! library; nothing is decided here. They are idempotent: the island repeats a call that got no
//! answer.

use leptos::prelude::*;
use leptos::server_fn::codec::JsonEncoding;
use serde::{Deserialize, Serialize};
use vestibule_protocol::Report;

/// Why a call has no report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum IslandApiError {
    /// The request is not one that this page makes.
    Refused,
    /// The browser shows no pending cookie that it got for this token: it keeps none. Nothing has
    /// begun.
    NoCookie,
    /// Too much was asked from the same network; the same call may succeed in a minute.
    TooMany,
    /// The server cannot take it just now; the same call may succeed later.
    Busy,
    /// The call did not arrive, or its answer did not.
    Lost,
}

impl FromServerFnError for IslandApiError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(_: ServerFnErrorErr) -> Self {
        Self::Lost
    }
}

impl std::fmt::Display for IslandApiError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Refused => "the request was refused",
            Self::NoCookie => {
                "Your browser does not accept cookies for this site. Allow them and open the link again; it still works."
            }
            Self::TooMany => "too much was asked from the same network",
            Self::Busy => "the server cannot take the request just now",
            Self::Lost => "the request or its answer was lost",
        })
    }
}

/// Begins this browser's confirmation with `token`, or reports on the one begun before.
///
/// With `again`, a confirmation that ended `Unavailable` or cancelled is left behind and a fresh
/// one is begun.
///
/// # Errors
/// [`IslandApiError::Busy`] when the confirmation could not be stored, [`IslandApiError::TooMany`]
/// when as many of the same network are under way as may be, [`IslandApiError::NoCookie`] from a
/// browser that keeps no cookies; nothing has begun then.
#[server(prefix = "/vestibule", endpoint = "begin")]
pub async fn begin(
    /// The token of the link.
    token: String,
    /// Whether to leave an ended confirmation behind.
    again: bool,
    /// Where the sign-in leads, if the link says so.
    next: Option<String>,
) -> Result<Report, IslandApiError> {
    ssr::api()?.begin(token, again, next).await
}

/// Reports how far this browser's confirmation with `token` has come.
///
/// # Errors
/// [`IslandApiError::Busy`] when the database could not be read.
#[server(prefix = "/vestibule", endpoint = "status")]
pub async fn status(
    /// The token of the link.
    token: String,
) -> Result<Report, IslandApiError> {
    ssr::api()?.status(token).await
}

/// Cancels this browser's confirmation with `token` and reports what it came to.
///
/// # Errors
/// [`IslandApiError::Busy`] when the cancellation could not be stored.
#[server(prefix = "/vestibule", endpoint = "cancel")]
pub async fn cancel(
    /// The token of the link.
    token: String,
) -> Result<Report, IslandApiError> {
    ssr::api()?.cancel(token).await
}

/// The server's side of the functions above.
pub mod ssr {
    use super::{IslandApiError, Report};
    use leptos::prelude::use_context;
    use std::{future::Future, pin::Pin, sync::Arc};

    /// A call on its way to a report.
    pub type Reply = Pin<Box<dyn Future<Output = Result<Report, IslandApiError>> + Send>>;

    /// Takes the island's calls for one request: reads its cookies, calls the library, sets cookies
    /// in its response.
    pub trait IslandApi: Send + Sync {
        /// See [`begin`](super::begin).
        fn begin(self: Arc<Self>, token: String, again: bool, next: Option<String>) -> Reply;
        /// See [`status`](super::status).
        fn status(self: Arc<Self>, token: String) -> Reply;
        /// See [`cancel`](super::cancel).
        fn cancel(self: Arc<Self>, token: String) -> Reply;
    }

    pub(super) fn api() -> Result<Arc<dyn IslandApi>, IslandApiError> {
        use_context::<Arc<dyn IslandApi>>().ok_or(IslandApiError::Refused)
    }
}
