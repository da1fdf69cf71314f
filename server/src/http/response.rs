//! From a page to a response: the headers that every document carries.

use crate::http::{
    form_proof::{self, Proof},
    state::{Shared, Site},
};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Redirect, Response},
};
use leptos::prelude::*;
use std::time::Duration;
use vestibule::{caps::Capped, link::WINDOW, path::LocalPath, store::StoreError};
use vestibule_app::{
    pages::{ErrorPage, NoCookies, NoCookiesPage, Problem},
    shell::{self, Head},
};

/// Renders `page` into a response.
pub fn respond<P: IntoView + 'static>(
    site: &Site,
    head: Head,
    page: impl FnOnce() -> P,
) -> Response {
    // The reloader of a page in development is a script, too.
    let scripts = head.live || watched();
    // A script of another build would break what works without it.
    let head = Head {
        live: head.live && site.files.have_client(),
        ..head
    };
    let document = shell::render(&site.leptos, head, page);
    let policy = content_security_policy(site, scripts.then(|| document.nonce.to_string()));
    let headers = [
        (
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        ),
        // Every page says something about the user who asked for it.
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_str(&policy).expect("the policy is printable ASCII"),
        ),
        // Of documents alone.
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            HeaderValue::from_static("same-origin"),
        ),
    ];
    (headers, document.html).into_response()
}

/// The page of an error, by its status.
pub fn problem(site: &Site, status: StatusCode) -> Response {
    let problem = match status {
        StatusCode::BAD_REQUEST => Problem::UNREADABLE,
        StatusCode::FORBIDDEN => Problem::REFUSED,
        StatusCode::NOT_FOUND => Problem::NOT_FOUND,
        StatusCode::PAYLOAD_TOO_LARGE => Problem::TOO_LONG,
        StatusCode::TOO_MANY_REQUESTS => Problem::TOO_MANY,
        StatusCode::SERVICE_UNAVAILABLE => Problem::NOT_NOW,
        _ => Problem::BROKEN,
    };
    told(site, status, problem)
}

fn told(site: &Site, status: StatusCode, problem: Problem) -> Response {
    let response = respond(
        site,
        Head::titled(problem.title),
        || view! { <ErrorPage problem=problem /> },
    );
    let mut response = with_status(response, status);
    if let Some(after) = retry_after(status) {
        response.headers_mut().insert(header::RETRY_AFTER, after);
    }
    response
}

/// After how many seconds a client that was answered with `status` may try again.
#[must_use]
pub fn retry_after(status: StatusCode) -> Option<HeaderValue> {
    match status {
        // Until what is undecided now has met its deadline.
        StatusCode::TOO_MANY_REQUESTS => Some(HeaderValue::from_static("60")),
        StatusCode::SERVICE_UNAVAILABLE => Some(HeaderValue::from_static("5")),
        _ => None,
    }
}

