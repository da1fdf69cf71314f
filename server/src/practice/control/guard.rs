//! Who may control practice mode: programs of this machine, directly.
//!
//! A browser on this machine reaches loopback too, for any page that it shows: under the name of
//! this machine, or under a name of the page's own site that leads here (DNS rebinding). So does a
//! proxy, for anyone.

use super::ControlProblem;
use crate::{config::origin::is_loopback_host, http::host};
use axum::{
    extract::Request,
    http::{HeaderMap, header, uri::Authority},
    middleware::Next,
    response::Response,
};

/// The middleware that refuses what a browser or a proxy sends.
pub async fn programs_of_this_machine(
    request: Request,
    next: Next,
) -> Result<Response, ControlProblem> {
    if let Some(name) = forwarding_header(request.headers()) {
        return Err(ControlProblem::forbidden(format!(
            "{name}: a proxy has forwarded this; practice mode is controlled from its own machine only"
        )));
    }
    let (parts, body) = request.into_parts();
    let names_this_machine = host::of(&parts)
        .and_then(|host| host.parse::<Authority>().ok())
        .is_some_and(|host| is_loopback_host(host.host()));
    if !names_this_machine {
        return Err(ControlProblem::forbidden(
            "Host: not a name of this machine (example: 127.0.0.1)",
        ));
    }
    // Programs send neither; browsers send one with whatever a page could do harm by.
    for name in ["origin", "sec-fetch-site"] {
        if parts.headers.contains_key(name) {
            return Err(ControlProblem::forbidden(format!(
                "{name}: a browser has sent this; practice mode is controlled by programs"
            )));
        }
    }
    let request = Request::from_parts(parts, body);
    let mut response = next.run(request).await;
    let never = "no-store".parse().expect("it is a header's value");
    response.headers_mut().insert(header::CACHE_CONTROL, never);
    Ok(response)
}

/// The first header that only a proxy adds.
fn forwarding_header(headers: &HeaderMap) -> Option<&str> {
    let names = headers.keys().map(header::HeaderName::as_str);
    let mut forwarding = names.filter(|name| {
        matches!(*name, "forwarded" | "via" | "x-real-ip") || name.starts_with("x-forwarded")
    });
    forwarding.next()
}
