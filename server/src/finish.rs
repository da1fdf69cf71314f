//! Requests that are answered in full even if the client disconnects.

use axum::{extract::Request, middleware::Next, response::Response};
use std::panic::resume_unwind;
use tracing::Instrument as _;

/// The middleware around what changes an account, or lets somebody in. A connection that is closed takes its request with
/// it; what has begun to be changed is to be told of all the same.
pub async fn to_the_end(request: Request, next: Next) -> Response {
    match tokio::spawn(next.run(request).in_current_span()).await {
        Ok(response) => response,
        Err(error) => resume_unwind(error.into_panic()),
    }
}
