//! `/`: in practice mode what there is to click; else the way to the login page.

use crate::http::{error::PageError, response, state::App};
use axum::{extract::State, http::Uri, response::Response};
use leptos::prelude::*;
use vestibule::{outcome::Destinations, path::LocalPath, secret::random};
use vestibule_app::{
    pages::{HomePage, PracticeLink, description, title},
    shell::Head,
};

const LINKS: [(&str, &str, &str); 9] = [
    ("valid", "A valid link", "Signs you in as Ada Lovelace."),
    (
        "invalid",
        "An invalid link",
        "No such token: leads to the login page.",
    ),
    (
        "expired",
        "An expired link",
        "Was valid once: leads to the login page.",
    ),
    (
        "used",
        "A used link",
        "Has been used before: leads to the login page.",
    ),
    (
        "slow",
        "A slow check",
        "The service takes five seconds; the page shows the steps.",
    ),
    (
        "flaky",
        "A flaky service",
        "The service fails twice, then says yes.",
    ),
    (
        "later",
        "A check that takes longer",
        "The service says how far it is, and calls back after 20 seconds; you can close the page meanwhile.",
    ),
    (
        "later-poll",
        "A longer check without a call",
        "The service asks for time twice, and says yes when it is asked again.",
    ),
    (
        "down",
        "A service that is down",
        "Never answers: after the deadline you can try again.",
    ),
];

/// `GET /`.
pub async fn home(State(app): State<App>) -> Response {
    let Some(user) = app.practice.filter(|_| app.has_practice_links) else {
        return response::see_other(&app.destinations().login);
    };
    let link = |(token, label, about)| {
        // A fresh token each time: the same one would lead to the confirmation that was begun with
        // it.
        let fresh = u32::from_be_bytes(random(app.sign_ins.entropy()));
        PracticeLink {
            href: format!("/confirm/{token}-{fresh:08x}"),
            label,
            about,
        }
    };
    let links = LINKS.map(link).to_vec();
    let email = user.email.to_owned();
    let password = user.password.to_owned();
    let mailbox = app.mailbox.is_some();
    let head = Head::titled(title::HOME).described(description::HOME);
    app.page(head, || {
        view! { <HomePage links=links email=email password=password mailbox=mailbox /> }
    })
}

/// `GET` of an address below a page to which that page sends a form, as by Enter in the address
/// bar: leads to the page.
pub async fn page_of_form(form: Uri) -> Result<Response, PageError> {
    let page = form
        .path()
        .trim_end_matches('/')
        .rsplit_once('/')
        .map(|(page, _)| page.parse::<LocalPath>());
    match page {
        Some(Ok(page)) => Ok(response::see(page.as_str())),
        Some(Err(_)) | None => Err(PageError::NotFound),
    }
}

/// The same of a form that is on many pages: leads to where a sign-in does, and from there to the
/// login page.
pub async fn first_page(State(destinations): State<Destinations>) -> Response {
    response::see_other(&destinations.confirmed)
}

/// Everything that is not there.
pub async fn not_found() -> PageError {
    PageError::NotFound
}

#[cfg(test)]
mod tests;
