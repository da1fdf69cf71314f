//! Vestibule's pages, server functions and island.
//!
//! Read [`api`] first: it is all that the browser and the server say to each other. `island` is the
//! only code that runs in a browser. `pages` and `components` exist on the server alone, so nothing
//! of them reaches the wasm.

pub mod api;
pub mod build_id;
pub mod island;

#[cfg(feature = "ssr")]
pub mod components;
#[cfg(feature = "ssr")]
pub mod pages;
#[cfg(feature = "ssr")]
pub mod shell;
