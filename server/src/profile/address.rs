//! `/profile/address`: to be known by another address. A ticket goes there by mail; whoever brings it back, signed in as
//! before, has both.

use crate::{
    arrival,
    confirm::Nothing,
    device::device,
    guard::{self, OwnForm},
    page,
    site::{Shared, Site},
    throttle::TooOften,
};
use axum::{
    Extension,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};
use leptos::prelude::*;
use serde::Deserialize;
use vestibule::{
    entry::SignedIn,
    link::Address,
    mail::{AddressLetter, Letter, News, Outbox},
    secret::SystemEntropy,
    ticket::{self, AddressTicket},
    user::Moved,
};
use vestibule_app::{
    pages::{AddressPage, MovePage, SentPage, StalePage, title},
    shell::Head,
};

/// The field of the form.
#[derive(Deserialize)]
pub struct Wanted {
    email: String,
}

/// By which address a user is known, and where mail goes out; `None` where neither is of any use.
fn means<'s>(site: &'s Site, who: &SignedIn) -> Option<(Address, &'s Outbox)> {
    let identity = &who.user.identity;
    Some((Address::known_by(&identity.issuer, &identity.subject)?, site.outbox.as_ref()?))
}

/// `GET /profile/address`, behind [`require_proof`](crate::entering::require_proof).
pub async fn show(State(site): State<Shared>, headers: HeaderMap, Extension(who): Extension<SignedIn>) -> Response {
    match means(&site, &who) {
        Some((from, _)) => form(&site, &headers, &from, String::new(), None),
        None => page::problem(&site, StatusCode::NOT_FOUND),
    }
}

/// `POST /profile/address`: sends the ticket. The answer is the same whether or not somebody is known by that address.
pub async fn ask(
    State(site): State<Shared>,
    headers: HeaderMap,
    Extension(who): Extension<SignedIn>,
    OwnForm(wanted): OwnForm<Wanted>,
) -> Response {
    let Some((from, outbox)) = means(&site, &who) else { return page::problem(&site, StatusCode::NOT_FOUND) };
    let to: Address = match wanted.email.parse() {
        Ok(to) if to == from => {
            return form(&site, &headers, &from, wanted.email, Some("That is your address already.".to_owned()));
        }
        Ok(to) => to,
        Err(error) => return form(&site, &headers, &from, wanted.email, Some(error.to_string())),
    };
    if let Err(TooOften(wait)) = site.throttle.mail(who.user.id, &to) {
        let minutes = wait.as_secs().div_ceil(60);
        let problem = format!("You have tried that often. Wait {minutes} minutes, then try again.");
        return page::too_often(form(&site, &headers, &from, wanted.email, Some(problem)), wait);
    }
    let expires = site.vestibule.now() + ticket::LIFETIME;
    let ticket = AddressTicket { user: who.user.id, from, to: to.clone(), expires };
    let ticket = ticket.to_text(site.vestibule.keys(), &SystemEntropy);
    let letter = Letter::Address(AddressLetter { ticket, device: device(&headers) });
    match outbox.send(&to, &letter, ticket::LIFETIME).await {
        Ok(true) => {
            let (address, practice) = (to.as_str().to_owned(), site.mailbox.is_some());
            page::respond(&site, Head::titled(title::MAILED), || {
                view! { <SentPage address=address practice=practice /> }
            })
        }
        Ok(false) => page::problem(&site, StatusCode::SERVICE_UNAVAILABLE),
        Err(error) => page::store_problem(&site, &error),
    }
}

/// `GET /profile/address/{ticket}`, behind [`require_user`](crate::entering::require_user): writes nothing.
pub async fn land(
    State(site): State<Shared>,
    Path(text): Path<String>,
    headers: HeaderMap,
    Extension(who): Extension<SignedIn>,
) -> Response {
    let Some(ticket) = read(&site, &who, &text) else { return stale(&site) };
    let proof = guard::proof(&site, &headers);
    let (path, address, proof_text) = (format!("/profile/address/{text}"), ticket.to.as_str().to_owned(), proof.text);
    let response = page::respond(&site, Head::titled(title::ADDRESS), || {
        view! { <MovePage path=path address=address proof=proof_text /> }
    });
    page::with_cookies(response, proof.set)
}

/// `POST /profile/address/{ticket}`: the user is known by the new address, and signed out everywhere else.
pub async fn change(
    State(site): State<Shared>,
    Path(text): Path<String>,
    headers: HeaderMap,
    Extension(who): Extension<SignedIn>,
    OwnForm(_): OwnForm<Nothing>,
) -> Response {
    let Some(AddressTicket { user, from, to, .. }) = read(&site, &who, &text) else { return stale(&site) };
    match site.vestibule.store().move_user(user, &from, &to).await {
        Ok(Moved::Done) => {}
        Ok(Moved::Taken) => {
            return form(
                &site,
                &headers,
                &from,
                String::new(),
                Some("Somebody else is known here by that address.".to_owned()),
            );
        }
        Ok(Moved::Gone) => return stale(&site),
        Err(error) => return page::store_problem(&site, &error),
    }
    if let Err(error) = site.links.end_others(&who).await {
        return page::store_problem(&site, &error);
    }
    for address in [&from, &to] {
        arrival::tell_at(&site, &headers, address, News::Address { from: from.clone(), to: to.clone() }).await;
    }
    page::see_other(&super::changed("address"))
}

/// The ticket, if it is good for this user.
fn read(site: &Site, who: &SignedIn, text: &str) -> Option<AddressTicket> {
    let ticket = AddressTicket::read(site.vestibule.keys(), text, site.vestibule.now())?;
    let (from, _) = means(site, who)?;
    (ticket.user == who.user.id && ticket.from == from).then_some(ticket)
}

fn stale(site: &Shared) -> Response {
    page::with_status(page::respond(site, Head::titled(title::STALE), || view! { <StalePage /> }), StatusCode::GONE)
}

fn form(site: &Shared, headers: &HeaderMap, from: &Address, email: String, problem: Option<String>) -> Response {
    let (from, failed) = (from.as_str().to_owned(), problem.is_some());
    let proof = guard::proof(site, headers);
    let text = proof.text;
    let mut response = page::respond(site, Head::titled(title::ADDRESS), || {
        view! { <AddressPage from=from email=email problem=problem proof=text /> }
    });
    if failed {
        *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    }
    page::with_cookies(response, proof.set)
}
