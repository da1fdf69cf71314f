//! Real navigations: the only requests that exchange a secret.

use axum::http::{HeaderMap, Method, header};

/// Whether the browser is really going to the page (Fetch Metadata; text browsers send none of it).
pub fn is_navigation(method: &Method, headers: &HeaderMap) -> bool {
    let is_or_absent =
        |name: &str, value: &str| headers.get(name).is_none_or(|given| given == value);
    let speculative = ["sec-purpose", "purpose", "x-moz"]
        .iter()
        .any(|name| headers.contains_key(*name));
    *method == Method::GET
        && is_or_absent("sec-fetch-mode", "navigate")
        && is_or_absent("sec-fetch-dest", "document")
        && !speculative
}

/// Whether what is asked for is to become the page of a tab, so that the browser can be led to sign
/// in. A script, or another program, could do nothing with that page. A form counts as well.
pub fn is_for_a_tab(headers: &HeaderMap) -> bool {
    let is = |name: &str, value: &str| headers.get(name).map(|given| given == value);
    let accepts = || {
        let accept = headers.get(header::ACCEPT);
        accept
            .is_some_and(|accept| String::from_utf8_lossy(accept.as_bytes()).contains("text/html"))
    };
    is("sec-fetch-mode", "navigate").unwrap_or_else(accepts)
        && is("sec-fetch-dest", "document").unwrap_or(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::{HeaderName, HeaderValue};

    fn headers(given: &[(&'static str, &'static str)]) -> HeaderMap {
        given
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect()
    }

    #[test]
    fn a_click_and_a_text_browser_navigate() {
        let click = headers(&[
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ]);
        assert!(is_navigation(&Method::GET, &click) && is_navigation(&Method::GET, &headers(&[])));
    }

    #[test]
    fn what_is_not_a_real_navigation_exchanges_nothing() {
        assert!(!is_navigation(&Method::HEAD, &headers(&[])));
        for not_one in [
            &[("sec-fetch-mode", "cors")][..],
            &[("sec-fetch-mode", "navigate"), ("sec-fetch-dest", "iframe")],
            &[("sec-fetch-dest", "image")],
            &[("sec-purpose", "prefetch;prerender")],
            &[("purpose", "prefetch")],
        ] {
            assert!(
                !is_navigation(&Method::GET, &headers(not_one)),
                "{not_one:?}"
            );
        }
    }
}
