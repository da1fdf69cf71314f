//! The island: the part of the confirm page that lives in the browser, and all of Vestibule that
//! does.
//!
//! `confirm` is the component, rendered on the server for a [`Landing`] and made live by `hydrate`.
//! It shows what [`journey`] decides and tells it what is pressed. `page` stands between the two and
//! the browser: it carries out what [`journey`] and [`connection`] ask for (calls, a `socket`, one
//! timer) and brings them what the one `listener` hears. The rest is pure, so it is tested without a
//! browser: [`frames`] (the Pusher protocol), [`backoff`] (waiting), [`sentence`].
//!
//! The page's weight is part of its speed, so the wasm has no JSON parser and no form encoder of
//! its own: [`settings`] travel in an attribute, [`json`] is the browser's, and the calls go to the
//! server functions of `crate::api` by their paths. Leptos' own client for them, with serde,
//! weighed 21 KB more.

pub mod backoff;
mod confirm;
pub mod connection;
pub mod frames;
pub mod journey;
pub mod json;
mod landing;
pub mod sentence;
pub mod settings;

#[cfg(feature = "hydrate")]
mod listener;
#[cfg(feature = "hydrate")]
mod page;
#[cfg(all(feature = "hydrate", feature = "router"))]
mod router;
#[cfg(feature = "hydrate")]
mod socket;

pub use confirm::Confirm;
pub use landing::Landing;
