//! Answers of ours that take the place of the application's.

use crate::http::{error, response, state::App};
use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};

/// To a script, or another program, of no known user.
pub fn unauthorized() -> Response {
    (
        StatusCode::UNAUTHORIZED,
        [(header::CACHE_CONTROL, "no-store")],
        "Sign in first.",
    )
        .into_response()
}

/// Where layers or routes of ours are where they must not be.
pub fn misplaced(problem: &'static str) -> Response {
    tracing::error!("{problem}");
    (StatusCode::INTERNAL_SERVER_ERROR, problem).into_response()
}

/// `response`, which is ours, with all that belongs to an answer of ours.
pub async fn complete(app: &App, response: Response) -> Response {
    let response = response::put_base(State(app.destinations().base().clone()), response).await;
    let response = error::render(State(app.pages.clone()), response).await;
    app.hsts.with_headers(response)
}
