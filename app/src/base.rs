//! The base below which all addresses lie, on its way into a page's links.

use leptos::prelude::use_context;
use vestibule_protocol::path::Base;

/// The address of a page of ours, for a link or a form: `below`, its path below the base, with the
/// base before it.
///
/// The base is a context of the page, provided where the page is rendered; without one it is empty.
#[must_use]
pub fn at(below: impl AsRef<str>) -> String {
    of_page().as_str().to_owned() + below.as_ref()
}

/// The base of the page that is being rendered.
#[must_use]
pub fn of_page() -> Base {
    use_context().unwrap_or_default()
}
