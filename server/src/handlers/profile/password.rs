//! `/profile/password`: to set a password, or another one. Behind
//! [`require_fresh`](crate::handlers::require_user::require_fresh), so a forgotten one is set after a link has
//! been sent.

use super::{ProfileChange, current};
use crate::{
    accounts::{passwords::Password, rate_limits::RateLimited},
    handlers::after_sign_in,
    http::{
        csrf::SameOriginForm,
        error::PageError,
        response,
        state::{App, AppState},
        visitor::Visitor,
    },
};
use axum::{Extension, extract::State, response::Response};
use leptos::prelude::*;
use serde::Deserialize;
use std::sync::Arc;
use vestibule::{
    audit::Event, entry::SignedIn, mail::AccountNotice, secret::SystemEntropy,
    user::PASSWORD_ISSUER,
};
use vestibule_app::{
    pages::{PasswordPage, title},
    shell::Head,
};

/// The fields of the form.
#[derive(Deserialize)]
pub struct PasswordForm {
    current: Option<Password>,
    password: Password,
}

/// `GET /profile/password`.
pub async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Extension(who): Extension<SignedIn>,
) -> Result<Response, PageError> {
    may_set(&who)?;
    form(&app, &visitor, &who, None).await
}

/// `POST /profile/password`: sets it, and signs all other browsers out (OWASP ASVS 5.0, 7.4.3).
pub async fn set(
    State(app): State<App>,
    visitor: Visitor,
    Extension(who): Extension<SignedIn>,
    SameOriginForm(wanted): SameOriginForm<PasswordForm>,
) -> Result<Response, PageError> {
    may_set(&who)?;
    if let Err(RateLimited(wait)) = app.rate_limits.change(who.user.id) {
        Event::TooOften {
            what: "password_set",
            user: Some(who.user.id),
        }
        .record();
        let minutes = response::seconds(wait).div_ceil(60);
        let problem = format!("Too many attempts. Try again in {minutes} min.");
        let page = form(&app, &visitor, &who, Some(problem)).await?;
        return Ok(response::too_often(page, wait));
    }
    if !current::proves(&app, &who, wanted.current).await? {
        return form(&app, &visitor, &who, Some(current::WRONG.to_owned())).await;
    }
    let identity = who.user.identity.clone();
    let hash = app
        .passwords
        .hash(Arc::new(SystemEntropy), wanted.password, identity)
        .await?;
    let hash = match hash {
        Ok(hash) => hash,
        Err(weak) => return form(&app, &visitor, &who, Some(weak.to_string())).await,
    };
    let Some(valid_from) = app.sign_ins.set_password(&who, &hash).await? else {
        return Ok(response::see_other(&app.destinations().login));
    };
    // It is set: report that whatever comes next.
    Event::PasswordSet {
        user: who.user.id,
        by_operator: false,
    }
    .record();
    after_sign_in::tell(&app, &visitor, &who.user, AccountNotice::Password).await;
    let on = super::changed(&app, ProfileChange::Password);
    // They know this password: the new session counts as signed in by it, so that the next change
    // asks for it.
    after_sign_in::after_change(&app, &visitor, &who, valid_from, None, on).await
}

/// Only users who sign in here have a password here.
fn may_set(who: &SignedIn) -> Result<(), PageError> {
    if who.user.identity.issuer == PASSWORD_ISSUER {
        Ok(())
    } else {
        Err(PageError::NotFound)
    }
}

async fn form(
    app: &AppState,
    visitor: &Visitor,
    who: &SignedIn,
    problem: Option<String>,
) -> Result<Response, PageError> {
    let current = current::is_asked(app, who).await?;
    let email = who.user.identity.subject.clone();
    let told = app.outbox.is_some();
    let failed = problem.is_some();
    let head = Head::titled(title::PASSWORD);
    Ok(app.form_page(visitor, head, failed, || {
        view! { <PasswordPage email=email current=current told=told problem=problem /> }
    }))
}
