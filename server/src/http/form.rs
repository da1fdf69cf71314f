//! Forms: read in full and within a limit before they are judged. One that cannot be read is 400,
//! or 413 if it is too long: that is neither a refusal of the sender nor a fault on our side.

use crate::http::error::PageError;
use axum::{
    body::{Body, Bytes},
    extract::{FromRequest as _, Request},
    http::{Method, StatusCode},
    middleware::Next,
    response::Response,
};
use serde::Deserialize;

/// The field of a form whose buttons are choices.
#[derive(Deserialize)]
pub struct Choice {
    /// The button's.
    pub choice: String,
}

/// The proof alone.
#[derive(Deserialize)]
pub struct Nothing {}

/// The most that a form of ours sends, in bytes.
pub const MAX_FORM: usize = 16 * 1024;

/// The error of a form that could not be read, by the status of its rejection.
pub fn unreadable(rejection: StatusCode) -> PageError {
    PageError::Unreadable(if rejection == StatusCode::PAYLOAD_TOO_LARGE {
        rejection
    } else {
        StatusCode::BAD_REQUEST
    })
}

/// The middleware around what decides who may do something: the whole form is read first. Otherwise
/// a browser could hold the end of a form back, and have it judged by a session that has been ended
/// meanwhile (CWE-367).
pub async fn read_first(request: Request, next: Next) -> Result<Response, PageError> {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return Ok(next.run(request).await);
    }
    let (head, body) = request.into_parts();
    // The head decides on the limit.
    let form = Bytes::from_request(Request::from_parts(head.clone(), body), &()).await;
    let form = form.map_err(|rejection| unreadable(rejection.status()))?;
    Ok(next.run(Request::from_parts(head, Body::from(form))).await)
}
