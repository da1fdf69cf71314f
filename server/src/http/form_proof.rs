//! The proof in a form that it is one of ours: a MAC bound to a cookie that no other site can read
//! or set. It decides where a browser does not say where a form comes from.

use crate::http::visitor::Visitor;
use axum::http::HeaderValue;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use vestibule::secret::{Entropy, Purpose, random};

/// What a page needs so that its forms pass: the proof, and the cookie that it is bound to if the
/// browser has none yet. Browsers that send `Sec-Fetch-Site` or `Origin` need neither.
#[derive(Clone, Debug, Default)]
pub struct Proof {
    /// The text for the hidden field.
    pub text: Option<String>,
    /// The cookie to set.
    pub set: Option<HeaderValue>,
}

/// The proof for the forms of the page that answers this `visitor`.
pub fn proof(entropy: &dyn Entropy, visitor: &Visitor) -> Proof {
    if visitor.tells_origins() {
        return Proof::default();
    }
    bound_proof(entropy, visitor)
}

/// The same for each browser: where the form comes back without the cookie, the browser keeps none.
pub fn bound_proof(entropy: &dyn Entropy, visitor: &Visitor) -> Proof {
    let (cookie, set) = if let Some(cookie) = visitor.cookies.form() {
        (cookie.to_owned(), None)
    } else {
        let fresh = URL_SAFE_NO_PAD.encode(random::<16>(entropy));
        let set = visitor.policy.form(fresh.clone());
        (fresh, Some(set))
    };
    let mac = visitor.keys.mac(Purpose::Form, &[cookie.as_bytes()]);
    Proof {
        text: Some(URL_SAFE_NO_PAD.encode(mac.as_bytes())),
        set,
    }
}
