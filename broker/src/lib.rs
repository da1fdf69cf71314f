//! An embeddable Pusher server for axum: one process, one application, two [`Router`]s.
//!
//! It speaks the [Pusher Channels protocol], version 7. Browsers open a WebSocket and subscribe to
//! channels with any Pusher client. The application publishes events to those channels through the
//! [HTTP API], with any Pusher server library.
//!
//! # How to embed it
//!
//! 1. Describe the application in a [`BrokerConfig`]: its id, its public key and its
//!    [`AppSecret`], and the origins of the pages that may connect.
//! 2. Merge [`Broker::socket_routes`] into the routes that browsers reach. This is
//!    `GET /app/{key}`.
//! 3. Serve [`Broker::api_routes`] on a second listener, one that only the application can reach.
//!    This is the HTTP API, and `/metrics`.
//! 4. Call [`Broker::close`] when the process stops: clients then reconnect at once.
//!
//! ```no_run
//! use axum::{Router, routing::get};
//! use tokio::net::TcpListener;
//! use vestibule_broker::{AppSecret, Broker, BrokerConfig};
//!
//! # async fn run() -> std::io::Result<()> {
//! let mut config = BrokerConfig::new("my-app", "public-key", AppSecret::new("shared-secret"));
//! config.origins = vec!["http://localhost:3000".to_owned()];
//! let broker = Broker::new(config);
//!
//! let pages = Router::new()
//!     .route("/", get(|| async { "hello" }))
//!     .merge(broker.socket_routes());
//! let public = TcpListener::bind("127.0.0.1:3000").await?;
//! let internal = TcpListener::bind("127.0.0.1:6001").await?;
//! tokio::try_join!(
//!     axum::serve(public, pages),
//!     axum::serve(internal, broker.api_routes()),
//! )?;
//! # Ok(())
//! # }
//! ```
//!
//! `broker/examples/news/` is a whole application with a page, an endpoint that signs
//! subscriptions to private channels, and a limit on the sockets of one network address.
//!
//! # What the embedder decides
//!
//! A layer around the socket routes may put two things into a request's extensions:
//!
//! - a [`SocketQuota`], which decides whether this client may have one more socket;
//! - a [`SocketPermit`], which the broker keeps until the socket is gone, such as a permit of the
//!   listener's connection limit.
//!
//! # How it works
//!
//! Three rules shape the code:
//!
//! - *The registry owns the only sender of each socket's queue.* To drop a socket, for whatever
//!   reason, is to remove it from the registry. The socket's task then sees its queue end.
//! - *A slow reader never costs memory.* Each queue is short. A socket whose queue is full is
//!   closed, and its client reconnects later.
//! - *Everything is bounded*: sockets, subscriptions, message sizes, queues, messages per second,
//!   and how long a socket may stay silent, unsubscribed or stuck. See [`Limits`].
//!
//! The modules, in reading order:
//!
//! - `config`: what the embedder decides;
//! - `broker` and `state`: what it holds, and what its handlers share;
//! - `protocol`: what goes over a socket, and the names in it, parsed once;
//! - `registry`: the open sockets and their subscriptions;
//! - `handshake`: who may open a socket;
//! - `connection`: the life of one socket;
//! - `auth` and `api`: the HTTP API and its signatures;
//! - `metrics`: what `/metrics` shows.
//!
//! # What it does not do
//!
//! Presence, encrypted and cache channels, client events, user sign-in and webhooks are refused
//! with a clear error. Nothing is stored: an event reaches the sockets that are subscribed when it
//! is published. Several brokers do not share events.
//!
//! [Pusher Channels protocol]: https://pusher.com/docs/channels/library_auth_reference/pusher-websockets-protocol/
//! [HTTP API]: https://pusher.com/docs/channels/library_auth_reference/rest-api/
//! [`Router`]: axum::Router

mod api;
mod auth;
mod broker;
mod config;
mod connection;
mod handshake;
mod metrics;
mod protocol;
mod registry;
mod state;

#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
#[cfg(test)]
mod testing;

pub use broker::Broker;
pub use config::{
    AppSecret, BrokerConfig, Limits, QuotaError, SocketPermit, SocketQuota, SocketUsage,
};
pub use registry::Snapshot;
