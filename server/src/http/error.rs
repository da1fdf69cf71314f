//! What goes wrong in a handler, and the page that says so.

use crate::{
    accounts::{passwords::PasswordError, rate_limits::RateLimited},
    http::{
        page::PageRenderer,
        response::{seconds, with_status},
    },
};
use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use leptos::prelude::*;
use std::{sync::Arc, time::Duration};
use vestibule::{
    caps::Capped,
    link::WINDOW,
    store::{BeginError, StoreError},
};
use vestibule_app::{
    pages::{NoCookies, NoCookiesPage, Problem},
    shell::Head,
};

/// What is wrong where the listener does not tell who connects, and what to write.
pub const NO_CONNECT_INFO: &str = "Vestibule cannot tell who connects, so it answers nothing: serve \
    the application by app.into_make_service_with_connect_info::<std::net::SocketAddr>()";

/// Why a handler has no page of its own to show. Handlers return it with `?`; [`render`] makes the
/// page of it, in the layout of all pages.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The store failed: 503 if it can pass, 500 if it cannot. The log says what it was.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A cap was met, and nothing was stored: it is no failure of ours.
    #[error(transparent)]
    Capped(#[from] Capped),
    /// It was tried too often: 429, with the time to wait.
    #[error("too many tries")]
    RateLimited(Duration),
    /// Too much is under way just now: 503.
    #[error("too much is under way")]
    Busy,
    /// The application has sent a browser back that is signed in, again and again: 508.
    #[error("led in a circle")]
    Loop,
    /// The application's listener does not tell who connects: 500, and what to write instead.
    #[error("no ConnectInfo")]
    NoConnectInfo,
    /// There is no such page, or none for this user: 404.
    #[error("not found")]
    NotFound,
    /// The request is not one that our pages send: 403.
    #[error("refused")]
    Forbidden,
    /// The request could not be read: 400, or 413 if it is too long.
    #[error("unreadable")]
    Unreadable(StatusCode),
    /// The browser keeps no cookies, or no room for another: it could not go on with the sign-in,
    /// so none was begun. 422, or 403 if the request had to prove where it comes from and cannot.
    #[error("no cookies")]
    NoCookies {
        /// What the page says.
        said: NoCookies,
        /// Where it leads.
        href: String,
        /// The status.
        status: StatusCode,
    },
}

impl PageError {
    /// The browser could not go on; the page leads to `href`.
    #[must_use]
    pub fn no_cookies(said: NoCookies, href: impl Into<String>) -> Self {
        Self::NoCookies {
            said,
            href: href.into(),
            status: StatusCode::UNPROCESSABLE_ENTITY,
        }
    }

    /// The status of its page.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Store(StoreError::Unavailable(_)) | Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Store(StoreError::Corrupt { .. }) | Self::NoConnectInfo => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            Self::Capped(cap) => capped_status(*cap),
            Self::RateLimited(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Loop => StatusCode::LOOP_DETECTED,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::Unreadable(status) | Self::NoCookies { status, .. } => *status,
        }
    }

    /// Its page.
    pub fn page(&self, pages: &PageRenderer) -> Response {
        let status = self.status();
        if matches!(self, Self::NoConnectInfo) {
            // For who writes the application: no user has seen a page yet.
            return (status, NO_CONNECT_INFO).into_response();
        }
        if let Self::NoCookies { said, href, .. } = self {
            let (said, href) = (*said, href.clone());
            let head = Head::titled(said.title);
            let page = pages.page(head, || view! { <NoCookiesPage said=said href=href /> });
            return with_status(page, status);
        }
        let mut page = pages.problem(status, self.problem());
        if let Some(after) = self.retry_after() {
            page.headers_mut().insert(header::RETRY_AFTER, after);
        }
        page
    }

    fn problem(&self) -> Problem {
        match (self, self.status()) {
            (Self::Capped(Capped::Links), _) => Problem::TOO_MANY_LINKS,
            (Self::Loop, _) => Problem::LOOP,
            (_, StatusCode::BAD_REQUEST) => Problem::UNREADABLE,
            (_, StatusCode::FORBIDDEN) => Problem::REFUSED,
            (_, StatusCode::NOT_FOUND) => Problem::NOT_FOUND,
            (_, StatusCode::PAYLOAD_TOO_LARGE) => Problem::TOO_LONG,
            (_, StatusCode::TOO_MANY_REQUESTS) => Problem::TOO_MANY,
            (_, StatusCode::SERVICE_UNAVAILABLE) => Problem::NOT_NOW,
            _ => Problem::BROKEN,
        }
    }

    fn retry_after(&self) -> Option<HeaderValue> {
        match self {
            Self::Capped(Capped::Links) => Some(seconds(WINDOW).into()),
            Self::RateLimited(wait) => Some(seconds(*wait).into()),
            _ => retry_after(self.status()),
        }
    }
}

impl From<BeginError> for PageError {
    fn from(error: BeginError) -> Self {
        match error {
            BeginError::Capped(cap) => Self::Capped(cap),
            BeginError::Store(error) => Self::Store(error),
        }
    }
}

impl From<PasswordError> for PageError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::Busy,
            PasswordError::Store(error) => Self::Store(error),
        }
    }
}

impl From<RateLimited> for PageError {
    fn from(RateLimited(wait): RateLimited) -> Self {
        Self::RateLimited(wait)
    }
}

/// The bare status. The page needs the state, so [`render`] puts it in.
impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        if let Self::Store(error) = &self {
            tracing::error!(%error, "a request could not use the store");
        }
        let mut response = self.status().into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}

/// The layer that gives each [`PageError`] its page. Headers that were added on the way, such as
/// cookies, stay.
pub async fn render(State(pages): State<Arc<PageRenderer>>, mut response: Response) -> Response {
    let Some(error) = response.extensions_mut().remove::<Arc<PageError>>() else {
        return response;
    };
    let mut added = std::mem::take(response.headers_mut());
    added.remove(header::CONTENT_LENGTH);
    let mut page = error.page(&pages);
    page.headers_mut().extend(added);
    page
}

/// After how many seconds a client that was answered with `status` may try again.
pub fn retry_after(status: StatusCode) -> Option<HeaderValue> {
    match status {
        // Until what is undecided now has met its deadline.
        StatusCode::TOO_MANY_REQUESTS => Some(HeaderValue::from_static("60")),
        StatusCode::SERVICE_UNAVAILABLE => Some(HeaderValue::from_static("5")),
        _ => None,
    }
}

/// The status of a begin that met a cap.
pub const fn capped_status(cap: Capped) -> StatusCode {
    match cap {
        Capped::Client | Capped::Links => StatusCode::TOO_MANY_REQUESTS,
        Capped::All => StatusCode::SERVICE_UNAVAILABLE,
    }
}
