//! The broker as its embedder sees it.

use crate::{api, config::BrokerConfig, handshake, registry::Snapshot, state::BrokerState};
use axum::Router;
use std::fmt;

/// A running broker. Clones are handles to the same one.
#[derive(Clone)]
pub struct Broker {
    pub(crate) state: BrokerState,
}

impl Broker {
    /// Creates a broker for the one application that `config` describes.
    #[must_use]
    pub fn new(config: BrokerConfig) -> Self {
        Self {
            state: BrokerState::new(config),
        }
    }

    /// `GET /app/{key}`: the WebSocket, for the public listener.
    ///
    /// A layer around these routes may put a [`SocketQuota`](crate::SocketQuota) and a
    /// [`SocketPermit`](crate::SocketPermit) into a request's extensions.
    pub fn socket_routes(&self) -> Router {
        handshake::routes(self.state.clone())
    }

    /// The HTTP API under `/apps/{app_id}`, and `/metrics`, for a listener that only the
    /// application can reach.
    ///
    /// Mount it at the root, without a prefix: the signature of a request covers its path.
    pub fn api_routes(&self) -> Router {
        api::routes(self.state.clone())
    }

    /// How many sockets and subscriptions there are, and how many events so far.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.state.registry.snapshot()
    }

    /// Sends each socket the events in its queue, closes it with 4200 ("reconnect immediately") and
    /// waits until all are gone.
    ///
    /// A client that does not read can delay this by [`Limits::write_within`] and
    /// [`Limits::close_within`], but no longer. Sockets that are opened from now on are closed with
    /// 4100 ("try again later").
    ///
    /// [`Limits::write_within`]: crate::Limits::write_within
    /// [`Limits::close_within`]: crate::Limits::close_within
    pub async fn close(&self) {
        let BrokerState {
            config,
            registry,
            tasks,
        } = &self.state;
        registry.close();
        tasks.close();
        let longest = config.limits.write_within + config.limits.close_within;
        if tokio::time::timeout(longest, tasks.wait()).await.is_err() {
            tracing::warn!(sockets = tasks.len(), "sockets did not close in time");
        }
    }
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broker")
            .field("config", &self.state.config)
            .finish_non_exhaustive()
    }
}
