//! `/profile/address`: change the e-mail address. A ticket is mailed to the new one; a user who
//! opens it, signed in as before, controls both the account and the mailbox.

use super::{Change, current};
use crate::{
    accounts::{passwords::Password, rate_limit::TooOften, user_agent::device},
    handlers::{after_sign_in, login::password_problem},
    http::{
        csrf::OwnForm,
        form::Nothing,
        response,
        state::{Shared, Site},
    },
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
    audit::Event,
    email_address::Address,
    entry::SignedIn,
    mail::{AddressLetter, Letter, News, Outbox},
    path::LocalPath,
    secret::SystemEntropy,
    ticket::{self, AddressTicket},
    user::Moved,
};
use vestibule_app::{
    pages::{AddressPage, MovePage, SentPage, StalePage, title},
    shell::Head,
};

/// How long a ticket is good, in minutes.
const MINUTES: u64 = ticket::LIFETIME.as_secs() / 60;

/// The fields of the form.
#[derive(Deserialize)]
pub struct Wanted {
    current: Option<Password>,
    email: String,
}

/// The user's current address, and where mail goes out; `None` if the address cannot be changed.
fn means<'s>(site: &'s Site, who: &SignedIn) -> Option<(Address, &'s Outbox)> {
    let identity = &who.user.identity;
    Some((
        Address::known_by(&identity.issuer, &identity.subject)?,
        site.outbox.as_ref()?,
    ))
}

/// `GET /profile/address`, behind [`require_fresh`](crate::handlers::require_user::require_fresh).
pub async fn show(
    State(site): State<Shared>,
    headers: HeaderMap,
    Extension(who): Extension<SignedIn>,
) -> Response {
    match means(&site, &who) {
        Some((from, _)) => form(&site, &headers, &who, &from, String::new(), None).await,
        None => response::problem(&site, StatusCode::NOT_FOUND),
    }
}

/// `POST /profile/address`: sends the ticket. The answer is the same whether or not the new address
/// already belongs to a user.
pub async fn ask(
    State(site): State<Shared>,
    headers: HeaderMap,
    Extension(who): Extension<SignedIn>,
    OwnForm(wanted): OwnForm<Wanted>,
) -> Response {
    let Some((from, outbox)) = means(&site, &who) else {
        return response::problem(&site, StatusCode::NOT_FOUND);
    };
    let to: Address = match wanted.email.parse() {
        Ok(to) if to == from => {
            let problem = "That is your address already.".to_owned();
            return form(&site, &headers, &who, &from, wanted.email, Some(problem)).await;
        }
        Ok(to) => to,
        Err(error) => {
            return form(
                &site,
                &headers,
                &who,
                &from,
                wanted.email,
                Some(error.to_string()),
            )
            .await;
        }
    };
    if let Err(TooOften(wait)) = site.throttle.address(who.user.id, &to) {
        Event::TooOften {
            what: "address_asked",
            user: Some(who.user.id),
        }
        .record();
        let minutes = response::seconds(wait).div_ceil(60);
        let problem = format!("You have asked for that too often. Try again in {minutes} min.");
        return response::too_often(
            form(&site, &headers, &who, &from, wanted.email, Some(problem)).await,
            wait,
        );
    }
    match current::proves(&site, &who, wanted.current).await {
        Ok(true) => {}
        Ok(false) => {
            return form(
                &site,
                &headers,
                &who,
                &from,
                wanted.email,
                Some(current::WRONG.to_owned()),
            )
            .await;
        }
        Err(error) => return password_problem(&site, &error),
    }
    let expires = site.vestibule.now() + ticket::LIFETIME;
    let user = who.user.id;
    let valid_from = who.user.valid_from;
    let ticket = AddressTicket {
        user,
        from,
        to: to.clone(),
        valid_from,
        expires,
    };
    let ticket = ticket.to_text(site.vestibule.keys(), &SystemEntropy);
    let letter = Letter::Address(AddressLetter {
        ticket,
        device: device(&headers),
    });
    match outbox.send(&to, &letter, ticket::LIFETIME).await {
        Ok(true) => {
            Event::AddressAsked { user: who.user.id }.record();
            let address = to.typed().to_owned();
            let practice = site.mailbox.is_some();
            let minutes = MINUTES;
            response::respond(&site, Head::titled(title::MAILED), || {
                view! { <SentPage address=address minutes=minutes practice=practice /> }
            })
        }
        Ok(false) => response::problem(&site, StatusCode::SERVICE_UNAVAILABLE),
        Err(error) => response::store_problem(&site, &error),
    }
}

