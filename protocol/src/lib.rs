//! What Vestibule's server and the page in the browser say to each other.
//!
//! The page asks how its confirmation is going and gets a [`Report`]; meanwhile the worker pushes
//! an [`Announcement`]. Both end in an [`Outcome`], which names the [`path::LocalPath`] to go to.
//! Every name that stands in this JSON is in this crate and nowhere else.
//!
//! Without the feature `serde` the crate has no dependencies, so that the wasm stays small: there,
//! the types are read from any [`JsonObject`], which in a browser is the browser's own.
//!
//! It is a part of `vestibule-server`: to programs, only what that re-exports is promised.

mod announcement;
mod json;
mod outcome;
pub mod path;
mod report;
mod step;

#[cfg(feature = "serde")]
mod serde;

pub use announcement::Announcement;
pub use json::JsonObject;
pub use outcome::{Outcome, Rejection};
pub use report::{Progress, Report};
pub use step::{Stage, Step};
