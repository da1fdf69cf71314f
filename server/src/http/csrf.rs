//! CSRF protection: did one of our own pages send this request?
//!
//! A POST passes if `Sec-Fetch-Site` is `same-origin`; where that is absent, if `Origin` is ours;
//! where that is absent too (text browsers) or `null`, if the form carries a proof: a MAC bound to
//! a cookie that no other site can read or set.
//!
//! A request whose `Host` cannot be told is refused before anything else is asked. In practice
//! mode, and wherever cookies are plain because no https address is configured, a foreign `Host`
//! (DNS rebinding) and forwarding headers (a proxy was put in front of it) are refused as well.

use crate::{
    config::origin::Origin,
    http::{cookies::CookiePolicy, error::PageError, form, host},
};
use axum::{
    extract::{ConnectInfo, FromRef, FromRequest, Request, State},
    http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, de::DeserializeOwned};
use std::{net::SocketAddr, sync::Arc};
use vestibule::{
    audit::Event,
    secret::{Keys, Purpose},
};
use vestibule_app::pages::NoCookies;

/// Where a POST comes from, as far as its headers say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum RequestOrigin {
    /// The browser says: from our own pages.
    Ours,
    /// The browser says: from elsewhere.
    Foreign,
    /// The browser says nothing.
    Unknown,
}

/// Marks a request whose headers do not say where it comes from, so that its form must prove it.
#[derive(Clone, Copy, Debug)]
struct RequiresFormToken;

/// The origins that are ours.
pub struct OwnOrigins {
    /// All of them; the first is the public one.
    pub all: Vec<Origin>,
    /// Whether only browsers on this machine may come: plain cookies and the practice password are
    /// for no others.
    pub on_loopback_only: bool,
    /// Whether an application listens for us. It may do so on all addresses of this machine, and a
    /// client elsewhere can write any `Host`: where only this machine may come, its address counts.
    pub in_application: bool,
}

impl OwnOrigins {
    /// Whether the request was sent to a host of ours.
    ///
    /// # Errors
    /// [`PageError::Unreadable`] if its host cannot be told; [`PageError::Forbidden`] if only this
    /// machine may come, and it does not come from here.
    pub fn check(&self, request: &Parts) -> Result<(), PageError> {
        let host = host::of(request).ok_or(PageError::Unreadable(StatusCode::BAD_REQUEST))?;
        let here = || {
            is_of_this_machine(self, host, &request.headers)
                && (!self.in_application || is_on_this_machine(&request.extensions))
        };
        if self.on_loopback_only && !here() {
            Event::Forged { what: "host" }.record();
            return Err(PageError::Forbidden);
        }
        Ok(())
    }
}

/// The middleware around all routes: it knows the host.
pub async fn check_host(
    State(origins): State<Arc<OwnOrigins>>,
    request: Request,
    next: Next,
) -> Result<Response, PageError> {
    let (request, body) = request.into_parts();
    origins.check(&request)?;
    Ok(next.run(Request::from_parts(request, body)).await)
}

/// The middleware around all pages, forms, calls and files. What a proxy asks of us has the headers
/// of what it asks for.
pub async fn check_origin(
    State(origins): State<Arc<OwnOrigins>>,
    mut request: Request,
    next: Next,
) -> Result<Response, PageError> {
    // Nothing of ours is a service worker's script: one of another program on the host could
    // install it, and it would answer for our pages.
    if request.headers().contains_key("service-worker") {
        Event::Forged {
            what: "service_worker",
        }
        .record();
        return Err(PageError::Forbidden);
    }
    if !matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    ) {
        match provenance(&origins, request.headers()) {
            RequestOrigin::Ours => {}
            RequestOrigin::Foreign => {
                Event::Forged { what: "origin" }.record();
                return Err(PageError::Forbidden);
            }
            RequestOrigin::Unknown => {
                request.extensions_mut().insert(RequiresFormToken);
            }
        }
    }
    Ok(next.run(request).await)
}