/// The status of a begin that met a cap. It is no failure of ours: nothing is wrong, and nothing
/// was stored.
#[must_use]
pub const fn capped_status(cap: Capped) -> StatusCode {
    match cap {
        Capped::Client | Capped::Links => StatusCode::TOO_MANY_REQUESTS,
        Capped::All => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// The page of a begin that met a cap.
pub fn capped(site: &Site, cap: Capped) -> Response {
    match cap {
        Capped::Links => too_often(
            told(site, capped_status(cap), Problem::TOO_MANY_LINKS),
            WINDOW,
        ),
        Capped::Client | Capped::All => problem(site, capped_status(cap)),
    }
}

/// A page with forms of ours: `view` gets the proof that they carry. One whose form was not taken,
/// because it `failed`, is 422.
pub fn form<P: IntoView + 'static>(
    site: &Shared,
    headers: &HeaderMap,
    head: Head,
    failed: bool,
    view: impl FnOnce(Option<String>) -> P,
) -> Response {
    let Proof { text, set } = form_proof::proof(site, headers);
    let page = respond(site, head, || view(text));
    let status = if failed {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    with_cookies(with_status(page, status), set)
}

/// `page`, which says that something was tried too often, and how long to wait.
#[must_use]
pub fn too_often(page: Response, wait: Duration) -> Response {
    let mut response = with_status(page, StatusCode::TOO_MANY_REQUESTS);
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(seconds(wait)));
    response
}

/// How long to wait, in whole seconds.
#[must_use]
pub fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// `page`, with another status than 200.
#[must_use]
pub fn with_status(mut page: Response, status: StatusCode) -> Response {
    *page.status_mut() = status;
    page
}

/// The page of a store's error: what can pass is 503, what cannot 500. The log says what it was.
pub fn store_problem(site: &Site, error: &StoreError) -> Response {
    tracing::error!(%error, "a request could not use the store");
    match error {
        StoreError::Unavailable(_) => problem(site, StatusCode::SERVICE_UNAVAILABLE),
        StoreError::Corrupt { .. } => problem(site, StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// 303 to a path on this origin.
#[must_use]
pub fn see_other(path: &LocalPath) -> Response {
    (
        [(header::CACHE_CONTROL, "no-store")],
        Redirect::to(path.as_str()),
    )
        .into_response()
}

/// 303 to a path with a token in it.
///
/// # Panics
/// Never: a token has no character that a path may not have, is neither `.` nor `..`, and its
/// length leaves room.
#[must_use]
pub fn see(path: &str) -> Response {
    see_other(&path.parse().expect("a token is a segment of a path"))
}

/// The page of a sign-in that was not begun, because the browser could not have gone on with it. It
/// leads to `href`.
pub fn no_cookies(site: &Site, said: NoCookies, href: &str) -> Response {
    let href = href.to_owned();
    let page = respond(
        site,
        Head::titled(said.title),
        || view! { <NoCookiesPage said=said href=href /> },
    );
    with_status(page, StatusCode::UNPROCESSABLE_ENTITY)
}

/// The same, where no link is at hand that could be opened again.
pub fn too_many_here(site: &Site) -> Response {
    no_cookies(site, NoCookies::FULL, "/login")
}

/// Adds cookies to a response.
#[must_use]
pub fn with_cookies(
    mut response: Response,
    cookies: impl IntoIterator<Item = HeaderValue>,
) -> Response {
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// What scripts, and everything else that a document could load, may be (CSP level 3). Without a
/// `nonce` there are none.
fn content_security_policy(site: &Site, nonce: Option<String>) -> String {
    let Some(nonce) = nonce else {
        return "default-src 'none'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
                base-uri 'none'; frame-ancestors 'none'"
            .to_owned();
    };
    let mut connect = String::from("'self'");
    if let Some(socket) = &site.socket {
        // A path in a source would be compared too; the origin is what is meant.
        let origin_end = socket
            .match_indices('/')
            .nth(2)
            .map_or(socket.len(), |(end, _)| end);
        connect = format!("{connect} {}", &socket[..origin_end]);
    }
    if watched() {
        connect = format!(
            "{connect} ws://localhost:{0} ws://127.0.0.1:{0}",
            site.leptos.reload_port
        );
    }
    format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; style-src 'self'; \
         img-src 'self'; connect-src {connect}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
}

/// Whether cargo-leptos watches the sources and reloads pages when they change.
#[must_use]
pub fn watched() -> bool {
    std::env::var_os("LEPTOS_WATCH").is_some()
}

/// Headers for every response, whatever it is, unless it has its own.
const EVERYWHERE: [(HeaderName, HeaderValue); 4] = [
    // What is no page loads nothing and is never framed. No more: it is sent with each file and
    // call, and pages are small.
    (
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'"),
    ),
    // The token is in the path: other sites may learn the origin, and `no-referrer` would make
    // browsers send `Origin: null` on our own forms.
    (
        header::REFERRER_POLICY,
        HeaderValue::from_static("strict-origin"),
    ),
    (
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

/// The middleware around everything: the headers of every response. Where cookies are `Secure`,
/// browsers are told to come by HTTPS alone (RFC 6797).
pub async fn headers(State(site): State<Shared>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let hsts = site.hsts.map(|hsts| {
        (
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static(hsts),
        )
    });
    for (name, value) in EVERYWHERE.into_iter().chain(hsts) {
        response.headers_mut().entry(name).or_insert(value);
    }
    response
}
