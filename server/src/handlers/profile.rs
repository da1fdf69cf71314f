//! `/profile`: who the user is, where they are signed in, and what they can change.

pub mod address;
mod current;
pub mod password;

use crate::{
    accounts::rate_limit::TooOften,
    handlers::after_sign_in,
    http::{
        csrf::OwnForm,
        form::Choice,
        response,
        state::{Shared, Site},
        time_format::utc,
    },
};
use axum::{
    Extension,
    extract::{Query, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use leptos::prelude::*;
use serde::Deserialize;
use vestibule::{
    audit::Event,
    device::Device,
    entry::{OwnSession, SignedIn},
    path::LocalPath,
    user::PASSWORD_ISSUER,
};
use vestibule_app::{
    pages::{ProfilePage, SessionRow, title},
    shell::Head,
};

/// The query of `/profile`.
#[derive(Default, Deserialize)]
pub struct Done {
    changed: Option<String>,
}

/// `GET /profile`, behind [`require_user`](crate::handlers::require_user::require_user).
pub async fn profile(
    State(site): State<Shared>,
    headers: HeaderMap,
    Extension(who): Extension<SignedIn>,
    done: Result<Query<Done>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let asked = done.map(|Query(done)| done.changed).unwrap_or_default();
    let told = site
        .cookies_of(&headers)
        .changed()
        .and_then(Change::from_name);
    let changed = told
        .filter(|told| asked.as_deref() == Some(told.name()))
        .map(Change::sentence);
    let own = who.user.identity.issuer == PASSWORD_ISSUER;
    let sessions = match site.vestibule.own_sessions(&who).await {
        Ok(sessions) => sessions.into_iter().map(row).collect(),
        Err(error) => return response::store_problem(&site, &error),
    };
    let moves = own && site.outbox.is_some();
    let identity = who.user.identity;
    response::form(
        &site,
        &headers,
        Head::titled(title::PROFILE),
        false,
        |proof| {
            view! {
                <ProfilePage
                    name=identity.name
                    email=identity.email
                    issuer=identity.issuer
                    subject=identity.subject
                    changed=changed
                    password=own
                    address=moves
                    sessions=sessions
                    proof=proof
                />
            }
        },
    )
}

fn row(session: OwnSession) -> SessionRow {
    SessionRow {
        device: session
            .device
            .map_or_else(|| "An unknown browser".to_owned(), Device::into_string),
        since: utc(session.since),
        seen: utc(session.seen),
        handle: session.handle.map(|handle| handle.to_string()),
    }
}

/// `POST /profile/sessions/end`: ends another session of the user, or with `others` all of them.
/// One that has ended meanwhile is no longer on the profile, which says enough.
pub async fn end_sessions(
    State(site): State<Shared>,
    headers: HeaderMap,
    OwnForm(form): OwnForm<Choice>,
) -> Response {
    let handle = form.choice.parse().ok();
    if handle.is_none() && form.choice != "others" {
        return response::problem(&site, StatusCode::FORBIDDEN);
    }
    let who = match site
        .vestibule
        .who(site.cookies_of(&headers).session().as_ref())
        .await
    {
        Ok(Some(who)) => who,
        Ok(None) => return response::see_other(&site.vestibule.destinations().login),
        Err(error) => return response::store_problem(&site, &error),
    };
    if let Err(TooOften(wait)) = site.throttle.ending(who.session) {
        Event::TooOften {
            what: "sessions_ended",
            user: Some(who.user.id),
        }
        .record();
        return response::too_often(
            response::problem(&site, StatusCode::TOO_MANY_REQUESTS),
            wait,
        );
    }
    let ended = match handle {
        Some(handle) => site.vestibule.end_session(&who, handle).await.map(drop),
        None => site.links.end_others(&who).await,
    };
    match ended {
        Ok(()) => {
            Event::SessionsEnded { user: who.user.id }.record();
            let on = response::see_other(&"/profile".parse().expect("it is a path of ours"));
            match after_sign_in::still_known(&site, &headers, &who).await {
                Ok(known) => response::with_cookies(on, known),
                Err(error) => response::store_problem(&site, &error),
            }
        }
        Err(error) => response::store_problem(&site, &error),
    }
}

/// What the user has just changed, which their profile shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Password,
    Address,
}

impl Change {
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
fn changed(site: &Site, change: Change) -> Response {
    let profile: LocalPath = format!("/profile?changed={}", change.name())
        .parse()
        .expect("it is a path of ours");
    response::with_cookies(
        response::see_other(&profile),
        [site.cookies.changed(change.name())],
    )
}
