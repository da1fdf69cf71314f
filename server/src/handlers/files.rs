//! `GET` of a static file.

use crate::http::{response, state::Shared};
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::Response,
};
use percent_encoding::percent_decode_str;

/// `GET` of a static file.
pub async fn show(State(site): State<Shared>, uri: Uri, headers: HeaderMap) -> Response {
    let path = percent_decode_str(uri.path()).decode_utf8_lossy();
    match site.files.answer(&path, &headers).await {
        Some(answer) => answer,
        None => response::problem(&site, StatusCode::NOT_FOUND),
    }
}
