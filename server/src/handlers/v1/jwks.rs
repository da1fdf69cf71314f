//! `GET /.well-known/jwks.json`: the keys by which assertions are verified.

use super::CannotTell;
use crate::http::state::App;
use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse as _, Response},
};

/// The public keys: those in use, before and next (RFC 7517). They may be kept for five minutes: a
/// rotation comes at most every fifteen, and the next key is published before it is used.
pub async fn jwks(State(app): State<App>) -> Result<Response, CannotTell> {
    let headers = [(header::CACHE_CONTROL, "public, max-age=300")];
    Ok((headers, Json(app.identities.signer.jwks()?)).into_response())
}
