//! The extractor that checks a request's signature.

use super::error::HttpApiError;
use crate::{auth::SignedQuery, state::BrokerState};
use axum::{
    RequestPartsExt as _,
    body::Bytes,
    extract::{FromRequest, RawPathParams, Request},
    http::{StatusCode, request::Parts},
};
use serde::de::DeserializeOwned;

/// A request whose signature is valid, query and body.
pub(super) struct SignedRequest {
    pub(super) query: SignedQuery,
    body: Bytes,
}

impl FromRequest<BrokerState> for SignedRequest {
    type Rejection = HttpApiError;

    async fn from_request(request: Request, state: &BrokerState) -> Result<Self, HttpApiError> {
        let (mut parts, body) = request.into_parts();
        let query = signed_query(&mut parts, state).await;
        // Read even if the request is refused: a connection with an unread body is closed silently,
        // and a library that reuses its connection would fail on its next request.
        let body = Bytes::from_request(Request::from_parts(parts, body), state).await;
        let query = query?;
        let body = body.map_err(|rejection| {
            if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                HttpApiError::TooLarge
            } else {
                HttpApiError::Body
            }
        })?;
        query.verify_body(&body)?;
        Ok(Self { query, body })
    }
}

/// The query of a request, once its signature has been checked. Its body is checked later.
async fn signed_query(parts: &mut Parts, state: &BrokerState) -> Result<SignedQuery, HttpApiError> {
    let query = SignedQuery::of(&parts.uri).map_err(|_| HttpApiError::Query)?;
    query.verify(&state.config, parts.method.as_str(), parts.uri.path())?;

    // A valid signature over the path of another application: the publisher is misconfigured.
    let path: RawPathParams = parts
        .extract()
        .await
        .map_err(|_| HttpApiError::UnknownApp)?;
    if !path
        .iter()
        .any(|(name, value)| name == "app_id" && value == state.config.app_id)
    {
        return Err(HttpApiError::UnknownApp);
    }
    Ok(query)
}

impl SignedRequest {
    pub(super) fn json<T: DeserializeOwned>(&self) -> Result<T, HttpApiError> {
        serde_json::from_slice(&self.body).map_err(HttpApiError::Json)
    }
}
