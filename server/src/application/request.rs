//! What a request of the application's says of itself.

use crate::http::{client_address::Clients, error::PageError, state::App, visitor::Visitor};
use axum::{
    extract::{FromRequestParts as _, OriginalUri},
    http::{Method, Uri, request::Parts},
};
use vestibule::path::LocalPath;

/// Who sent `request`, if it may be answered at all.
pub async fn visitor(app: &App, request: &mut Parts) -> Result<Visitor, PageError> {
    Clients::check(&request.extensions)?;
    app.origins.check(request)?;
    let visitor = Visitor::from_request_parts(request, app).await;
    Ok(visitor.unwrap_or_else(|never| match never {}))
}

/// The whole path that `request` asked for, as the browser knows it, if a browser can be led back
/// there.
pub fn wanted(request: &Parts) -> Option<LocalPath> {
    if request.method != Method::GET {
        return None;
    }
    whole_uri(request).path_and_query()?.as_str().parse().ok()
}

/// What `request` asked for, from within routers that are nested as well.
pub fn whole_uri(request: &Parts) -> &Uri {
    let original = request.extensions.get::<OriginalUri>();
    original.map_or(&request.uri, |OriginalUri(uri)| uri)
}
