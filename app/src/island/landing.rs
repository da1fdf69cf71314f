//! One landing: what the server makes for a request that opens a link, and [`Confirm`] renders.
//!
//! [`Confirm`]: super::Confirm

use super::settings::Settings;
#[cfg(not(feature = "hydrate"))]
use leptos::prelude::use_context;

/// What the page of one landing has in it. It is one browser's alone.
#[derive(Clone, Debug, Default)]
pub struct Landing {
    /// What the island needs to know.
    pub settings: Settings,
    /// What the plain form carries, to show that our own page sent it; empty for a browser that says
    /// where its forms come from.
    pub form_token: String,
}

#[cfg(not(feature = "hydrate"))]
impl Landing {
    /// The landing of the page that is being rendered: a context of the page or, in an application's
    /// own page, an extension of the request. Without either, the log says what is missing.
    pub fn of_request() -> Option<Self> {
        let landing = use_context().or_else(in_extensions);
        if landing.is_none() {
            leptos::logging::error!(
                "<Confirm/> is in a page that is no landing: put \
                 .layer(vestibule.landing(\"/the/path/of/that/page/{{token}}\")) around its route"
            );
        }
        landing
    }
}

/// Leptos' integration with axum provides the request's head.
#[cfg(all(feature = "ssr", not(feature = "hydrate")))]
fn in_extensions() -> Option<Landing> {
    let head = use_context::<http::request::Parts>()?;
    head.extensions.get().cloned()
}

#[cfg(not(any(feature = "ssr", feature = "hydrate")))]
fn in_extensions() -> Option<Landing> {
    None
}
