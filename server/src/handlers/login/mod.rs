//! `/login`: sign in with a password, or ask for a link.

use crate::{
    accounts::{
        passwords::{self, Lane, Password},
        rate_limits::RateLimited,
    },
    handlers::after_sign_in,
    http::{
        csrf::SameOriginForm,
        error::PageError,
        form_proof, response,
        state::{App, AppState},
        visitor::Visitor,
    },
};
use axum::{
    extract::{Query, State, rejection::QueryRejection},
    response::Response,
};
use leptos::prelude::*;
use serde::Deserialize;
use std::sync::Arc;
use vestibule::{
    audit::{Event, Means},
    confirmation::Rejection,
    email_address::InvalidAddress,
    path::LocalPath,
    secret::SystemEntropy,
    store::StoreError,
    user::PASSWORD_ISSUER,
};
use vestibule_app::{
    pages::{LoginFormState, LoginPage, description, title},
    shell::Head,
};

/// The query of `/login`.
#[derive(Default, Deserialize)]
pub struct LoginQuery {
    reason: Option<String>,
    next: Option<String>,
    again: Option<String>,
}

/// The fields of the login form.
#[derive(Deserialize)]
pub struct LoginForm {
    email: String,
    password: Password,
    next: Option<String>,
    again: Option<String>,
}

/// What the login page says besides its form.
#[derive(Default)]
struct LoginContext {
    reason: Option<Rejection>,
    error: Option<String>,
    /// A signed-in user is asked to sign in again.
    again: bool,
    email: String,
    next: Option<LocalPath>,
}

/// `GET /login`. A user who is signed in, or would be by going on, is redirected.
pub async fn login_page(
    State(app): State<App>,
    visitor: Visitor,
    why: Result<Query<LoginQuery>, QueryRejection>,
) -> Result<Response, PageError> {
    let Query(LoginQuery {
        reason,
        next,
        again,
    }) = why.unwrap_or_default();
    let next = way_back_of(&app, next.as_deref());
    let session = visitor.session();
    if again.is_some()
        && let Some(who) = app.sign_ins.recognise(session.as_ref()).await?
    {
        let state = LoginContext {
            again: true,
            email: who.user.identity.email.unwrap_or_default(),
            next,
            ..LoginContext::default()
        };
        return Ok(login_form(&app, &visitor, state));
    }
    let known = if visitor.is_navigating() {
        app.sign_ins.would_enter(&visitor.cookies.shown()).await?
    } else {
        app.sign_ins.who(session.as_ref()).await?.is_some()
    };
    if !known {
        let state = LoginContext {
            reason: reason.as_deref().and_then(Rejection::from_name),
            next,
            ..LoginContext::default()
        };
        return Ok(login_form(&app, &visitor, state));
    }
    // A redirected browser may still have to get its session.
    let next = next.map(|next| app.destinations().through(next));
    Ok(response::see_other(
        next.as_ref().unwrap_or(&app.destinations().confirmed),
    ))
}

