//! `/login`, `/logout`, `/continue`: sign in, sign out, switch user.

use crate::{
    accounts::{
        passwords::{self, Line, Password, PasswordError},
        rate_limit::TooOften,
    },
    handlers::after_sign_in,
    http::{
        client_address::ClientOf,
        csrf::OwnForm,
        form::Choice,
        form_proof::{self, Proof},
        navigation::is_navigation,
        response,
        return_path::{self, way_back},
        state::Shared,
    },
};
use axum::{
    extract::{Query, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode},
    response::Response,
};
use leptos::prelude::*;
use serde::Deserialize;
use std::sync::Arc;
use vestibule::{
    audit::{Event, Means},
    confirmation::Rejection,
    email_address::InvalidAddress,
    entry::Entry,
    path::LocalPath,
    secret::SystemEntropy,
    store::StoreError,
    user::PASSWORD_ISSUER,
};
use vestibule_app::{
    pages::{LoginPage, title},
    shell::Head,
};

/// The query of `/login`.
#[derive(Default, Deserialize)]
pub struct Why {
    reason: Option<String>,
    next: Option<String>,
    again: Option<String>,
}

/// The fields of the login form.
#[derive(Deserialize)]
pub struct Credentials {
    email: String,
    password: Password,
    next: Option<String>,
    again: Option<String>,
}

/// The fields of the sign-out form.
#[derive(Deserialize)]
pub struct SignOut {
    everywhere: Option<String>,
}

/// What the login page says besides its form.
#[derive(Default)]
struct Said {
    reason: Option<Rejection>,
    error: Option<String>,
    /// A signed-in user is asked to sign in again.
    again: bool,
    email: String,
    next: Option<LocalPath>,
}

/// `GET /login`. A user who is signed in, or would be by going on, is redirected.
pub async fn login_page(
    State(site): State<Shared>,
    method: Method,
    headers: HeaderMap,
    why: Result<Query<Why>, axum::extract::rejection::QueryRejection>,
) -> Response {
    let Query(Why {
        reason,
        next,
        again,
    }) = why.unwrap_or_default();
    let next = next.as_deref().and_then(way_back);
    let cookies = site.cookies_of(&headers);
    if again.is_some() {
        match site.vestibule.recognise(cookies.session().as_ref()).await {
            Ok(Some(who)) => {
                let email = who.user.identity.email.unwrap_or_default();
                return login_form(
                    &site,
                    &headers,
                    Said {
                        again: true,
                        email,
                        next,
                        ..Said::default()
                    },
                );
            }
            Ok(None) => {}
            Err(error) => return response::store_problem(&site, &error),
        }
    }
    let known = if is_navigation(&method, &headers) {
        site.vestibule.would_enter(&cookies.shown()).await
    } else {
        site.vestibule
            .who(cookies.session().as_ref())
            .await
            .map(|who| who.is_some())
    };
    match known {
        // A redirected browser may still have to get its session.
        Ok(true) => match next.map(return_path::through) {
            Some(next) => response::see_other(&next),
            None => response::see_other(&site.vestibule.destinations().confirmed),
        },
        Ok(false) => {
            let reason = reason.as_deref().and_then(Rejection::from_name);
            login_form(
                &site,
                &headers,
                Said {
                    reason,
                    next,
                    ..Said::default()
                },
            )
        }
        Err(error) => response::store_problem(&site, &error),
    }
}

/// `POST /login`.
pub async fn login(
    State(site): State<Shared>,
    ClientOf(client): ClientOf,
    headers: HeaderMap,
    OwnForm(form): OwnForm<Credentials>,
) -> Response {
    let next = form.next.as_deref().and_then(way_back);
    let again = form.again.is_some();
    let shown = site.shown(&headers);
    let known = match is_known(&site, &headers, &form.email).await {
        Ok(known) => known,
        Err(error) => return response::store_problem(&site, &error),
    };
    if let Err(TooOften(wait)) = site.throttle.password(client, &form.email, known) {
        Event::TooOften {
            what: "password",
            user: None,
        }
        .record();
        let error = Some(format!(
            "Too many tries. Try again in {} seconds.",
            response::seconds(wait)
        ));
        let form = login_form(
            &site,
            &headers,
            Said {
                error,
                again,
                email: form.email,
                next,
                reason: None,
            },
        );
        return response::too_often(form, wait);
    }
    let since = site.vestibule.now();
    let line = if known { Line::Known } else { Line::Strangers };
    let store = site.vestibule.store();
    let checked = site.passwords.check(
        store,
        Arc::new(SystemEntropy),
        &form.email,
        form.password,
        line,
    );
    let refused = || {
        Event::SignInRefused {
            user: None,
            means: Means::Password,
            why: "wrong",
        }
        .record();
        let error = Some("The e-mail address or the password is wrong.".to_owned());
        let said = Said {
            error,
            again,
            email: form.email.clone(),
            next: next.clone(),
            reason: None,
        };
        login_form(&site, &headers, said)
    };
    let user = match checked.await {
        Ok(Some(user)) => user,
        Ok(None) => return refused(),
        Err(error) => return password_problem(&site, &error),
    };
    // A password that is changed while it is checked signs no one in.
    match site
        .vestibule
        .sign_in(user.id, user.valid_from, since, &shown)
        .await
    {
        Ok(Some(secret)) => {
            Event::SignedIn {
                user: user.id,
                means: Means::Password,
            }
            .record();
            let on = response::see_other(
                next.as_ref()
                    .unwrap_or(&site.vestibule.destinations().confirmed),
            );
            let known = after_sign_in::arrived(&site, &headers, &user, since).await;
            response::with_cookies(on, [site.cookies.session(&secret)].into_iter().chain(known))
        }
        Ok(None) => refused(),
        Err(error) => response::store_problem(&site, &error),
    }
}

