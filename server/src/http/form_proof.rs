//! The proof in a form that it is one of ours: a MAC bound to a cookie that no other site can read
//! or set. It decides where a browser does not say where a form comes from.

use crate::http::state::Shared;
use axum::http::{HeaderMap, HeaderValue};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use vestibule::secret::{Purpose, random};

/// What a page needs so that its forms pass: the proof, and the cookie that it is bound to if the
/// browser has none yet. Browsers that send `Sec-Fetch-Site` or `Origin` need neither.
#[derive(Clone, Debug, Default)]
pub struct Proof {
    /// The text for the hidden field.
    pub text: Option<String>,
    /// The cookie to set.
    pub set: Option<HeaderValue>,
}

/// The proof for the forms of the page that answers a request with these headers.
#[must_use]
pub fn proof(site: &Shared, headers: &HeaderMap) -> Proof {
    if headers.contains_key("sec-fetch-site") {
        return Proof::default();
    }
    bound_proof(site, headers)
}

/// The same for each browser: where the form comes back without the cookie, the browser keeps none.
#[must_use]
pub fn bound_proof(site: &Shared, headers: &HeaderMap) -> Proof {
    let known = site.cookies_of(headers).form().map(str::to_owned);
    let fresh = known
        .is_none()
        .then(|| URL_SAFE_NO_PAD.encode(random::<16>(site.vestibule.entropy())));
    let Some(cookie) = known.as_ref().or(fresh.as_ref()) else {
        return Proof::default();
    };
    let mac = site
        .vestibule
        .keys()
        .mac(Purpose::Form, &[cookie.as_bytes()]);
    Proof {
        text: Some(URL_SAFE_NO_PAD.encode(mac.as_bytes())),
        set: fresh.map(|fresh| site.cookies.form(fresh)),
    }
}
