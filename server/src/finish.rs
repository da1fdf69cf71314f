//! Requests that are answered to their end, whoever has hung up.

use axum::{extract::Request, middleware::Next, response::Response};
use std::panic::resume_unwind;

/// The middleware around what changes an account, or lets somebody in. A connection that is closed takes its request with
/// it; what has begun to be changed is to be told of all the same.
pub async fn to_the_end(request: Request, next: Next) -> Response {
    match tokio::spawn(next.run(request)).await {
        Ok(response) => response,
        Err(error) => resume_unwind(error.into_panic()),
    }
}
