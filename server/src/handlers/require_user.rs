//! Pages that need a user: who is let in, and the exchange on the way.
//!
//! The exchange is performed on a real navigation only: a document GET, no prefetch or prerender,
//! no sub-resource. Its new secret travels in the response of the page itself.

use crate::{
    handlers::after_sign_in,
    http::{
        navigation::is_navigation,
        response, return_path,
        state::{Shared, Site},
    },
};
use axum::{
    extract::{Request, State},
    http::{HeaderMap, Uri},
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
            // Where they wanted to go before they asked for a link.
            let wanted = if renewed.is_some() {
                after_sign_in::next(&site, &shown, &spent).await
            } else {
                None
            };
            let cookies =
                after_sign_in::cookies(&site, headers, &who, renewed, arrived, spent).await;
            if let Some(wanted) = wanted {
                return response::with_cookies(response::see_other(&wanted), cookies);
            }
            request.extensions_mut().insert(who);
            response::with_cookies(next.run(request).await, cookies)
        }
        Ok(Entry::Ask {
            current,
            candidates,
        }) => ask(&site, request.headers(), current.as_ref(), candidates),
        Ok(Entry::Stranger) => response::see_other(&login_for(&site, request.uri())),
        Err(error) => response::store_problem(&site, &error),
    }
}

/// The middleware, within [`require_user`], around what a stranger at an open browser must not do:
/// a user whose sign-in is not recent signs in again first, and is led back here.
pub async fn require_fresh(State(site): State<Shared>, request: Request, next: Next) -> Response {
    let who = request.extensions().get::<SignedIn>();
    if who.is_some_and(|who| who.is_fresh(site.vestibule.now())) {
        return next.run(request).await;
    }
    let login = login_for(&site, request.uri());
    response::see_other(&format!("{login}&again=1").parse().unwrap_or(login))
}

/// The login page, which leads back to the page that was asked for.
fn login_for(site: &Shared, wanted: &Uri) -> LocalPath {
    let target = wanted
        .query()
        .filter(|_| wanted.path() == return_path::ENTER)
        .and_then(return_path::next_of);
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
    response::form(site, headers, head, false, |proof| {
        view! { <ContinuePage current=current candidates=candidates proof=proof /> }
    })
}