/// Whether this browser has signed in before as the user with this `email`.
pub async fn is_known(site: &Shared, headers: &HeaderMap, email: &str) -> Result<bool, StoreError> {
    let known = site.cookies_of(headers).known();
    let user = site
        .vestibule
        .store()
        .user_by_identity(PASSWORD_ISSUER, &passwords::subject(email))
        .await?;
    Ok(user.is_some_and(|user| known.contains(site.vestibule.keys(), &user)))
}

/// The page of a password that was neither checked nor set.
pub fn password_problem(site: &Shared, error: &PasswordError) -> Response {
    match error {
        PasswordError::Busy => response::problem(site, StatusCode::SERVICE_UNAVAILABLE),
        PasswordError::Store(error) => response::store_problem(site, error),
    }
}

/// The login page, after a link was requested for an invalid address.
pub fn wrong_address(
    site: &Shared,
    headers: &HeaderMap,
    email: String,
    next: Option<&str>,
    error: InvalidAddress,
) -> Response {
    let next = next.and_then(way_back);
    login_form(
        site,
        headers,
        Said {
            error: Some(error.to_string()),
            email,
            next,
            ..Said::default()
        },
    )
}

fn login_form(site: &Shared, headers: &HeaderMap, said: Said) -> Response {
    let no_cookies = said.next.is_some() && came_back_without_cookies(site, headers);
    let no_cookies = no_cookies.then_some(
        "If you have just signed in: your browser keeps no cookies for this site. Allow them.",
    );
    let reason = said.reason.map(|reason| match reason {
        Rejection::Invalid => "That link is not valid.",
        Rejection::Expired => "That link has expired.",
        Rejection::Used => "That link has already been used.",
        Rejection::Cancelled => "You cancelled the sign-in.",
    });
    let reason = reason.or(no_cookies);
    let Said {
        error,
        again,
        email,
        next,
        ..
    } = said;
    let next = next.map(|next| next.to_string());
    let mails = site.outbox.is_some();
    let practice = site
        .practice
        .map(|user| (user.email.to_owned(), user.password.to_owned()));
    let head = Head::titled(if again {
        title::LOGIN_AGAIN
    } else {
        title::LOGIN
    });
    let failed = error.is_some();
    let Proof { text: proof, set } = form_proof::bound_proof(site, headers);
    let page = response::respond(site, head, || {
        view! {
            <LoginPage
                reason=reason
                error=error
                again=again
                email=email
                next=next
                proof=proof
                practice=practice
                mails=mails
            />
        }
    });
    let status = if failed {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    response::with_cookies(response::with_status(page, status), set)
}

/// Whether the browser was led here by a page of ours, which has set a cookie, and shows none.
fn came_back_without_cookies(site: &Shared, headers: &HeaderMap) -> bool {
    let from_us = headers
        .get("sec-fetch-site")
        .is_none_or(|from| from == "same-origin");
    from_us && site.cookies_of(headers).is_empty()
}

/// `POST /logout`: ends the session, or with `everywhere` all of the user's, and what is pending in
/// this browser.
pub async fn logout(
    State(site): State<Shared>,
    headers: HeaderMap,
    OwnForm(form): OwnForm<SignOut>,
) -> Response {
    match sign_out(&site, &headers, form.everywhere.is_some()).await {
        Ok(cookies) => {
            let mut login = response::see_other(&site.vestibule.destinations().login);
            // Not the cookies: those that end are removed one by one, and the one by which the
            // browser is known stays.
            let data = HeaderValue::from_static("\"cache\", \"storage\"");
            login
                .headers_mut()
                .insert(HeaderName::from_static("clear-site-data"), data);
            response::with_cookies(login, cookies)
        }
        Err(error) => response::store_problem(&site, &error),
    }
}

async fn sign_out(
    site: &Shared,
    headers: &HeaderMap,
    everywhere: bool,
) -> Result<Vec<HeaderValue>, StoreError> {
    let cookies = site.cookies_of(headers);
    let who = site.vestibule.recognise(cookies.session().as_ref()).await?;
    site.links.sign_out(&cookies.shown(), everywhere).await?;
    if let Some(who) = &who {
        Event::SignedOut {
            user: who.user.id,
            everywhere,
        }
        .record();
    }
    let mut answer = site.cookies.remove_all(&cookies);
    if let Some(who) = who.filter(|_| everywhere) {
        answer.extend(after_sign_in::still_known(site, headers, &who).await?);
    }
    Ok(answer)
}

/// `POST /continue`: the answer to "continue as B?".
pub async fn choose(
    State(site): State<Shared>,
    headers: HeaderMap,
    OwnForm(form): OwnForm<Choice>,
) -> Response {
    let choice = form.choice.parse().ok();
    if choice.is_none() && form.choice != "stay" {
        return response::problem(&site, StatusCode::FORBIDDEN);
    }
    let on = response::see_other(&site.vestibule.destinations().confirmed);
    let shown = site.shown(&headers);
    match site.vestibule.choose(&shown, choice).await {
        Ok(Entry::SignedIn {
            who,
            renewed,
            arrived,
            spent,
        }) => {
            let next = if renewed.is_some() {
                after_sign_in::next(&site, &shown, &spent).await
            } else {
                None
            };
            let on = next.as_ref().map_or(on, response::see_other);
            response::with_cookies(
                on,
                after_sign_in::cookies(&site, &headers, &who, renewed, arrived, spent).await,
            )
        }
        Ok(Entry::Stranger | Entry::Ask { .. }) => on,
        Err(error) => response::store_problem(&site, &error),
    }
}
