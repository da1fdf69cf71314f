//! An application in front of which browsers are, with Vestibule in it.

mod example;
mod extractors;
mod journeys;
mod landing;
mod pages;
mod parts;
mod routes;

use super::{SignedIn, Vestibule};
use crate::testing::TestApp;
use axum::{
    Router,
    body::Body,
    body::Bytes,
    http::header,
    routing::{any, get},
};
use futures_util::stream;
use std::convert::Infallible;

/// A shop: a page for everybody, pages that need a user, some of them in a nested router, and one
/// that needs a fresh sign-in. Its other routes know nothing of users.
fn shop(routes: Router, vestibule: &Vestibule) -> Router {
    let who = any(async |user: SignedIn| format!("for {}", user.display_name()));
    let cached = async || ([(header::CACHE_CONTROL, "public, max-age=60")], "cached");
    let orders = Router::new()
        .route("/orders", who.clone())
        .route("/cached", get(cached))
        .route_layer(vestibule.require_user());
    let danger = Router::new()
        .route("/danger", who)
        .route_layer(vestibule.require_fresh());
    let home = async |user: Option<SignedIn>| {
        user.map_or("stranger".to_owned(), |user| format!("{user:?}"))
    };
    Router::new()
        .nest("/shop", orders)
        .merge(danger)
        .route("/", get(home))
        .route("/plain", any(async |body: Bytes| body.len().to_string()))
        .route("/streamed", get(async || streamed()))
        .layer(vestibule.layer())
        .merge(routes)
}

/// A page whose head is sent before it is made.
fn streamed() -> Body {
    Body::from_stream(stream::iter([Ok::<_, Infallible>("streamed")]))
}

/// The shop, in practice mode.
async fn app() -> TestApp {
    TestApp::in_application(
        &[],
        |builder| builder,
        |routes, vestibule| shop(routes, &vestibule),
    )
    .await
}
