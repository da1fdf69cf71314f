//! Vestibule as a part of an application: its routes beside the application's own, whose handlers
//! learn who is signed in.
//!
//! [`Vestibule::builder`] starts it. The application merges the routes, which lie below the path of
//! `PUBLIC_URL`, and puts [`Vestibule::layer`] around its own, so that their handlers can take a
//! [`SignedIn`] or an `Option<SignedIn>`. Around pages that need a user it puts
//! [`Vestibule::require_user`] or [`Vestibule::require_fresh`].
//!
//! Nothing of Vestibule's is around the application's routes but these layers. They add cookies and,
//! where there is none, `Cache-Control`. [`Vestibule::landing`] alone replaces headers: those of the
//! page with `<Confirm/>`.

mod admission;
mod answer;
mod builder;
mod extract;
mod isolated_validator;
mod landing;
mod layer;
mod request;
mod sign_in_context;
mod signed_in;

pub use builder::{Builder, Mounted, StartError};
pub use extract::SignedInRejection;
pub use landing::{LandingLayer, LandingPage};
pub use layer::{SignInLayer, SignInPolicy};
pub use signed_in::SignedIn;

use crate::{config::RawSettings, http::state::App};
use admission::Requirement;
use std::{fmt, sync::Arc};

/// Vestibule, as the application's own routes know it. Cheap to clone.
#[derive(Clone)]
pub struct Vestibule {
    app: App,
}

impl Vestibule {
    /// Begins with the settings that `docs/CONFIGURATION.md` lists: from the environment
    /// ([`RawSettings::from_environment`]), or in code ([`RawSettings::from_pairs`]).
    ///
    /// `PUBLIC_URL` has to have a path, such as `https://app.example/auth`: all of Vestibule lies
    /// below it. The port in it is the one that the application listens at, if it is
    /// `http://127.0.0.1:3000/auth` or the like; `LEPTOS_SITE_ADDR` is not used.
    #[must_use]
    pub fn builder(settings: RawSettings) -> Builder {
        Builder::new(settings)
    }

    /// The layer around all of the application's routes: their handlers, and its Leptos server
    /// functions, can take a [`SignedIn`] or an `Option<SignedIn>`. It asks the database
    /// nothing by itself: only a route that takes one does.
    ///
    /// A response whose handler has asked who is signed in gets `Cache-Control: private, no-cache`,
    /// unless it has a `Cache-Control` of its own. So does one that is streamed to a browser with a
    /// session, because it may still ask.
    pub fn layer(&self) -> SignInLayer {
        SignInPolicy::layer(self.clone(), Requirement::Anyone)
    }

    /// The layer around pages that need a user, for `route_layer`. It lets the users in whose
    /// session is established, and performs the exchange of one that is only bound, on a real
    /// navigation: what loads a page ahead, an image, a script's request exchange nothing. Before a
    /// user is switched, the browser is asked.
    ///
    /// A browser of no known user is led to the login page, and back here. Other requests, such as a
    /// script's, are answered with 401.
    ///
    /// A response with a new session's cookie is `no-store`; any other gets `Cache-Control: private,
    /// no-cache` unless it has a `Cache-Control` of its own. The application guards its forms
    /// against other sites itself: cookies here are `SameSite=Lax`.
    pub fn require_user(&self) -> SignInLayer {
        SignInPolicy::layer(self.clone(), Requirement::User)
    }

    /// The same for what a person at an open browser must not do: a user who has not signed in
    /// within 20 minutes signs in again first, and is led back.
    pub fn require_fresh(&self) -> SignInLayer {
        SignInPolicy::layer(self.clone(), Requirement::FreshUser)
    }

    /// The layer for the application's own page that links lead to, in place of Vestibule's
    /// `/confirm/{token}`: the page with the component `<Confirm/>`. `page` is its whole path, such as
    /// `/welcome/{token}`; other routes within the layer are not changed. Links may have
    /// `?next=/orders`.
    ///
    /// Vestibule answers with a page of its own where there is nothing to confirm here: for a token
    /// that cannot be one, a link that has signed this browser in already, a link of its own mails
    /// that another browser has asked for. A user who is signed in is led to its own page, which says
    /// as whom before they go on.
    ///
    /// The page gets `Cache-Control: no-store`, `Referrer-Policy: strict-origin`, `nosniff`, and one
    /// more `Content-Security-Policy: frame-ancestors 'none'`, whatever the application's headers
    /// say, because its address has the token in it. So make this the outermost of the layers that
    /// set such headers. No browser is led back to such an address after signing in.
    ///
    /// # Panics
    /// If `page` is not a path that ends in `/{token}`, below another name and without other
    /// parameters, or if `CONFIRM_REDIRECT` is an address of that page.
    pub fn landing(&self, page: &str) -> LandingLayer {
        LandingPage::layer(self.clone(), page)
    }

    /// Whether this is the same Vestibule: an application may have several.
    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(self.app.shared(), other.app.shared())
    }
}

impl fmt::Debug for Vestibule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base = self.app.destinations().base();
        f.debug_tuple("Vestibule").field(&base.as_str()).finish()
    }
}

#[cfg(test)]
mod tests;
