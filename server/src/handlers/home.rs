//! `/`: in practice mode what there is to click; else the way to the login page.

use crate::http::{response, state::Shared};
use axum::{
    extract::State,
    http::{StatusCode, Uri},
    response::Response,
};
use leptos::prelude::*;
use vestibule::secret::random;
use vestibule_app::{
    pages::{HomePage, PracticeLink, title},
    shell::Head,
};

const LINKS: [(&str, &str, &str); 7] = [
    ("valid", "A good link", "Signs you in as Ada Lovelace."),
    (
        "invalid",
        "A wrong link",
        "No such token: leads to the login page.",
    ),
    (
        "expired",
        "An expired link",
        "Was good once: leads to the login page.",
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
        "down",
        "A service that is down",
        "Never answers: after the deadline you can try again.",
    ),
];

/// `GET /`.
pub async fn home(State(site): State<Shared>) -> Response {
    let Some(user) = site.practice else {
        return response::see_other(&site.vestibule.destinations().login);
    };
    let link = |(token, label, about)| {
        // A fresh token each time: the same one would lead to the confirmation that was begun with
        // it.
        let fresh = u32::from_be_bytes(random(site.vestibule.entropy()));
        PracticeLink {
            href: format!("/confirm/{token}-{fresh:08x}"),
            label,
            about,
        }
    };
    let links = LINKS.map(link).to_vec();
    let email = user.email.to_owned();
    let password = user.password.to_owned();
    let mailbox = site.mailbox.is_some();
    response::respond(&site, Head::titled(title::HOME), || {
        view! { <HomePage links=links email=email password=password mailbox=mailbox /> }
    })
}

/// `GET` of an address below a page to which that page sends a form, as by Enter in the address
/// bar: leads to the page.
pub async fn page_of_form(State(site): State<Shared>, form: Uri) -> Response {
    let page = form
        .path()
        .trim_end_matches('/')
        .rsplit_once('/')
        .map(|(page, _)| page.parse());
    match page {
        Some(Ok(page)) => response::see_other(&page),
        Some(Err(_)) | None => response::problem(&site, StatusCode::NOT_FOUND),
    }
}

/// The same of a form that is on many pages: leads to where a sign-in does, and from there to the
/// login page.
pub async fn first_page(State(site): State<Shared>) -> Response {
    response::see_other(&site.vestibule.destinations().confirmed)
}

/// Everything that is not there.
pub async fn not_found(State(site): State<Shared>) -> Response {
    response::problem(&site, StatusCode::NOT_FOUND)
}
