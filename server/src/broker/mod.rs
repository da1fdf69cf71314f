//! The embedded broker: a small, single-node server for the Pusher Channels protocol, version 7.
//!
//! Vestibule publishes to *a Pusher server* and does not care which. If none is configured, it runs
//! this: browsers open a socket at `/app/{key}` and subscribe; the worker posts events to
//! `/apps/{id}/events`, signed, like to any other Pusher server. Nothing here knows about sign-ins,
//! and nothing else in Vestibule knows what is in here.
//!
//! In reading order:
//!
//! - `name`: channel names and socket ids, parsed once;
//! - `wire`: what the frames and close codes look like;
//! - `registry`: who is subscribed to what, and the only way to a socket's queue;
//! - `handshake`: who may open a socket;
//! - `patience`, `pace` and `conversation`: one socket's life;
//! - `auth` and `api`: whose events are taken;
//! - `metrics`: what an operator can look at;
//! - `config`: the limits, each with its reason.
//!
//! Three rules shape it. *The registry owns each socket's only sender*, so letting go of a socket,
//! for whatever reason, is dropping it there, and the socket's task notices by itself. *A slow
//! reader never costs memory*: its queue is short, and when it is full the socket is told to come
//! back later. *Everything is bounded*: sockets, subscriptions, frame sizes, queues, how much a
//! socket may ask for, and how long it may stay silent, useless or stuck.
//!
//! Left out on purpose, and refused clearly: presence, encrypted and cache channels, client events,
//! user sign-in, webhooks. The protocol:
//! <https://pusher.com/docs/channels/library_auth_reference/pusher-websockets-protocol/>, the HTTP
//! API: <https://pusher.com/docs/channels/library_auth_reference/rest-api/>.

mod api;
mod auth;
mod config;
mod conversation;
mod handshake;
mod metrics;
mod name;
mod pace;
mod patience;
mod registry;
mod wire;

#[cfg(any(test, fuzzing))]
pub mod fuzz;
#[cfg(test)]
mod peer;

pub use config::{BrokerConfig, Limits};
pub use handshake::SocketPermit;
pub use registry::Snapshot;

use axum::Router;
use registry::Registry;
use std::{fmt, sync::Arc};
use tokio_util::task::TaskTracker;

/// A running broker. Clones are handles to the same one.
#[derive(Clone)]
pub struct Broker {
    config: Arc<BrokerConfig>,
    registry: Arc<Registry>,
    tasks: TaskTracker,
}

impl Broker {
    /// A broker for the one application that `config` describes.
    #[must_use]
    pub fn new(config: BrokerConfig) -> Self {
        Self {
            registry: Arc::new(Registry::new(&config.limits)),
            config: Arc::new(config),
            tasks: TaskTracker::new(),
        }
    }

    /// `GET /app/{key}`: the socket, for the public port.
    ///
    /// A layer around it may put a [`SocketPermit`] into a request's extensions; it is kept for as
    /// long as the socket. And it may put the [`Client`](vestibule::caps::Client) there, who then
    /// has [`Limits::max_of_client`] sockets at most.
    pub fn socket_routes(&self) -> Router {
        handshake::routes(self.clone())
    }

    /// The HTTP API under `/apps/{app_id}`, and `/metrics`, for a listener that only the publisher
    /// can reach.
    ///
    /// Mount it at the root, without a prefix: requests are signed with their path.
    pub fn api_routes(&self) -> Router {
        api::routes(self.clone())
    }

    /// What the broker holds and has done so far.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.registry.snapshot()
    }

    /// Sends every socket what is queued for it, closes it with 4200 ("reconnect immediately") and
    /// waits until all are gone, which a stuck peer can delay by [`Limits::write_within`] and
    /// [`Limits::close_within`], but no longer. Sockets that come later are told to try again.
    pub async fn close(&self) {
        self.registry.close();
        self.tasks.close();
        let limits = &self.config.limits;
        let longest = limits.write_within + limits.close_within;
        if tokio::time::timeout(longest, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!(sockets = self.tasks.len(), "sockets did not close in time");
        }
    }
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broker")
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
