//! Responses that are no pages, and what is added to a page: redirects, cookies, a status.

use axum::{
    extract::State,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
};
use std::time::Duration;
use vestibule::path::{Base, LocalPath};

/// 303 to a whole path on this origin.
#[must_use]
pub fn see_other(path: &LocalPath) -> Response {
    (
        [(header::CACHE_CONTROL, "no-store")],
        Redirect::to(path.as_str()),
    )
        .into_response()
}

/// 303 to a page of ours, by its path below the base.
///
/// # Panics
/// Never: it is a constant, or has a token or the like in it, which has no character that a path
/// may not have, is neither `.` nor `..`, and whose length leaves room.
#[must_use]
pub fn see(below: &str) -> Response {
    let mut response = see_other(&below.parse().expect("a path of ours"));
    response.extensions_mut().insert(BelowBase);
    response
}

/// Marks a redirect whose path is one below the base.
#[derive(Clone, Copy, Debug)]
struct BelowBase;

/// The layer that puts the base before the path of a redirect to a page of ours.
pub async fn put_base(State(base): State<Base>, mut response: Response) -> Response {
    if response.extensions_mut().remove::<BelowBase>().is_some()
        && let Some(location) = response.headers_mut().get_mut(header::LOCATION)
        && let Ok(below) = location.to_str()
        && let Ok(whole) = HeaderValue::from_str(&format!("{}{below}", base.as_str()))
    {
        *location = whole;
    }
    response
}

/// `page`, with another status than 200.
#[must_use]
pub fn with_status(mut page: Response, status: StatusCode) -> Response {
    *page.status_mut() = status;
    page
}

/// Adds cookies to a response.
#[must_use]
pub fn with_cookies(
    mut response: Response,
    cookies: impl IntoIterator<Item = HeaderValue>,
) -> Response {
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// `page`, which says that something was tried too often, and how long to wait.
#[must_use]
pub fn too_often(page: Response, wait: Duration) -> Response {
    let mut response = with_status(page, StatusCode::TOO_MANY_REQUESTS);
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(seconds(wait)));
    response
}

/// How long to wait, in whole seconds.
pub fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}
