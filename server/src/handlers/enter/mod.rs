//! `/enter`: where a browser gets its session on the way to a page that is not ours, such as one of
//! the application's.
//!
//! Behind [`require_user`](crate::handlers::require_user::require_user), which performs the
//! exchange: no other page could.

use crate::{config::return_path::way_back, http::response};
use axum::{
    extract::{Query, State, rejection::QueryRejection},
    response::Response,
};
use serde::Deserialize;
use vestibule::{outcome::Destinations, path::Base};

/// The query.
#[derive(Default, Deserialize)]
pub struct EnterQuery {
    next: Option<String>,
}

/// `GET /enter?next=<path>`: on to the path, or to where every sign-in leads.
pub async fn enter(
    State(base): State<Base>,
    State(destinations): State<Destinations>,
    target: Result<Query<EnterQuery>, QueryRejection>,
) -> Response {
    let Query(EnterQuery { next }) = target.unwrap_or_default();
    let next = next.as_deref().and_then(|next| way_back(&base, next));
    response::see_other(next.as_ref().unwrap_or(&destinations.confirmed))
}

#[cfg(test)]
mod tests;
