//! Requests that are answered in full even if the client disconnects, and read in full before they are judged.

use crate::{page, site::Shared};
use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{Method, StatusCode},
    middleware::Next,
    response::Response,
};
use std::panic::resume_unwind;
use tracing::Instrument as _;

/// The most that a form of ours sends, in bytes.
pub const MAX_FORM: usize = 16 * 1024;

/// The middleware around what decides who may do something: the whole form is read first. Otherwise a browser could hold
/// the end of a form back, and have it judged by a session that has been ended meanwhile (CWE-367).
pub async fn read_first(State(site): State<Shared>, request: Request, next: Next) -> Response {
    if matches!(*request.method(), Method::GET | Method::HEAD) {
        return next.run(request).await;
    }
    let (head, body) = request.into_parts();
    match to_bytes(body, MAX_FORM).await {
        Ok(form) => next.run(Request::from_parts(head, Body::from(form))).await,
        Err(_) => page::problem(&site, StatusCode::FORBIDDEN),
    }
}

/// The middleware around what changes an account, or lets somebody in. A connection that is closed takes its request with
/// it; what has begun to be changed is to be told of all the same.
pub async fn to_the_end(request: Request, next: Next) -> Response {
    match tokio::spawn(next.run(request).in_current_span()).await {
        Ok(response) => response,
        Err(error) => resume_unwind(error.into_panic()),
    }
}
