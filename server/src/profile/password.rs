//! `/profile/password`: to set a password, or another one. Behind [`require_proof`](crate::entering::require_proof), so a
//! forgotten one is set after a link has been sent.

use crate::{
    account::password_problem,
    arrival,
    guard::{self, OwnForm},
    page, passwords,
    site::Shared,
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
use vestibule::{entry::SignedIn, mail::News, secret::SystemEntropy, user::PASSWORD_ISSUER};
use vestibule_app::{
    pages::{PasswordPage, title},
    shell::Head,
};

/// The field of the form.
#[derive(Deserialize)]
pub struct Wanted {
    password: String,
}

/// `GET /profile/password`.
pub async fn show(State(site): State<Shared>, headers: HeaderMap, Extension(who): Extension<SignedIn>) -> Response {
    if who.user.identity.issuer != PASSWORD_ISSUER {
        return page::problem(&site, StatusCode::NOT_FOUND);
    }
    form(&site, &headers, &who, None)
}

/// `POST /profile/password`: sets it, and signs all other browsers out (OWASP ASVS 5.0, 7.4.3).
pub async fn set(
    State(site): State<Shared>,
    headers: HeaderMap,
    Extension(who): Extension<SignedIn>,
    OwnForm(wanted): OwnForm<Wanted>,
) -> Response {
    if who.user.identity.issuer != PASSWORD_ISSUER {
        return page::problem(&site, StatusCode::NOT_FOUND);
    }
    if let Err(weak) = passwords::strong(&wanted.password, &who.user.identity) {
        return form(&site, &headers, &who, Some(weak.to_string()));
    }
    let store = site.vestibule.store();
    match site.passwords.set(store, Arc::new(SystemEntropy), who.user.id, wanted.password).await {
        Ok(true) => {}
        Ok(false) => return page::see_other(&site.vestibule.destinations().login),
        Err(error) => return password_problem(&site, &error),
    }
    if let Err(error) = site.links.end_others(&who).await {
        return page::store_problem(&site, &error);
    }
    arrival::tell(&site, &headers, &who.user, News::Password).await;
    page::see_other(&super::changed("password"))
}

fn form(site: &Shared, headers: &HeaderMap, who: &SignedIn, problem: Option<String>) -> Response {
    let (email, failed) = (who.user.identity.subject.clone(), problem.is_some());
    let proof = guard::proof(site, headers);
    let text = proof.text;
    let mut response = page::respond(site, Head::titled(title::PASSWORD), || {
        view! { <PasswordPage email=email problem=problem proof=text /> }
    });
    if failed {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    page::with_cookies(response, proof.set)
}
