//! The client address that rate limits and caps count by.
//!
//! It is the connection's, unless that comes from a proxy which the operator trusts: then it is
//! what the proxy says in `X-Forwarded-For`. From anyone else that header is ignored.

mod held;

use crate::{
    config::proxies::FORWARDED_FOR,
    http::{response, state::Shared},
};
use axum::{
    body::Body,
    extract::{ConnectInfo, FromRequestParts, Request, State},
    http::{Extensions, HeaderMap, StatusCode, request::Parts},
    middleware::Next,
    response::Response,
};
use held::HeldBody;
use std::{
    convert::Infallible,
    net::SocketAddr,
    sync::{Arc, Once},
};
use tracing::Instrument as _;
use vestibule::{audit, caps::Client};

/// The client of a request.
#[must_use]
pub fn client(site: &Shared, extensions: &Extensions, headers: &HeaderMap) -> Client {
    let keys = site.vestibule.keys();
    let Some(ConnectInfo(peer)) = extensions.get::<ConnectInfo<SocketAddr>>() else {
        static SAID: Once = Once::new();
        SAID.call_once(|| {
            tracing::warn!(
                "the listener does not tell who connects: everybody shares the cap of one client"
            );
        });
        return Client::unknown(keys);
    };
    if headers.contains_key(FORWARDED_FOR) && !site.proxies.trusts(peer.ip().to_canonical()) {
        static SAID: Once = Once::new();
        SAID.call_once(|| {
            tracing::warn!(
                "X-Forwarded-For of an unknown proxy is passed over; if it is yours, name it in TRUSTED_PROXIES, or \
                 everybody behind it shares the cap of one client"
            );
        });
    }
    if !headers.contains_key(FORWARDED_FOR)
        && let Some(other) = ["forwarded", "x-real-ip"]
            .into_iter()
            .find(|name| headers.contains_key(*name))
    {
        // It is not taken instead: a proxy that does not set a header passes on what the client
        // itself has written there.
        static SAID: Once = Once::new();
        SAID.call_once(|| {
            tracing::warn!(
                header = other,
                "a request says whom it comes from in this header, which is passed over; have the proxy send \
                 X-Forwarded-For, or everybody behind it shares the cap of one client"
            );
        });
    }
    Client::at(keys, site.proxies.origin(peer.ip(), headers))
}

/// The middleware by which each line about a request says whose it is, and by which a client behind
/// a proxy has no more requests under way than it could have connections without one: the proxy's
/// own are not counted.
pub async fn span(State(site): State<Shared>, mut request: Request, next: Next) -> Response {
    let client = client(&site, request.extensions(), request.headers());
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    let is_behind_proxy =
        peer.is_some_and(|ConnectInfo(peer)| site.proxies.trusts(peer.ip().to_canonical()));
    let span = tracing::info_span!(target: audit::TARGET, "request", %client);
    if !is_behind_proxy {
        return next.run(request).instrument(span).await;
    }
    let Some(counted) = site.under_way.take(client, site.of_client) else {
        let _entered = span.enter();
        audit::Event::TooOften {
            what: "requests",
            user: None,
        }
        .record();
        return response::problem(&site, StatusCode::SERVICE_UNAVAILABLE);
    };
    let counted = Arc::new(counted);
    // Until its handler ends, although the client may be gone, and until its last byte is sent: for
    // a client that reads slowly it is still under way.
    request.extensions_mut().insert(Arc::clone(&counted));
    let response = next.run(request).instrument(span).await;
    response.map(|body| Body::new(HeldBody::new(body, counted)))
}

/// Tells the broker whose a socket is.
pub async fn note(State(site): State<Shared>, mut request: Request, next: Next) -> Response {
    let client = client(&site, request.extensions(), request.headers());
    request.extensions_mut().insert(client);
    next.run(request).await
}

/// The client of a request, for a handler.
pub struct ClientOf(pub Client);

impl FromRequestParts<Shared> for ClientOf {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, site: &Shared) -> Result<Self, Infallible> {
        Ok(Self(client(site, &parts.extensions, &parts.headers)))
    }
}
