//! Whence a request comes.
//!
//! A POST passes if `Sec-Fetch-Site` is `same-origin`; where that is absent, if `Origin` is ours;
//! where that is absent too (text browsers) or `null`, if the form carries a proof: a MAC bound to
//! a cookie that no other site can read or set.
//!
//! A request whose `Host` cannot be told is refused before anything else is asked. In practice
//! mode, and wherever cookies are plain because nobody has configured an https address, a foreign
//! `Host` (DNS rebinding) and forwarding headers (somebody put it behind a proxy) are refused as
//! well.

use crate::{form, host, page, site::Shared};
use axum::{
    extract::{FromRequest, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, de::DeserializeOwned};
use vestibule::{
    audit::Event,
    secret::{Purpose, random},
};
use vestibule_app::pages::NoCookies;

/// What is known of whence a POST comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Provenance {
    /// The browser says: from our own pages.
    Ours,
    /// The browser says: from elsewhere.
    Foreign,
    /// The browser says nothing.
    Unknown,
}

/// Marks a request whose browser did not say whence it comes, so that its form must prove it.
#[derive(Clone, Copy, Debug)]
struct MustProve;

/// The middleware around all routes.
pub async fn guard(State(site): State<Shared>, mut request: Request, next: Next) -> Response {
    let Some(host) = host::of(&request) else {
        return page::problem(&site, StatusCode::BAD_REQUEST);
    };
    // Plain cookies and the practice password are for this machine alone.
    let on_loopback_only = site.practice.is_some() || !site.cookies.secure;
    if on_loopback_only && !is_of_this_machine(&site, host, request.headers()) {
        Event::Forged { what: "host" }.record();
        return page::problem(&site, StatusCode::FORBIDDEN);
    }
    if !matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    ) {
        match provenance(&site, request.headers()) {
            Provenance::Ours => {}
            Provenance::Foreign => {
                Event::Forged { what: "origin" }.record();
                return page::problem(&site, StatusCode::FORBIDDEN);
            }
            Provenance::Unknown => {
                request.extensions_mut().insert(MustProve);
            }
        }
    }
    next.run(request).await
}

/// The middleware around what only scripts of ours call: they always say whence they come.
pub async fn scripts_only(State(site): State<Shared>, request: Request, next: Next) -> Response {
    // With `Accept: text/html` a server function would answer by a redirect to the Referer: no page
    // of ours asks for that.
    let accept = request.headers().get(header::ACCEPT);
    let wants_html = accept
        .is_some_and(|accept| String::from_utf8_lossy(accept.as_bytes()).contains("text/html"));
    if request.extensions().get::<MustProve>().is_some() || wants_html {
        return page::problem(&site, StatusCode::FORBIDDEN);
    }
    next.run(request).await
}

fn provenance(site: &Shared, headers: &HeaderMap) -> Provenance {
    if let Some(fetch_site) = headers.get("sec-fetch-site") {
        return if fetch_site == "same-origin" {
            Provenance::Ours
        } else {
            Provenance::Foreign
        };
    }
    let ours = |origin: &HeaderValue| site.origins.iter().any(|ours| origin == ours.as_str());
    let mut origins = headers.get_all(header::ORIGIN).iter();
    match origins.next() {
        Some(origin) if ours(origin) && origins.all(ours) => Provenance::Ours,
        // What a browser says that keeps its origin to itself: a privacy setting or extension, or a
        // page in a sandbox.
        Some(origin) if origin == "null" && origins.next().is_none() => Provenance::Unknown,
        Some(_) => Provenance::Foreign,
        None => Provenance::Unknown,
    }
}

fn is_of_this_machine(site: &Shared, host: &str, headers: &HeaderMap) -> bool {
    let forwarded = headers.keys().any(|name| {
        let name = name.as_str();
        name == "forwarded"
            || name == "via"
            || name.starts_with("x-forwarded-")
            || name == "x-real-ip"
    });
    !forwarded && site.origins.iter().any(|ours| host == ours.host())
}

/// What a page needs so that its forms pass: the proof, and the cookie that it is bound to if the
/// browser has none yet. Browsers that say whence they come need neither.
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

/// A form of ours: its fields, once it is known whence it comes.
#[derive(Clone, Copy, Debug)]
pub struct OwnForm<F>(pub F);

#[derive(Deserialize)]
struct Proved<F> {
    proof: Option<String>,
    #[serde(flatten)]
    fields: F,
}

impl<F: DeserializeOwned> FromRequest<Shared> for OwnForm<F> {
    type Rejection = Response;

    async fn from_request(request: Request, site: &Shared) -> Result<Self, Response> {
        let refused = || page::problem(site, StatusCode::FORBIDDEN);
        let must_prove = request.extensions().get::<MustProve>().is_some();
        let cookies = site.cookies_of(request.headers());
        let form = axum::Form::<Proved<F>>::from_request(request, site).await;
        let form =
            form.map_err(|rejection| page::problem(site, form::unreadable(rejection.status())))?;
        let axum::Form(Proved { proof, fields }) = form;
        if proof.as_ref().is_some_and(|proof| !proof.is_empty()) && cookies.form().is_none() {
            let said = page::no_cookies(site, NoCookies::FORM, "/login");
            return Err(if must_prove {
                page::with_status(said, StatusCode::FORBIDDEN)
            } else {
                said
            });
        }
        if must_prove {
            let proof = proof
                .and_then(|proof| URL_SAFE_NO_PAD.decode(proof).ok())
                .unwrap_or_default();
            let cookie = cookies.form().ok_or_else(refused)?;
            if !site
                .vestibule
                .keys()
                .verify(Purpose::Form, &[cookie.as_bytes()], &proof)
            {
                return Err(refused());
            }
        }
        Ok(Self(fields))
    }
}
