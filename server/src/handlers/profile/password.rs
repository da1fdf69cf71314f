//! `/profile/password`: to set a password, or another one. Behind
//! [`require_fresh`](crate::handlers::require_user::require_fresh), so a forgotten one is set after a link has
//! been sent.

use super::{Change, current};
use crate::{
    accounts::{passwords::Password, rate_limit::TooOften},
    handlers::{after_sign_in, login::password_problem},
    http::{csrf::OwnForm, response, state::Shared},
};
use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use leptos::prelude::*;
use serde::Deserialize;
use std::sync::Arc;
use vestibule::{
    audit::Event, entry::SignedIn, mail::News, secret::SystemEntropy, user::PASSWORD_ISSUER,
};
use vestibule_app::{
    pages::{PasswordPage, title},
    shell::Head,
};

/// The fields of the form.
#[derive(Deserialize)]
pub struct Wanted {
    current: Option<Password>,
    password: Password,
}

/// `GET /profile/password`.
pub async fn show(
    State(site): State<Shared>,
    headers: HeaderMap,
    Extension(who): Extension<SignedIn>,
) -> Response {
    if who.user.identity.issuer != PASSWORD_ISSUER {
        return response::problem(&site, StatusCode::NOT_FOUND);
    }
    form(&site, &headers, &who, None).await
}

/// `POST /profile/password`: sets it, and signs all other browsers out (OWASP ASVS 5.0, 7.4.3).
pub async fn set(
    State(site): State<Shared>,
    headers: HeaderMap,
    Extension(who): Extension<SignedIn>,
    OwnForm(wanted): OwnForm<Wanted>,
) -> Response {
    if who.user.identity.issuer != PASSWORD_ISSUER {
        return response::problem(&site, StatusCode::NOT_FOUND);
    }
    if let Err(TooOften(wait)) = site.throttle.change(who.user.id) {
        Event::TooOften {
            what: "password_set",
            user: Some(who.user.id),
        }
        .record();
        let problem = format!(
            "Too many tries. Try again in {} min.",
            response::seconds(wait).div_ceil(60)
        );
        return response::too_often(form(&site, &headers, &who, Some(problem)).await, wait);
    }
    match current::proves(&site, &who, wanted.current).await {
        Ok(true) => {}
        Ok(false) => return form(&site, &headers, &who, Some(current::WRONG.to_owned())).await,
        Err(error) => return password_problem(&site, &error),
    }
    let identity = who.user.identity.clone();
    let hash = match site
        .passwords
        .hash(Arc::new(SystemEntropy), wanted.password, identity)
        .await
    {
        Ok(Ok(hash)) => hash,
        Ok(Err(weak)) => return form(&site, &headers, &who, Some(weak.to_string())).await,
        Err(error) => return password_problem(&site, &error),
    };
    let valid_from = match site.vestibule.set_password(&who, &hash).await {
        Ok(Some(valid_from)) => valid_from,
        Ok(None) => return response::see_other(&site.vestibule.destinations().login),
        Err(error) => return response::store_problem(&site, &error),
    };
    // It is set: report that whatever comes next.
    Event::PasswordSet {
        user: who.user.id,
        by_operator: false,
    }
    .record();
    after_sign_in::tell(&site, &headers, &who.user, News::Password).await;
    after_sign_in::after_change(
        &site,
        &headers,
        &who,
        valid_from,
        super::changed(&site, Change::Password),
    )
    .await
}

async fn form(
    site: &Shared,
    headers: &HeaderMap,
    who: &SignedIn,
    problem: Option<String>,
) -> Response {
    let current = match current::is_asked(site, who).await {
        Ok(current) => current,
        Err(error) => return response::store_problem(site, &error),
    };
    let email = who.user.identity.subject.clone();
    let told = site.outbox.is_some();
    let failed = problem.is_some();
    response::form(
        site,
        headers,
        Head::titled(title::PASSWORD),
        failed,
        |proof| {
            view! { <PasswordPage email=email current=current told=told problem=problem proof=proof /> }
        },
    )
}
