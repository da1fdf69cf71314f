//! `/profile/address`: change the e-mail address. A ticket is mailed to the new one; a user who
//! opens it, signed in as before, controls both the account and the mailbox.

use super::{ProfileChange, current};
use crate::{
    accounts::{passwords::Password, rate_limits::RateLimited},
    handlers::after_sign_in,
    http::{
        csrf::SameOriginForm,
        error::PageError,
        form::Nothing,
        response,
        state::{App, AppState},
        visitor::Visitor,
    },
};
use axum::{
    Extension,
    extract::{Path, State},
    http::StatusCode,
    response::Response,
};
use leptos::prelude::*;
use serde::Deserialize;
use vestibule::{
    audit::Event,
    email_address::Address,
    entry::SignedIn,
    mail::{AccountNotice, AddressMail, MailBody, Outbox},
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
pub struct AddressForm {
    current: Option<Password>,
    email: String,
}

/// The user's current address, and where mail goes out; `None` if the address cannot be changed.
fn means<'s>(app: &'s AppState, who: &SignedIn) -> Option<(Address, &'s Outbox)> {
    let identity = &who.user.identity;
    let address = Address::known_by(&identity.issuer, &identity.subject)?;
    Some((address, app.outbox.as_ref()?))
}

/// `GET /profile/address`, behind [`require_fresh`](crate::handlers::require_user::require_fresh).
pub async fn show(
    State(app): State<App>,
    visitor: Visitor,
    Extension(who): Extension<SignedIn>,
) -> Result<Response, PageError> {
    let (from, _) = means(&app, &who).ok_or(PageError::NotFound)?;
    form(&app, &visitor, &who, &from, String::new(), None).await
}

/// `POST /profile/address`: sends the ticket. The answer is the same whether or not the new address
/// already belongs to a user.
pub async fn ask(
    State(app): State<App>,
    visitor: Visitor,
    Extension(who): Extension<SignedIn>,
    SameOriginForm(wanted): SameOriginForm<AddressForm>,
) -> Result<Response, PageError> {
    let (from, outbox) = means(&app, &who).ok_or(PageError::NotFound)?;
    let email = wanted.email.clone();
    let refused =
        async |problem: String| form(&app, &visitor, &who, &from, email, Some(problem)).await;
    let to: Address = match wanted.email.parse() {
        Ok(to) if to == from => return refused("That is your address already.".to_owned()).await,
        Ok(to) => to,
        Err(error) => return refused(error.to_string()).await,
    };
    if let Err(RateLimited(wait)) = app.rate_limits.address(who.user.id, &to) {
        Event::TooOften {
            what: "address_asked",
            user: Some(who.user.id),
        }
        .record();
        let minutes = response::seconds(wait).div_ceil(60);
        let problem = format!("You have asked for that too often. Try again in {minutes} min.");
        return Ok(response::too_often(refused(problem).await?, wait));
    }
    if !current::proves(&app, &who, wanted.current).await? {
        return refused(current::WRONG.to_owned()).await;
    }
    let ticket = AddressTicket {
        user: who.user.id,
        from: from.clone(),
        to: to.clone(),
        valid_from: who.user.valid_from,
        expires: app.sign_ins.now() + ticket::LIFETIME,
    };
    let body = MailBody::Address(AddressMail {
        ticket: ticket.to_text(&app.keys, &SystemEntropy),
        device: visitor.device(),
    });
    if !outbox.send(&to, &body, ticket::LIFETIME).await? {
        return Err(PageError::Busy);
    }
    Event::AddressAsked { user: who.user.id }.record();
    let address = to.typed().to_owned();
    let practice = app.mailbox.is_some();
    Ok(app.page(Head::titled(title::MAILED), || {
        view! { <SentPage address=address minutes=MINUTES practice=practice /> }
    }))
}

