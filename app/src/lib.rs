//! Vestibule's pages, server functions and island.
//!
//! `island` is the only code that runs in a browser. The rest exists on the server alone, so
//! nothing of it reaches the wasm: `pages` and `components`, and `api`, which answers what the
//! island asks for. What the two say to each other is in the crate `vestibule_protocol`.
//!
//! It is a part of `vestibule-server`. An application needs [`Confirm`] of it, for a page of its own
//! that links lead to, with the feature `hydrate` in its own client; the rest may change with any
//! version.

pub mod build_id;
pub mod island;

#[cfg(feature = "ssr")]
pub mod api;
#[cfg(feature = "ssr")]
pub mod base;
#[cfg(feature = "ssr")]
pub mod components;
#[cfg(any(feature = "ssr", not(feature = "hydrate")))]
pub mod form_token;
#[cfg(feature = "ssr")]
pub mod pages;
#[cfg(feature = "ssr")]
pub mod shell;

pub use island::Confirm;
