//! `GET` of a static file.

use crate::http::{error::PageError, files::Files};
use axum::{
    extract::State,
    http::{HeaderMap, Uri},
    response::Response,
};
use percent_encoding::percent_decode_str;
use std::sync::Arc;

/// `GET` of a static file.
pub async fn show(
    State(files): State<Arc<Files>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, PageError> {
    let path = percent_decode_str(uri.path()).decode_utf8_lossy();
    let answer = files.answer(&path, &headers).await;
    answer.ok_or(PageError::NotFound)
}

#[cfg(test)]
mod tests;
