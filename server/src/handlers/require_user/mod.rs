//! Pages that need a user: who is let in, and the exchange on the way.
//!
//! The exchange is performed on a real navigation only: a document GET, no prefetch or prerender,
//! no sub-resource. Its new secret travels in the response of the page itself.

use crate::{
    handlers::{after_sign_in, enter::ENTER, switch_account},
    http::{
        error::PageError,
        response,
        state::{App, AppState},
        visitor::Visitor,
    },
};
use axum::{
    extract::{Request, State},
    http::{HeaderValue, Uri},
    middleware::Next,
    response::Response,
};
use url::form_urlencoded;
use vestibule::{
    entry::{Entry, SignedIn},
    path::LocalPath,
};

/// Whether a request for a page that needs a user is let in.
pub enum Access {
    /// It is this user's. The cookies belong to the response.
    Admitted(SignedIn, Vec<HeaderValue>),
    /// Not yet: another page takes the place of the one that was asked for.
    Instead(Response),
    /// It is no known user's.
    SignedOut,
}

/// Who `visitor` is, after the exchange if they are navigating and have one to make.
pub async fn admit(app: &AppState, visitor: &Visitor) -> Result<Access, PageError> {
    let shown = visitor.shown();
    let entry = if visitor.is_navigating() {
        app.sign_ins.enter(&shown).await?
    } else {
        let who = app.sign_ins.who(shown.session.as_ref()).await?;
        who.map_or(Entry::SignedOut, |who| Entry::SignedIn(who.into()))
    };
    Ok(match entry {
        Entry::SignedIn(sign_in) => {
            // Where they wanted to go before they asked for a link.
            let wanted = after_sign_in::next(app, &shown, &sign_in).await;
            let cookies = after_sign_in::cookies(app, visitor, &sign_in).await;
            match wanted {
                Some(wanted) => {
                    let on = response::see_other(&wanted);
                    Access::Instead(response::with_cookies(on, cookies))
                }
                None => Access::Admitted(sign_in.who, cookies),
            }
        }
        Entry::ChooseAccount {
            current,
            candidates,
        } => {
            let page = switch_account::ask(app, visitor, current.as_ref(), candidates);
            Access::Instead(page)
        }
        Entry::SignedOut => Access::SignedOut,
    })
}

/// The middleware around pages that need a user. Their handlers find a [`SignedIn`] among the
/// request's extensions.
pub async fn require_user(
    State(app): State<App>,
    visitor: Visitor,
    mut request: Request,
    next: Next,
) -> Result<Response, PageError> {
    Ok(match admit(&app, &visitor).await? {
        Access::Admitted(who, cookies) => {
            request.extensions_mut().insert(who);
            response::with_cookies(next.run(request).await, cookies)
        }
        Access::Instead(page) => page,
        Access::SignedOut => response::see(&login_for(&app, request.uri(), false)),
    })
}

/// The middleware, within [`require_user`], around what a stranger at an open browser must not do:
/// a user whose sign-in is not recent signs in again first, and is led back here.
pub async fn require_fresh(State(app): State<App>, request: Request, next: Next) -> Response {
    let who = request.extensions().get::<SignedIn>();
    if who.is_some_and(|who| who.is_fresh(app.sign_ins.now())) {
        return next.run(request).await;
    }
    response::see(&login_for(&app, request.uri(), true))
}

/// The login page, which leads back to the page that was asked for.
fn login_for(app: &AppState, wanted: &Uri, again: bool) -> String {
    let target = wanted
        .query()
        .filter(|_| wanted.path() == ENTER)
        .and_then(|query| next_of(app, query));
    let own = || {
        let own = format!("{}{}", app.destinations().base().as_str(), wanted.path());
        app.way_back(&own)
    };
    login_leading_to(target.or_else(own).as_ref(), again)
}

/// Where a query of [`ENTER`] leads, if it leads anywhere.
fn next_of(app: &AppState, query: &str) -> Option<LocalPath> {
    let mut fields = form_urlencoded::parse(query.as_bytes());
    let (_, next) = fields.find(|(name, _)| name == "next")?;
    app.way_back(&next)
}

/// The login page, by its path below the base. It leads to `next` if there is one, and asks a user
/// who is signed in to sign in `again`.
pub fn login_leading_to(next: Option<&LocalPath>, again: bool) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if let Some(next) = next {
        query.append_pair("next", next.as_str());
    }
    if again {
        query.append_pair("again", "1");
    }
    match &*query.finish() {
        "" => "/login".to_owned(),
        query => format!("/login?{query}"),
    }
}

#[cfg(test)]
mod tests;
