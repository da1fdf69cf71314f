//! The client address that rate limits and caps count by.
//!
//! It is the connection's, unless that comes from a proxy which the operator trusts: then it is
//! what the proxy says in `X-Forwarded-For`. From anyone else that header is ignored.

mod guarded_body;

use crate::{
    config::proxies::{FORWARDED_FOR, Proxies},
    http::{
        error::{NO_CONNECT_INFO, PageError},
        listener::ClientCounts,
        page::PageRenderer,
    },
};
use axum::{
    body::Body,
    extract::{ConnectInfo, Request, State},
    http::{Extensions, HeaderMap},
    middleware::Next,
    response::Response,
};
use guarded_body::GuardedBody;
use std::{
    net::SocketAddr,
    sync::{Arc, Once},
};
use tracing::{Instrument as _, Span};
use vestibule::{
    audit,
    caps::{Client, Shares},
    secret::Keys,
};

/// Who is counted as one client, and how many requests each has under way.
pub struct Clients {
    keys: Arc<Keys>,
    /// The trusted proxies, whose forwarding header names the client.
    proxies: Proxies,
    /// How many requests each client behind those has under way.
    under_way: ClientCounts,
    /// How many it may have.
    shares: Shares,
}

impl Clients {
    /// Counts by the addresses that `proxies` tell, and lets each client behind them have its
    /// `shares` of requests under way.
    #[must_use]
    pub fn new(keys: Arc<Keys>, proxies: Proxies, shares: Shares) -> Self {
        Self {
            keys,
            proxies,
            under_way: ClientCounts::default(),
            shares,
        }
    }

    /// Whether it is known who connects: without that, all clients would share the cap of one.
    ///
    /// # Errors
    /// [`PageError::NoConnectInfo`] if the listener does not tell.
    pub fn check(extensions: &Extensions) -> Result<(), PageError> {
        if extensions.get::<ConnectInfo<SocketAddr>>().is_some() {
            return Ok(());
        }
        tracing::error!("{NO_CONNECT_INFO}");
        Err(PageError::NoConnectInfo)
    }

    /// The client of a request that has passed the [check](Self::check).
    pub fn of(&self, extensions: &Extensions, headers: &HeaderMap) -> Client {
        if let Some(client) = extensions.get::<Client>() {
            return *client;
        }
        let Some(ConnectInfo(peer)) = extensions.get::<ConnectInfo<SocketAddr>>() else {
            return Client::unknown(&self.keys);
        };
        if headers.contains_key(FORWARDED_FOR) && !self.trusts(*peer) {
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
        Client::at(&self.keys, self.proxies.origin(peer.ip(), headers))
    }

    fn trusts(&self, peer: SocketAddr) -> bool {
        self.proxies.trusts(peer.ip().to_canonical())
    }

    /// Whether a request comes from a trusted proxy.
    pub fn is_behind_proxy(&self, extensions: &Extensions) -> bool {
        let peer = extensions.get::<ConnectInfo<SocketAddr>>();
        peer.is_some_and(|ConnectInfo(peer)| self.trusts(*peer))
    }
}

/// The middleware that tells whose a request is, to what comes after it and to each line of the log
/// about it.
pub async fn identify(
    State(clients): State<Arc<Clients>>,
    State(pages): State<Arc<PageRenderer>>,
    mut request: Request,
    next: Next,
) -> Response {
    if let Err(error) = Clients::check(request.extensions()) {
        return error.page(&pages);
    }
    let client = clients.of(request.extensions(), request.headers());
    request.extensions_mut().insert(client);
    next.run(request).instrument(span(client)).await
}

/// What each line of the log says that is about a request of `client`.
pub fn span(client: Client) -> Span {
    tracing::info_span!(target: audit::TARGET, "request", %client)
}

/// The middleware around all but what proxies ask by themselves: a client behind a proxy has no
/// more requests under way than it could have connections without one.
pub async fn limit_under_way(
    State(clients): State<Arc<Clients>>,
    State(pages): State<Arc<PageRenderer>>,
    mut request: Request,
    next: Next,
) -> Response {
    if !clients.is_behind_proxy(request.extensions()) {
        return next.run(request).await;
    }
    let client = clients.of(request.extensions(), request.headers());
    let Some(counted) = clients.under_way.take(client, clients.shares) else {
        audit::Event::TooOften {
            what: "requests",
            user: None,
        }
        .record();
        return PageError::Busy.page(&pages);
    };
    let counted = Arc::new(counted);
    // Until its handler ends, although the client may be gone, and until its last byte is sent: for
    // a client that reads slowly it is still under way.
    request.extensions_mut().insert(Arc::clone(&counted));
    let response = next.run(request).await;
    response.map(|body| Body::new(GuardedBody::new(body, counted)))
}