/// `POST /login`.
pub async fn login(
    State(app): State<App>,
    visitor: Visitor,
    SameOriginForm(form): SameOriginForm<LoginForm>,
) -> Result<Response, PageError> {
    let refused = |error: String| {
        let state = LoginContext {
            error: Some(error),
            again: form.again.is_some(),
            email: form.email.clone(),
            next: way_back_of(&app, form.next.as_deref()),
            reason: None,
        };
        login_form(&app, &visitor, state)
    };
    let known = is_known(&app, &visitor, &form.email).await?;
    if let Err(RateLimited(wait)) = app.rate_limits.password(visitor.client, &form.email, known) {
        Event::TooOften {
            what: "password",
            user: None,
        }
        .record();
        let seconds = response::seconds(wait);
        let page = refused(format!(
            "Too many attempts. Try again in {seconds} seconds."
        ));
        return Ok(response::too_often(page, wait));
    }
    let since = app.sign_ins.now();
    let line = if known { Lane::Known } else { Lane::Strangers };
    let user = app
        .passwords
        .check(
            &*app.sign_ins.stores().users,
            Arc::new(SystemEntropy),
            &form.email,
            form.password,
            line,
        )
        .await?;
    // A password that is changed while it is checked signs no one in.
    let signed_in = match user {
        Some(user) => {
            let secret = app
                .sign_ins
                .sign_in(user.id, user.valid_from, since, &visitor.shown())
                .await?;
            secret.map(|secret| (user, secret))
        }
        None => None,
    };
    let Some((user, secret)) = signed_in else {
        Event::SignInRefused {
            user: None,
            means: Means::Password,
            why: "wrong",
        }
        .record();
        return Ok(refused(
            "The e-mail address or the password is wrong.".to_owned(),
        ));
    };
    Event::SignedIn {
        user: user.id,
        means: Means::Password,
    }
    .record();
    let next = way_back_of(&app, form.next.as_deref());
    let on = response::see_other(next.as_ref().unwrap_or(&app.destinations().confirmed));
    let known = after_sign_in::arrived(&app, &visitor, &user, since).await;
    let session = app.cookies.session(&secret);
    Ok(response::with_cookies(
        on,
        [session].into_iter().chain(known),
    ))
}

/// Where the user wanted to go, if it is a page to go to.
fn way_back_of(app: &AppState, next: Option<&str>) -> Option<LocalPath> {
    next.and_then(|next| app.way_back(next))
}

/// Whether this browser has signed in before as the user with this `email`.
pub async fn is_known(app: &AppState, visitor: &Visitor, email: &str) -> Result<bool, StoreError> {
    let user = app
        .sign_ins
        .stores()
        .users
        .user_by_identity(PASSWORD_ISSUER, &passwords::subject(email))
        .await?;
    Ok(user.is_some_and(|user| visitor.is_known_to(&user)))
}

/// The login page, after a link was requested for an invalid address.
pub fn wrong_address(
    app: &AppState,
    visitor: &Visitor,
    email: String,
    next: Option<&str>,
    error: InvalidAddress,
) -> Response {
    let state = LoginContext {
        error: Some(error.to_string()),
        email,
        next: way_back_of(app, next),
        ..LoginContext::default()
    };
    login_form(app, visitor, state)
}

fn login_form(app: &AppState, visitor: &Visitor, state: LoginContext) -> Response {
    let LoginContext {
        reason,
        error,
        again,
        email,
        next,
    } = state;
    let came_back = next.is_some() && visitor.may_be_from_us() && visitor.cookies.is_empty();
    let reason = match reason {
        Some(Rejection::Invalid) => Some("That link is not valid."),
        Some(Rejection::Expired) => Some("That link has expired."),
        Some(Rejection::Used) => Some("That link has already been used."),
        Some(Rejection::Cancelled) => {
            Some("You cancelled the sign-in. To try again, open the link again.")
        }
        // A page of ours has set a cookie and led the browser here.
        None if came_back => Some(
            "If you have just signed in: your browser does not accept cookies for this site. Allow them.",
        ),
        None => None,
    };
    let next = next.map(|next| next.to_string());
    let mails = app.outbox.is_some();
    let forgotten = mails && app.account_pages;
    let practice = app
        .practice
        .map(|user| (user.email.to_owned(), user.password.to_owned()));
    let head = Head::titled(if again {
        title::LOGIN_AGAIN
    } else {
        title::LOGIN
    })
    .described(description::LOGIN);
    let failed = error.is_some();
    let form = LoginFormState {
        reason,
        error,
        again,
        email,
        next,
        practice,
        mails,
        forgotten,
    };
    let proof = form_proof::bound_proof(app.sign_ins.entropy(), visitor);
    app.form_page_with(proof, head, failed, || view! { <LoginPage form=form /> })
}

#[cfg(test)]
mod tests;
