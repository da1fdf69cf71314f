//! `/profile`: who the user is, where they are signed in, and what they can change.

pub mod address;
mod current;
pub mod password;

use crate::{
    accounts::time_format::utc,
    handlers::after_sign_in,
    http::{
        csrf::SameOriginForm,
        error::PageError,
        form::Choice,
        response,
        state::{App, AppState},
        visitor::Visitor,
    },
};
use axum::{
    Extension,
    extract::{Query, State, rejection::QueryRejection},
    response::Response,
};
use leptos::prelude::*;
use serde::Deserialize;
use vestibule::{
    audit::Event,
    device::Device,
    entry::{OwnSession, SignedIn},
    user::PASSWORD_ISSUER,
};
use vestibule_app::{
    pages::{ProfileDetails, ProfilePage, SessionRow, title},
    shell::Head,
};

/// The query of `/profile`.
#[derive(Default, Deserialize)]
pub struct ProfileQuery {
    changed: Option<String>,
}

/// `GET /profile`, behind [`require_user`](crate::handlers::require_user::require_user).
pub async fn profile(
    State(app): State<App>,
    visitor: Visitor,
    Extension(who): Extension<SignedIn>,
    done: Result<Query<ProfileQuery>, QueryRejection>,
) -> Result<Response, PageError> {
    let asked = done.map(|Query(done)| done.changed).unwrap_or_default();
    let told = visitor.cookies.changed().and_then(ProfileChange::from_name);
    let changed = told
        .filter(|told| asked.as_deref() == Some(told.name()))
        .map(ProfileChange::sentence);
    let own = who.user.identity.issuer == PASSWORD_ISSUER;
    let sessions = app.sign_ins.own_sessions(&who).await?;
    let sessions = sessions.into_iter().map(row).collect();
    let may_change = own && app.account_pages;
    let moves = may_change && app.outbox.is_some();
    let identity = who.user.identity;
    let profile = ProfileDetails {
        name: identity.name,
        email: identity.email,
        issuer: identity.issuer,
        subject: identity.subject,
        changed,
        password: may_change,
        address: moves,
        sessions,
    };
    let head = Head::titled(title::PROFILE);
    let page = app.form_page(
        &visitor,
        head,
        false,
        || view! { <ProfilePage profile=profile /> },
    );
    Ok(page)
}

fn row(session: OwnSession) -> SessionRow {
    SessionRow {
        device: session
            .device
            .map_or_else(|| "An unknown browser".to_owned(), Device::into_string),
        since: utc(session.created_at),
        seen: utc(session.last_seen_at),
        handle: session.handle.map(|handle| handle.to_string()),
    }
}

/// `POST /profile/sessions/end`: ends another session of the user, or with `others` all of them.
/// One that has ended meanwhile is no longer on the profile, which says enough.
pub async fn end_sessions(
    State(app): State<App>,
    visitor: Visitor,
    SameOriginForm(form): SameOriginForm<Choice>,
) -> Result<Response, PageError> {
    let handle = form.choice.parse().ok();
    if handle.is_none() && form.choice != "others" {
        return Err(PageError::Forbidden);
    }
    let session = visitor.session();
    let Some(who) = app.sign_ins.who(session.as_ref()).await? else {
        return Ok(response::see_other(&app.destinations().login));
    };
    app.rate_limits.ending(who.session).inspect_err(|_| {
        Event::TooOften {
            what: "sessions_ended",
            user: Some(who.user.id),
        }
        .record();
    })?;
    match handle {
        Some(handle) => app.sign_ins.end_session(&who, handle).await.map(drop)?,
        None => app.links.end_others(&who).await?,
    }
    Event::SessionsEnded { user: who.user.id }.record();
    let on = response::see("/profile");
    let known = after_sign_in::still_known(&app, &visitor, &who).await?;
    Ok(response::with_cookies(on, known))
}

/// What the user has just changed, which their profile shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ProfileChange {
    Password,
    Address,
}

impl ProfileChange {
    const fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Address => "address",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Password, Self::Address]
            .into_iter()
            .find(|change| change.name() == name)
    }

    const fn sentence(self) -> &'static str {
        match self {
            Self::Password => "Your password is set. All other browsers are signed out.",
            Self::Address => "Your address is changed. All other browsers are signed out.",
        }
    }
}

/// Leads to the profile, which says what was changed. A link could say that too, so it counts only
/// beside the cookie.
fn changed(app: &AppState, change: ProfileChange) -> Response {
    let profile = response::see(&format!("/profile?changed={}", change.name()));
    response::with_cookies(profile, [app.cookies.changed(change.name())])
}

#[cfg(test)]
mod tests;
