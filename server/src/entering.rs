//! Pages that need a user: who is let in, and the exchange on the way.
//!
//! The exchange is performed on a real navigation only: a document GET, no prefetch or prerender,
//! no sub-resource. Its new secret travels in the response of the page itself.

use crate::{
    arrival, enter, page,
    site::{Shared, Site},
};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, Method, Uri},
    middleware::Next,
    response::Response,
};
use leptos::prelude::*;
use vestibule::{
    entry::{Entry, SignedIn},
    path::LocalPath,
    pending::TokenTag,
    user::User,
};
use vestibule_app::{
    pages::{Candidate, ContinuePage, Person, title},
    shell::Head,
};

/// The middleware around pages that need a user. Their handlers find a [`SignedIn`] among the
/// request's extensions.
pub async fn require_user(
    State(site): State<Shared>,
    mut request: Request,
    next: Next,
) -> Response {
    let shown = site.shown(request.headers());
    let entry = if is_navigation(request.method(), request.headers()) {
        site.vestibule.enter(&shown).await
    } else {
        let signed_in = |who: SignedIn| Entry::SignedIn {
            who,
            renewed: None,
            arrived: false,
            spent: Vec::new(),
        };
        site.vestibule
            .who(shown.session.as_ref())
            .await
            .map(|who| who.map_or(Entry::Stranger, signed_in))
    };
    match entry {
        Ok(Entry::SignedIn {
            who,
            renewed,
            arrived,
            spent,
        }) => {
            let headers = request.headers();
            // Where they wanted to go before they were sent to their mail.
            let wanted = if renewed.is_some() {
                arrival::next(&site, &shown, &spent).await
            } else {
                None
            };
            let cookies = arrival::cookies(&site, headers, &who, renewed, arrived, spent).await;
            if let Some(wanted) = wanted {
                return page::with_cookies(page::see_other(&wanted), cookies);
            }
            request.extensions_mut().insert(who);
            page::with_cookies(next.run(request).await, cookies)
        }
        Ok(Entry::Ask {
            current,
            candidates,
        }) => ask(&site, request.headers(), current.as_ref(), candidates),
        Ok(Entry::Stranger) => page::see_other(&login_for(&site, request.uri())),
        Err(error) => page::store_problem(&site, &error),
    }
}

/// The middleware, within [`require_user`], around what must not be done by whoever finds a browser
/// open: those who have not signed in for a while do so once more, and are led on.
pub async fn require_fresh(State(site): State<Shared>, request: Request, next: Next) -> Response {
    let who = request.extensions().get::<SignedIn>();
    if who.is_some_and(|who| who.is_fresh(site.vestibule.now())) {
        return next.run(request).await;
    }
    let login = login_for(&site, request.uri());
    page::see_other(&format!("{login}&again=1").parse().unwrap_or(login))
}

/// Whether the browser is really going to the page (Fetch Metadata; text browsers send none of it).
#[must_use]
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

/// The login page, which leads back to where somebody wanted to go.
fn login_for(site: &Shared, wanted: &Uri) -> LocalPath {
    let target = wanted
        .query()
        .filter(|_| wanted.path() == enter::PATH)
        .and_then(enter::next_of);
    login_leading_to(
        site,
        Some(target.as_ref().map_or(wanted.path(), LocalPath::as_str)),
    )
}

/// The login page, which leads to `next` if there is one.
pub fn login_leading_to(site: &Site, next: Option<&str>) -> LocalPath {
    let login = &site.vestibule.destinations().login;
    let Some(next) = next else {
        return login.clone();
    };
    let next: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
    format!("{login}?next={next}")
        .parse()
        .unwrap_or_else(|_| login.clone())
}

fn ask(
    site: &Shared,
    headers: &HeaderMap,
    current: Option<&User>,
    candidates: Vec<(TokenTag, User)>,
) -> Response {
    let person = |user: &User| Person {
        name: user.display_name().to_owned(),
        about: user.description(),
    };
    let current = current.map(person);
    let candidate = |(tag, user): (TokenTag, User)| Candidate {
        value: tag.to_string(),
        person: person(&user),
    };
    let candidates: Vec<_> = candidates.into_iter().map(candidate).collect();
    let head = Head::titled(title::continue_as(&candidates));
    page::form(site, headers, head, false, |proof| {
        view! { <ContinuePage current=current candidates=candidates proof=proof /> }
    })
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
