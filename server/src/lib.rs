//! The Vestibule server, as a library: [`router`] gives the routes to mount and starts what works
//! behind them.
//!
//! Read it along a sign-in: `confirm` (the landing and the way without JavaScript), `desk` (the
//! island's calls), `push` and [`broker`] (to where an outcome is pushed), `pusher_auth` (who may
//! listen), `entering` (pages that need a user, and the exchange), `arrival` (what else a sign-in
//! is a reason for), `finish` (answered to the end), `account`, `links`, `mail` and `profile`.
//!
//! Around them: `guard` (whence a request comes), `host` (to whom it was sent), `form` (read in
//! full), `client` (who is counted together), `throttle` (how often they may try), `device` (what a
//! browser calls itself), `known` (for whom it is known), `cookies`, `page` (headers), `files`
//! (scripts and styles), `routes` (all addresses on one page), `mount` and `running` (from a
//! configuration to all of that, and its end). [`doctor`], [`user_add`], [`link_create`] and the
//! like are the commands beside it.

mod account;
mod arrival;
mod client;
mod confirm;
mod cookies;
mod data;
mod desk;
mod device;
mod enter;
mod entering;
mod files;
mod finish;
mod form;
mod guard;
mod home;
mod host;
mod known;
mod links;
mod mail;
mod moment;
mod mount;
mod origin;
mod page;
mod passwords;
mod practice;
mod profile;
mod push;
mod pusher_auth;
mod ready;
mod room;
mod routes;
mod running;
mod site;
mod throttle;

pub mod answer;
pub mod broker;
pub mod config;
pub mod descriptors;
pub mod doctor;
pub mod link_create;
pub mod listen;
pub mod user_add;
pub mod user_disable;
pub mod user_list;
pub mod user_remove;

pub use config::Config;
pub use mount::{StartError, router, worker};
pub use origin::Origin;
pub use running::Running;
