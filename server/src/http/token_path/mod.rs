//! The token in a path.

use crate::http::{error::PageError, response};
use axum::{
    extract::{FromRef, FromRequestParts},
    http::request::Parts,
    response::{IntoResponse as _, Response},
};
use percent_encoding::percent_decode_str;
use std::sync::Arc;
use vestibule::{link::LinkToken, path::LocalPath, secret::Keys, token::Token};

/// The token in the path. An invalid one is a 404. If mail programs or people have left more text
/// around it, the answer redirects to the address without that.
pub struct TokenPath(pub Token);

/// The token in what a browser has `opened`: mail programs and people leave more text around it.
pub fn within(opened: &str, keys: &Keys) -> Option<Token> {
    let token = Token::within(opened)?;
    Some(LinkToken::within(keys, &token).unwrap_or(token))
}

/// The path of `token` alone, between what stands `before` and `below` it, with the `query` if a path
/// can have it.
pub fn clean(before: &str, token: &Token, below: &str, query: Option<&str>) -> Option<LocalPath> {
    let path = format!("{before}{}{below}", token.expose());
    let whole = query.map(|query| format!("{path}?{query}"));
    let whole = whole.and_then(|whole| whole.parse().ok());
    whole.or_else(|| path.parse().ok())
}

/// What stands before a token in a path.
const BEFORE: [&str; 2] = ["/confirm/", "/login/wait/"];

impl<S> FromRequestParts<S> for TokenPath
where
    S: Sync,
    Arc<Keys>: FromRef<S>,
{
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Response> {
        let not_found = || PageError::NotFound.into_response();
        let path = parts.uri.path();
        let (before, rest) = BEFORE
            .into_iter()
            .find_map(|before| Some((before, path.strip_prefix(before)?)))
            .ok_or_else(not_found)?;
        let (opened, below) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let opened = percent_decode_str(opened).decode_utf8_lossy();
        let token = within(&opened, &Arc::<Keys>::from_ref(state)).ok_or_else(not_found)?;
        if token.expose() == opened {
            return Ok(Self(token));
        }
        // A form that was sent to such an address belongs to the page there.
        let below = if parts.method.is_safe() { below } else { "" };
        let clean = clean(before, &token, below, parts.uri.query()).ok_or_else(not_found)?;
        Err(response::see(clean.as_str()))
    }
}

#[cfg(test)]
mod tests;
