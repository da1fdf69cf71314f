//! Responses that are no pages, and what is added to a page: redirects, cookies, a status.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
};
use std::time::Duration;
use vestibule::path::LocalPath;

/// 303 to a path on this origin.
#[must_use]
pub fn see_other(path: &LocalPath) -> Response {
    (
        [(header::CACHE_CONTROL, "no-store")],
        Redirect::to(path.as_str()),
    )
        .into_response()
}

/// 303 to a path with a token in it.
///
/// # Panics
/// Never: a token has no character that a path may not have, is neither `.` nor `..`, and its
/// length leaves room.
#[must_use]
pub fn see(path: &str) -> Response {
    see_other(&path.parse().expect("a token is a segment of a path"))
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