/// `GET /profile/address/{ticket}`, behind
/// [`require_fresh`](crate::handlers::require_user::require_fresh): writes nothing.
pub async fn land(
    State(app): State<App>,
    Path(text): Path<String>,
    visitor: Visitor,
    Extension(who): Extension<SignedIn>,
) -> Response {
    let ticket = match read(&app, &who, &text) {
        TicketState::Good(ticket) => ticket,
        TicketState::Before => return super::changed(&app, ProfileChange::Address),
        TicketState::Stale => {
            // It may have been mangled on its way, and be valid without what was added.
            let within = AddressTicket::within(&app.keys, &text, app.sign_ins.now());
            let within = within.filter(|within| *within != text);
            let clean = within.and_then(|ticket| format!("/profile/address/{ticket}").parse().ok());
            return clean.map_or_else(
                || stale(&app),
                |clean: LocalPath| response::see(clean.as_str()),
            );
        }
    };
    let path = format!("/profile/address/{text}");
    let address = ticket.to.typed().to_owned();
    app.form_page(&visitor, Head::titled(title::ADDRESS), false, || {
        view! { <MovePage path=path address=address /> }
    })
}

/// `POST /profile/address/{ticket}`: changes the user's address, and signs them out everywhere
/// else.
pub async fn change(
    State(app): State<App>,
    Path(text): Path<String>,
    visitor: Visitor,
    Extension(who): Extension<SignedIn>,
    SameOriginForm(_): SameOriginForm<Nothing>,
) -> Result<Response, PageError> {
    let AddressTicket { from, to, .. } = match read(&app, &who, &text) {
        TicketState::Good(ticket) => ticket,
        TicketState::Before => return Ok(super::changed(&app, ProfileChange::Address)),
        TicketState::Stale => return Ok(stale(&app)),
    };
    let valid_from = match app.sign_ins.move_user(&who, &from, &to).await? {
        Moved::Done(valid_from) => valid_from,
        Moved::Revoked => return Ok(response::see_other(&app.destinations().login)),
        Moved::Taken => {
            let problem = "Another account here has that address.".to_owned();
            return form(&app, &visitor, &who, &from, String::new(), Some(problem)).await;
        }
        Moved::Gone => return Ok(stale(&app)),
    };
    // It is changed: report that whatever comes next.
    Event::AddressChanged { user: who.user.id }.record();
    for address in [&from, &to] {
        let notice = AccountNotice::Moved {
            from: from.clone(),
            to: to.clone(),
        };
        after_sign_in::tell_at(&app, &visitor, address, notice).await;
    }
    let on = super::changed(&app, ProfileChange::Address);
    after_sign_in::after_change(&app, &visitor, &who, valid_from, who.token_tag, on).await
}

/// Whether a ticket that was opened is good.
enum TicketState {
    /// It is theirs, and they have not changed how they sign in since it was made.
    Good(AddressTicket),
    /// They are known by its address already: it was a second press.
    Before,
    /// It is another user's, or too old, or no ticket at all.
    Stale,
}

fn read(app: &AppState, who: &SignedIn, text: &str) -> TicketState {
    let ticket = AddressTicket::read(&app.keys, text, app.sign_ins.now());
    let (Some(ticket), Some((address, _))) = (ticket, means(app, who)) else {
        return TicketState::Stale;
    };
    if ticket.user != who.user.id {
        TicketState::Stale
    } else if ticket.to == address {
        TicketState::Before
    } else if ticket.from == address && ticket.valid_from == who.user.valid_from {
        TicketState::Good(ticket)
    } else {
        TicketState::Stale
    }
}

fn stale(app: &AppState) -> Response {
    let head = Head::titled(title::STALE);
    let page = app.page(head, || view! { <StalePage minutes=MINUTES /> });
    response::with_status(page, StatusCode::GONE)
}

async fn form(
    app: &AppState,
    visitor: &Visitor,
    who: &SignedIn,
    from: &Address,
    email: String,
    problem: Option<String>,
) -> Result<Response, PageError> {
    let current = current::is_asked(app, who).await?;
    let from = from.as_str().to_owned();
    let failed = problem.is_some();
    let head = Head::titled(title::ADDRESS);
    Ok(app.form_page(visitor, head, failed, || {
        view! { <AddressPage from=from current=current email=email problem=problem /> }
    }))
}
