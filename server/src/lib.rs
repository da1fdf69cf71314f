//! The Vestibule server, as a library: [`Vestibule::builder`] starts it as a part of an application
//! of your own, whose handlers take a [`SignedIn`].
//!
//! What is documented here changes as semantic versioning allows; the repository has a list of it,
//! `api/vestibule-server.txt`. What the hidden module `internals` has may change with any version.
//!
//! The modules, from the outside in: `cli` (the commands), `config` (settings), `startup` (from
//! settings to a running server, and its end), `application` (as a part of another one; [`validator`]
//! has what its own validator is made of), `routes` (all addresses on one page), `handlers`
//! (what answers each of them), `http` (what every answer has in common: cookies, headers, CSRF,
//! client addresses), `accounts` (passwords, limits, browsers that are known), `mail`, `practice`,
//! and `private_files`. The embedded Pusher server is a crate of its own, [`vestibule_broker`].
//!
//! Along a sign-in: `handlers::confirm` (the landing, and the way without JavaScript),
//! `handlers::island_api` (the island's calls), `startup::push` and [`vestibule_broker`] (to where
//! an outcome is pushed), `handlers::pusher_auth` (who may listen), `handlers::require_user` (pages
//! that need a user, and the exchange), `handlers::after_sign_in` (what else a sign-in is a reason
//! for).

// The examples name the library as every other program does.
#[cfg(test)]
extern crate self as vestibule_server;

mod accounts;
mod application;
mod cli;
mod config;
mod handlers;
mod http;
mod mail;
mod practice;
mod private_files;
mod routes;
mod startup;

#[cfg(any(test, feature = "testing"))]
pub mod testing;

/// What an application's own validator is made of: `use vestibule_server::validator::*`.
pub mod validator {
    pub use async_trait::async_trait;
    pub use vestibule::{
        clock::Timestamp,
        confirmation::{ConfirmationId, Stage},
        path::LocalPath,
        token::Token,
        user::Identity,
        validator::{Reason, ValidationError, Validator, Verdict},
    };
}

/// How many files this process may have open.
pub mod file_limit {
    pub use crate::http::listener::file_limit::raise;
}

/// What the binary, and our own tests and measurements, need beside what is promised.
#[doc(hidden)]
pub mod internals {
    pub use crate::{
        cli::{doctor::doctor, main, memory::use_small_pages},
        config::Config,
        http::listener::bind,
        startup::router::router,
    };
}

/// Serving routes with time limits, as the binary does.
pub mod listener {
    pub use crate::http::listener::serve;
}

pub use application::{
    Builder, LandingLayer, LandingPage, Mounted, SignInLayer, SignInPolicy, SignedIn,
    SignedInRejection, StartError, Vestibule,
};
pub use config::{RawSettings, SettingError};
pub use startup::{stop_signals::StopSignals, tasks::ServerHandle};
pub use vestibule::{
    entry::Method,
    notice::OnConfirmed,
    store::ApplicationDatabase,
    user::{User, UserId},
};