/// `GET /profile/address/{ticket}`, behind [`require_fresh`](crate::handlers::require_user::require_fresh):
/// writes nothing.
pub async fn land(
    State(site): State<Shared>,
    Path(text): Path<String>,
    headers: HeaderMap,
    Extension(who): Extension<SignedIn>,
) -> Response {
    let ticket = match read(&site, &who, &text) {
        Brought::Good(ticket) => ticket,
        Brought::Before => return super::changed(&site, Change::Address),
        Brought::Stale => {
            // It may have been mangled on its way, and be valid without what was added.
            let within = AddressTicket::within(site.vestibule.keys(), &text, site.vestibule.now());
            let within = within.filter(|within| *within != text);
            let clean = within.and_then(|ticket| format!("/profile/address/{ticket}").parse().ok());
            return clean.map_or_else(
                || stale(&site),
                |clean: LocalPath| response::see_other(&clean),
            );
        }
    };
    let path = format!("/profile/address/{text}");
    let address = ticket.to.typed().to_owned();
    response::form(
        &site,
        &headers,
        Head::titled(title::ADDRESS),
        false,
        |proof| {
            view! { <MovePage path=path address=address proof=proof /> }
        },
    )
}

/// `POST /profile/address/{ticket}`: changes the user's address, and signs them out everywhere
/// else.
pub async fn change(
    State(site): State<Shared>,
    Path(text): Path<String>,
    headers: HeaderMap,
    Extension(who): Extension<SignedIn>,
    OwnForm(_): OwnForm<Nothing>,
) -> Response {
    let AddressTicket { from, to, .. } = match read(&site, &who, &text) {
        Brought::Good(ticket) => ticket,
        Brought::Before => return super::changed(&site, Change::Address),
        Brought::Stale => return stale(&site),
    };
    let valid_from = match site.vestibule.move_user(&who, &from, &to).await {
        Ok(Moved::Done(valid_from)) => valid_from,
        Ok(Moved::Revoked) => return response::see_other(&site.vestibule.destinations().login),
        Ok(Moved::Taken) => {
            let problem = "Another account here has that address.".to_owned();
            return form(&site, &headers, &who, &from, String::new(), Some(problem)).await;
        }
        Ok(Moved::Gone) => return stale(&site),
        Err(error) => return response::store_problem(&site, &error),
    };
    // It is changed: report that whatever comes next.
    Event::AddressChanged { user: who.user.id }.record();
    for address in [&from, &to] {
        after_sign_in::tell_at(
            &site,
            &headers,
            address,
            News::Moved {
                from: from.clone(),
                to: to.clone(),
            },
        )
        .await;
    }
    after_sign_in::after_change(
        &site,
        &headers,
        &who,
        valid_from,
        super::changed(&site, Change::Address),
    )
    .await
}

/// Whether a ticket that was opened is good.
enum Brought {
    /// It is theirs, and they have not changed how they sign in since it was made.
    Good(AddressTicket),
    /// They are known by its address already: it was a second press.
    Before,
    /// It is another user's, or too old, or no ticket at all.
    Stale,
}

fn read(site: &Site, who: &SignedIn, text: &str) -> Brought {
    let ticket = AddressTicket::read(site.vestibule.keys(), text, site.vestibule.now());
    let (Some(ticket), Some((address, _))) = (ticket, means(site, who)) else {
        return Brought::Stale;
    };
    if ticket.user != who.user.id {
        Brought::Stale
    } else if ticket.to == address {
        Brought::Before
    } else if ticket.from == address && ticket.valid_from == who.user.valid_from {
        Brought::Good(ticket)
    } else {
        Brought::Stale
    }
}

fn stale(site: &Shared) -> Response {
    response::with_status(
        response::respond(
            site,
            Head::titled(title::STALE),
            || view! { <StalePage minutes=MINUTES /> },
        ),
        StatusCode::GONE,
    )
}

async fn form(
    site: &Shared,
    headers: &HeaderMap,
    who: &SignedIn,
    from: &Address,
    email: String,
    problem: Option<String>,
) -> Response {
    let current = match current::is_asked(site, who).await {
        Ok(current) => current,
        Err(error) => return response::store_problem(site, &error),
    };
    let from = from.as_str().to_owned();
    let failed = problem.is_some();
    response::form(
        site,
        headers,
        Head::titled(title::ADDRESS),
        failed,
        |proof| {
            view! { <AddressPage from=from current=current email=email problem=problem proof=proof /> }
        },
    )
}
