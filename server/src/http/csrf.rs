//! CSRF protection: did one of our own pages send this request?
//!
//! A POST passes if `Sec-Fetch-Site` is `same-origin`; where that is absent, if `Origin` is ours;
//! where that is absent too (text browsers) or `null`, if the form carries a proof: a MAC bound to
//! a cookie that no other site can read or set.
//!
//! A request whose `Host` cannot be told is refused before anything else is asked. In practice
//! mode, and wherever cookies are plain because no https address is configured, a foreign `Host`
//! (DNS rebinding) and forwarding headers (a proxy was put in front of it) are refused as well.

use crate::http::{form, host, response, state::Shared};
use axum::{
    extract::{FromRequest, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, de::DeserializeOwned};
use vestibule::{audit::Event, secret::Purpose};
use vestibule_app::pages::NoCookies;

/// Where a POST comes from, as far as its headers say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Provenance {
    /// The browser says: from our own pages.
    Ours,
    /// The browser says: from elsewhere.
    Foreign,
    /// The browser says nothing.
    Unknown,
}

/// Marks a request whose headers do not say where it comes from, so that its form must prove it.
#[derive(Clone, Copy, Debug)]
struct MustProve;

/// The middleware around all routes.
pub async fn guard(State(site): State<Shared>, mut request: Request, next: Next) -> Response {
    let Some(host) = host::of(&request) else {
        return response::problem(&site, StatusCode::BAD_REQUEST);
    };
    // Plain cookies and the practice password are for this machine alone.
    let on_loopback_only = site.practice.is_some() || !site.cookies.secure;
    if on_loopback_only && !is_of_this_machine(&site, host, request.headers()) {
        Event::Forged { what: "host" }.record();
        return response::problem(&site, StatusCode::FORBIDDEN);
    }
    if !matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    ) {
        match provenance(&site, request.headers()) {
            Provenance::Ours => {}
            Provenance::Foreign => {
                Event::Forged { what: "origin" }.record();
                return response::problem(&site, StatusCode::FORBIDDEN);
            }
            Provenance::Unknown => {
                request.extensions_mut().insert(MustProve);
            }
        }
    }
    next.run(request).await
}

/// The middleware around what only our own scripts call: browsers always say where those calls come
/// from.
pub async fn scripts_only(State(site): State<Shared>, request: Request, next: Next) -> Response {
    // With `Accept: text/html` a server function would answer by a redirect to the Referer: no page
    // of ours asks for that.
    let accept = request.headers().get(header::ACCEPT);
    let wants_html = accept
        .is_some_and(|accept| String::from_utf8_lossy(accept.as_bytes()).contains("text/html"));
    if request.extensions().get::<MustProve>().is_some() || wants_html {
        return response::problem(&site, StatusCode::FORBIDDEN);
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
        // What a browser sends that hides its origin: a privacy setting or extension, or a
        // sandboxed page.
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

/// A form that one of our own pages sent: its fields, once that is checked.
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
        let refused = || response::problem(site, StatusCode::FORBIDDEN);
        let must_prove = request.extensions().get::<MustProve>().is_some();
        let cookies = site.cookies_of(request.headers());
        let form = axum::Form::<Proved<F>>::from_request(request, site).await;
        let form = form
            .map_err(|rejection| response::problem(site, form::unreadable(rejection.status())))?;
        let axum::Form(Proved { proof, fields }) = form;
        if proof.as_ref().is_some_and(|proof| !proof.is_empty()) && cookies.form().is_none() {
            let said = response::no_cookies(site, NoCookies::FORM, "/login");
            return Err(if must_prove {
                response::with_status(said, StatusCode::FORBIDDEN)
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
