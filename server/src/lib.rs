//! The Vestibule server, as a library: [`router`] gives the routes to mount and starts what works
//! behind them.
//!
//! The modules, from the outside in: [`cli`] (the commands), [`config`] (settings), `startup` (from
//! settings to a running server, and its end), `routes` (all addresses on one page), `handlers`
//! (what answers each of them), `http` (what every answer has in common: cookies, headers, CSRF,
//! client addresses), `accounts` (passwords, limits, browsers that are known), `mail`, `practice`,
//! and `private_files`. The embedded Pusher server is a crate of its own, [`vestibule_broker`].
//!
//! Along a sign-in: `handlers::confirm` (the landing, and the way without JavaScript),
//! `handlers::island_api` (the island's calls), `startup::push` and [`vestibule_broker`] (to where
//! an outcome is pushed), `handlers::pusher_auth` (who may listen), `handlers::require_user` (pages
//! that need a user, and the exchange), `handlers::after_sign_in` (what else a sign-in is a reason
//! for).

mod accounts;
mod handlers;
mod http;
mod mail;
mod practice;
mod private_files;
mod routes;
mod startup;

pub mod cli;
pub mod config;
#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use config::{Config, origin::Origin};
pub use http::listener::{self, file_limit};
pub use startup::{
    error::StartError,
    router::{router, worker},
    tasks::ServerHandle,
};
