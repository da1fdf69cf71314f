//! `/login`, `/logout`, `/profile`, `/continue`: who somebody is.

use crate::{
    entering::is_navigation,
    guard::{self, OwnForm},
    moment::utc,
    page,
    passwords::PasswordError,
    site::Shared,
};
use axum::{
    Extension,
    extract::{Query, State},
    http::{HeaderMap, Method, StatusCode},
    response::Response,
};
use leptos::prelude::*;
use serde::Deserialize;
use vestibule::{
    confirmation::Rejection,
    device::Device,
    entry::{Entry, OwnSession, SignedIn},
    link::InvalidAddress,
    path::LocalPath,
};
use vestibule_app::{
    pages::{LoginPage, ProfilePage, SessionRow, title},
    shell::Head,
};

/// The query of `/login`.
#[derive(Default, Deserialize)]
pub struct Why {
    reason: Option<String>,
    next: Option<String>,
}

/// The fields of the login form.
#[derive(Deserialize)]
pub struct Credentials {
    email: String,
    password: String,
    next: Option<String>,
}

/// The fields of the sign-out form.
#[derive(Deserialize)]
pub struct SignOut {
    everywhere: Option<String>,
}

/// The field of a form whose buttons are choices.
#[derive(Deserialize)]
pub struct Choice {
    /// The button's.
    pub choice: String,
}

/// What the login page says besides its form.
#[derive(Default)]
struct Said {
    reason: Option<Rejection>,
    error: Option<String>,
    email: String,
    next: Option<LocalPath>,
}

/// Where somebody wanted to go before they were asked who they are: a path on this origin, and none of ours that is no
/// page to come back to.
fn way_back(next: &str) -> Option<LocalPath> {
    const NO_PAGES: [&str; 8] = ["api", "app", "confirm", "continue", "login", "logout", "pkg", "pusher"];
    let first = next.strip_prefix('/')?.split(['/', '?', '#']).next()?;
    if NO_PAGES.contains(&first) { None } else { next.parse().ok() }
}

/// `GET /login`. Who is signed in, or would be by going there, is sent on.
pub async fn login_page(
    State(site): State<Shared>,
    method: Method,
    headers: HeaderMap,
    why: Result<Query<Why>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let Query(Why { reason, next }) = why.unwrap_or_default();
    let next = next.as_deref().and_then(way_back);
    let cookies = site.cookies_of(&headers);
    let known = if is_navigation(&method, &headers) {
        site.vestibule.would_enter(&cookies.shown()).await
    } else {
        site.vestibule.who(cookies.session().as_ref()).await.map(|who| who.is_some())
    };
    match known {
        Ok(true) => page::see_other(next.as_ref().unwrap_or(&site.vestibule.destinations().confirmed)),
        Ok(false) => {
            let reason = reason.as_deref().and_then(Rejection::from_name);
            login_form(&site, &headers, Said { reason, next, ..Said::default() })
        }
        Err(error) => page::store_problem(&site, &error),
    }
}

/// `POST /login`.
pub async fn login(State(site): State<Shared>, headers: HeaderMap, OwnForm(form): OwnForm<Credentials>) -> Response {
    let next = form.next.as_deref().and_then(way_back);
    let shown = site.shown(&headers);
    let signed_in = match site.passwords.check(site.vestibule.store(), &form.email, form.password).await {
        Ok(Some(user)) => site.vestibule.sign_in(user, &shown).await,
        Ok(None) => {
            let error = Some("The e-mail address or the password is wrong.".to_owned());
            return login_form(&site, &headers, Said { error, email: form.email, next, reason: None });
        }
        Err(PasswordError::Busy) => return page::problem(&site, StatusCode::SERVICE_UNAVAILABLE),
        Err(PasswordError::Store(error)) => Err(error),
    };
    match signed_in {
        Ok(secret) => {
            let on = page::see_other(next.as_ref().unwrap_or(&site.vestibule.destinations().confirmed));
            page::with_cookies(on, [site.cookies.session(&secret)])
        }
        Err(error) => page::store_problem(&site, &error),
    }
}

/// The login page, to somebody who has asked for a link to what is no address.
pub fn wrong_address(site: &Shared, headers: &HeaderMap, email: String, error: InvalidAddress) -> Response {
    login_form(site, headers, Said { error: Some(error.to_string()), email, ..Said::default() })
}

