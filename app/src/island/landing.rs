//! One landing: what the server makes for a request that opens a link, and [`Confirm`] renders.
//!
//! [`Confirm`]: super::Confirm

use super::settings::Settings;

/// What the page of one landing has in it. It is one browser's alone.
#[derive(Clone, Debug, Default)]
pub struct Landing {
    /// What the island needs to know.
    pub settings: Settings,
    /// What the plain form carries, to show that our own page sent it; empty for a browser that says
    /// where its forms come from.
    pub form_token: String,
}

impl Landing {
    /// That of the page that is being rendered: a context of the page or, in an application's own
    /// page, an extension of the request. Without either, the log says what is missing.
    #[cfg(not(feature = "hydrate"))]
    pub(super) fn current() -> Self {
        let landing = leptos::prelude::use_context::<Self>();
        #[cfg(feature = "ssr")]
        let landing = landing.or_else(|| {
            let request = leptos::prelude::use_context::<http::request::Parts>()?;
            request.extensions.get().cloned()
        });
        landing.unwrap_or_else(|| {
            leptos::logging::error!(
                "<Confirm/> has no confirmation to show: put \
                 .layer(vestibule.landing(\"/the/path/of/its/page/{{token}}\")) around its route"
            );
            Self::default()
        })
    }

    /// That of this page: the markup has it. What the plain form carries stays there.
    #[cfg(feature = "hydrate")]
    pub(super) fn current() -> Self {
        Self {
            settings: super::page::settings(),
            form_token: String::new(),
        }
    }
}
