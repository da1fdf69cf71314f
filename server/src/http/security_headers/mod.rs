//! The headers of every response, whatever it is.

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};

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

/// The `Strict-Transport-Security` header, for browsers that come by HTTPS (RFC 6797).
#[derive(Clone, Copy, Debug)]
pub struct Hsts(pub Option<&'static str>);

/// The middleware around everything: the headers of every response. Where cookies are `Secure`,
/// browsers are told to come by HTTPS alone.
pub async fn headers(State(hsts): State<Hsts>, request: Request, next: Next) -> Response {
    hsts.with_headers(next.run(request).await)
}

impl Hsts {
    /// `response` with the headers of every response, of which it keeps its own.
    pub fn with_headers(self, mut response: Response) -> Response {
        let hsts = self.0.map(|hsts| {
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
}

#[cfg(test)]
mod tests;