fn login_form(site: &Shared, headers: &HeaderMap, said: Said) -> Response {
    let reason = said.reason.map(|reason| match reason {
        Rejection::Invalid => "That link is not valid.",
        Rejection::Expired => "That link has expired.",
        Rejection::Used => "That link has already been used.",
        Rejection::Cancelled => "You cancelled the sign-in.",
    });
    let proof = guard::proof(site, headers);
    let (error, email, mails) = (said.error, said.email, site.mails);
    let next = said.next.map(|next| next.to_string());
    let practice = site.practice.map(|user| (user.email.to_owned(), user.password.to_owned()));
    let text = proof.text;
    let failed = error.is_some();
    let mut response = page::respond(site, Head::titled(title::LOGIN), || {
        view! { <LoginPage reason=reason error=error email=email next=next proof=text practice=practice mails=mails /> }
    });
    if failed {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    page::with_cookies(response, proof.set)
}

/// `POST /logout`: ends the session, or with `everywhere` all of the user's, and what is pending in this browser.
pub async fn logout(State(site): State<Shared>, headers: HeaderMap, OwnForm(form): OwnForm<SignOut>) -> Response {
    let cookies = site.cookies_of(&headers);
    match site.links.sign_out(&cookies.shown(), form.everywhere.is_some()).await {
        Ok(()) => {
            let login = page::see_other(&site.vestibule.destinations().login);
            page::with_cookies(login, site.cookies.remove_all(&cookies))
        }
        Err(error) => page::store_problem(&site, &error),
    }
}

/// `GET /profile`, behind [`require_user`](crate::entering::require_user).
pub async fn profile(State(site): State<Shared>, headers: HeaderMap, Extension(who): Extension<SignedIn>) -> Response {
    let sessions = match site.vestibule.own_sessions(&who).await {
        Ok(sessions) => sessions.into_iter().map(row).collect(),
        Err(error) => return page::store_problem(&site, &error),
    };
    let proof = guard::proof(&site, &headers);
    let identity = who.user.identity;
    let text = proof.text;
    let response = page::respond(&site, Head::titled(title::PROFILE), || {
        view! {
            <ProfilePage
                name=identity.name
                email=identity.email
                issuer=identity.issuer
                subject=identity.subject
                sessions=sessions
                proof=text
            />
        }
    });
    page::with_cookies(response, proof.set)
}

fn row(session: OwnSession) -> SessionRow {
    SessionRow {
        device: session.device.map_or_else(|| "An unknown browser".to_owned(), Device::into_string),
        since: utc(session.since),
        seen: utc(session.seen),
        handle: session.handle.map(|handle| handle.to_string()),
    }
}

/// `POST /profile/sessions/end`: ends another session of the user, or with `others` all of them. One that has ended
/// meanwhile is no longer on the profile, which says enough.
pub async fn end_sessions(State(site): State<Shared>, headers: HeaderMap, OwnForm(form): OwnForm<Choice>) -> Response {
    let handle = form.choice.parse().ok();
    if handle.is_none() && form.choice != "others" {
        return page::problem(&site, StatusCode::FORBIDDEN);
    }
    let who = match site.vestibule.who(site.cookies_of(&headers).session().as_ref()).await {
        Ok(Some(who)) => who,
        Ok(None) => return page::see_other(&site.vestibule.destinations().login),
        Err(error) => return page::store_problem(&site, &error),
    };
    let ended = match handle {
        Some(handle) => site.vestibule.end_session(&who, handle).await.map(drop),
        None => site.vestibule.end_others(&who).await,
    };
    match ended {
        Ok(()) => page::see_other(&"/profile".parse().expect("it is a path of ours")),
        Err(error) => page::store_problem(&site, &error),
    }
}

/// `POST /continue`: the answer to "continue as B?".
pub async fn choose(State(site): State<Shared>, headers: HeaderMap, OwnForm(form): OwnForm<Choice>) -> Response {
    let choice = form.choice.parse().ok();
    if choice.is_none() && form.choice != "stay" {
        return page::problem(&site, StatusCode::FORBIDDEN);
    }
    let on = page::see_other(&site.vestibule.destinations().confirmed);
    match site.vestibule.choose(&site.shown(&headers), choice).await {
        Ok(Entry::SignedIn { renewed, spent, .. }) => {
            let session = renewed.map(|secret| site.cookies.session(&secret));
            let spent: Vec<_> = spent.into_iter().map(|tag| site.cookies.remove_pending(tag)).collect();
            page::with_cookies(on, session.into_iter().chain(spent))
        }
        Ok(Entry::Stranger | Entry::Ask { .. }) => on,
        Err(error) => page::store_problem(&site, &error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_back_leads_to_a_page_of_this_origin() {
        for good in ["/profile", "/orders?id=7", "/"] {
            assert_eq!(way_back(good).as_ref().map(LocalPath::as_str), Some(good));
        }
        for bad in
            ["", "//evil.example", "/\\evil.example", "https://evil.example/", "/logout", "/login?next=/", "/api/begin"]
        {
            assert_eq!(way_back(bad), None, "{bad}");
        }
    }
}
