//! `/v1/authorize`: may this request reach the application, and who sends it? For the proxy before
//! the application, which asks once for each request.
//!
//! nginx (`auth_request`) takes a 401 alone for "no", so a browser that is to sign in finds the way
//! in its `Location`. Caddy (`forward_auth`), Traefik (`ForwardAuth`) and Envoy (`ext_authz`) hand
//! the whole answer on: for them it is 303, with `?redirect`. Envoy writes the address of the
//! request behind that of this handler: `?redirect=/orders`.
//!
//! The decision depends on nothing but the session cookie. Where the request was going is only read
//! to lead the browser back there.

use super::{CannotTell, PRIVATE, is_another_sites};
use crate::{
    config::IdentityHeader,
    http::{
        client_address::Clients,
        navigation,
        state::{App, AppState},
    },
};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    response::{IntoResponse as _, Response},
};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use vestibule::{assertion::Claims, entry::SignedIn, user::User};

/// The user's id.
const REMOTE_USER: HeaderName = HeaderName::from_static("remote-user");
/// What we say of them, signed.
const ASSERTION: HeaderName = HeaderName::from_static("vestibule-assertion");
/// What is not printable ASCII, and the sign that stands for it.
const ESCAPED: &AsciiSet = &CONTROLS.add(b'%');

/// Who sends the request, in headers for the application; or who does not, with the way to sign in.
pub async fn authorize(State(app): State<App>, request: Request) -> Result<Response, CannotTell> {
    let headers = request.headers();
    if is_another_sites(headers) {
        return Ok((StatusCode::FORBIDDEN, PRIVATE).into_response());
    }
    let session = app.cookies.read(headers).session();
    if let Some(who) = app.sign_ins.who(session.as_ref()).await? {
        return Ok((PRIVATE, identity(&app, &who)?).into_response());
    }
    if !is_navigation(request.method(), headers) {
        return Ok((StatusCode::UNAUTHORIZED, PRIVATE).into_response());
    }
    let redirects = |query: &str| query == "redirect" || query.starts_with("redirect=");
    let status = if own_query(request.uri()).is_some_and(redirects) {
        StatusCode::SEE_OTHER
    } else {
        StatusCode::UNAUTHORIZED
    };
    let location = [(header::LOCATION, enter(&app, &request))];
    Ok((status, PRIVATE, location).into_response())
}

/// The headers that tell the application who it is: always both, and never empty, so that none that
/// a client has sent under their names is taken for ours.
fn identity(app: &AppState, who: &SignedIn) -> Result<HeaderMap, CannotTell> {
    let identities = &app.identities;
    let claims = Claims::new(&identities.parties, who, app.sign_ins.now());
    let mut headers = HeaderMap::new();
    headers.insert(REMOTE_USER, ascii(&who.user.id.to_string()));
    headers.insert(ASSERTION, ascii(&identities.signer.sign(&claims)?));
    for header in &identities.headers {
        let (name, value) = more(*header, &who.user);
        headers.insert(name, ascii(&value));
    }
    Ok(headers)
}

/// A header that the operator asks for, and what it says of `user`; never nothing. Of a user
/// without an address it is one that is no one else's and that no mail reaches (RFC 2606,
/// section 2).
fn more(header: IdentityHeader, user: &User) -> (HeaderName, String) {
    let identity = &user.identity;
    let (name, given) = match header {
        IdentityHeader::Email => ("remote-email", &identity.email),
        IdentityHeader::Name => ("remote-name", &identity.name),
    };
    let given = given.clone().filter(|given| !given.trim().is_empty());
    let value = given.unwrap_or_else(|| match header {
        IdentityHeader::Email => format!("{}@users.invalid", user.id),
        IdentityHeader::Name => user.id.to_string(),
    });
    (HeaderName::from_static(name), value)
}

/// A header's value: what is not printable ASCII in it, and a percent sign, is percent-encoded
/// UTF-8, because servers disagree on what else a header may hold.
fn ascii(text: &str) -> HeaderValue {
    utf8_percent_encode(text, ESCAPED)
        .to_string()
        .parse()
        .unwrap_or_else(|_| HeaderValue::from_static("-"))
}

/// Whether a browser goes to a page, so that it can be led to sign in: no script could do anything
/// with that, and no form comes back from there.
fn is_navigation(method: &Method, headers: &HeaderMap) -> bool {
    let originally = ["x-original-method", "x-forwarded-method"]
        .iter()
        .filter_map(|name| headers.get(*name));
    let gets = *method == Method::GET && originally.into_iter().all(|method| method == "GET");
    gets && navigation::is_for_a_tab(headers)
}

/// The whole address where the browser signs in, and is led back.
fn enter(app: &AppState, request: &Request) -> HeaderValue {
    let next = wanted(&app.clients, request).and_then(|wanted| app.way_back(&wanted));
    let next = next.unwrap_or_else(|| "/".parse().expect("a constant path"));
    let enter = app.destinations().through(next);
    let origin = app.origins.all[0].as_str();
    format!("{origin}{enter}")
        .parse()
        .expect("an origin and a path are printable ASCII")
}

/// Where the request was going: what a trusted proxy says of it, or what Envoy adds to the path.
fn wanted(clients: &Clients, request: &Request) -> Option<String> {
    let said = |name: &str| request.headers().get(name)?.to_str().ok();
    if clients.is_behind_proxy(request.extensions()) {
        if let Some(path) = said("x-forwarded-uri") {
            return Some(path.to_owned());
        }
        if let Some(address) = said("x-original-url") {
            let (_, rest) = address.split_once("://")?;
            return Some(rest[rest.find('/')?..].to_owned());
        }
    }
    added(request.uri())
}

/// The query, where it is this handler's: behind a path that was added it is the application's.
fn own_query(uri: &Uri) -> Option<&str> {
    uri.query().filter(|_| uri.path() == "/v1/authorize")
}

/// The address that Envoy adds to that of this handler: to its query, or else to its path.
fn added(uri: &Uri) -> Option<String> {
    if let Some(query) = own_query(uri) {
        return query.strip_prefix("redirect=").map(str::to_owned);
    }
    let path = uri.path().strip_prefix("/v1/authorize")?;
    let query = uri.query().map(|query| format!("?{query}"));
    (!path.is_empty()).then(|| format!("{path}{}", query.unwrap_or_default()))
}