/// The middleware around what only our own scripts call: browsers always say where those calls come
/// from.
pub async fn scripts_only(request: Request, next: Next) -> Result<Response, PageError> {
    // With `Accept: text/html` a server function would answer by a redirect to the Referer: no page
    // of ours asks for that.
    let accept = request.headers().get(header::ACCEPT);
    let wants_html = accept
        .is_some_and(|accept| String::from_utf8_lossy(accept.as_bytes()).contains("text/html"));
    if request.extensions().get::<RequiresFormToken>().is_some() || wants_html {
        return Err(PageError::Forbidden);
    }
    Ok(next.run(request).await)
}

fn provenance(own: &OwnOrigins, headers: &HeaderMap) -> RequestOrigin {
    let ours = |origin: &HeaderValue| own.all.iter().any(|ours| origin == ours.as_str());
    let mut origins = headers.get_all(header::ORIGIN).iter();
    if let Some(fetch_site) = headers.get("sec-fetch-site") {
        // A proxy that hides itself makes us look like any host, which is the same one to a browser.
        let hidden_or_ours = |origin: &HeaderValue| origin == "null" || ours(origin);
        let may_be_elsewhere = own.on_loopback_only && !origins.all(hidden_or_ours);
        return if fetch_site == "same-origin" && !may_be_elsewhere {
            RequestOrigin::Ours
        } else {
            RequestOrigin::Foreign
        };
    }
    match origins.next() {
        Some(origin) if ours(origin) && origins.all(ours) => RequestOrigin::Ours,
        // What a browser sends that hides its origin: a privacy setting or extension, or a
        // sandboxed page.
        Some(origin) if origin == "null" && origins.next().is_none() => RequestOrigin::Unknown,
        Some(_) => RequestOrigin::Foreign,
        None => RequestOrigin::Unknown,
    }
}

fn is_of_this_machine(own: &OwnOrigins, host: &str, headers: &HeaderMap) -> bool {
    let forwarded = headers.keys().any(|name| {
        let name = name.as_str();
        name == "forwarded"
            || name == "via"
            || name.starts_with("x-forwarded-")
            || name == "x-real-ip"
    });
    !forwarded && own.all.iter().any(|ours| host == ours.host())
}

/// Whether the client is on this machine. One that is not known may be anywhere.
fn is_on_this_machine(extensions: &Extensions) -> bool {
    let peer = extensions.get::<ConnectInfo<SocketAddr>>();
    peer.is_some_and(|ConnectInfo(peer)| peer.ip().to_canonical().is_loopback())
}

/// A form that one of our own pages sent: its fields, once that is checked.
#[derive(Clone, Copy, Debug)]
pub struct SameOriginForm<F>(pub F);

#[derive(Deserialize)]
struct FormWithToken<F> {
    proof: Option<String>,
    #[serde(flatten)]
    fields: F,
}

impl<S, F> FromRequest<S> for SameOriginForm<F>
where
    S: Send + Sync,
    F: DeserializeOwned,
    Arc<Keys>: FromRef<S>,
    CookiePolicy: FromRef<S>,
{
    type Rejection = PageError;

    async fn from_request(request: Request, state: &S) -> Result<Self, PageError> {
        let must_prove = request.extensions().get::<RequiresFormToken>().is_some();
        let cookies = CookiePolicy::from_ref(state).read(request.headers());
        let form = axum::Form::<FormWithToken<F>>::from_request(request, state).await;
        let form = form.map_err(|rejection| form::unreadable(rejection.status()))?;
        let axum::Form(FormWithToken { proof, fields }) = form;
        if proof.as_ref().is_some_and(|proof| !proof.is_empty()) && cookies.form().is_none() {
            return Err(PageError::NoCookies {
                said: NoCookies::FORM,
                href: "/login".to_owned(),
                status: if must_prove {
                    StatusCode::FORBIDDEN
                } else {
                    StatusCode::UNPROCESSABLE_ENTITY
                },
            });
        }
        if must_prove {
            let proof = proof
                .and_then(|proof| URL_SAFE_NO_PAD.decode(proof).ok())
                .unwrap_or_default();
            let cookie = cookies.form().ok_or(PageError::Forbidden)?;
            if !Arc::<Keys>::from_ref(state).verify(Purpose::Form, &[cookie.as_bytes()], &proof) {
                return Err(PageError::Forbidden);
            }
        }
        Ok(Self(fields))
    }
}
