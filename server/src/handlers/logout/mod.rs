//! `/logout`: ends the session.

use crate::{
    handlers::after_sign_in,
    http::{
        csrf::SameOriginForm,
        error::PageError,
        response,
        state::{App, AppState},
        visitor::Visitor,
    },
};
use axum::{
    extract::State,
    http::{HeaderName, HeaderValue},
    response::Response,
};
use serde::Deserialize;
use vestibule::{audit::Event, store::StoreError};

/// The fields of the sign-out form.
#[derive(Deserialize)]
pub struct LogoutForm {
    everywhere: Option<String>,
    next: Option<String>,
}

/// `POST /logout`: ends the session, or with `everywhere` all of the user's, and what is pending in
/// this browser; leads to `next`, or to the login page.
pub async fn logout(
    State(app): State<App>,
    visitor: Visitor,
    SameOriginForm(form): SameOriginForm<LogoutForm>,
) -> Result<Response, PageError> {
    let cookies = sign_out(&app, &visitor, form.everywhere.is_some()).await?;
    let next = form.next.and_then(|next| app.way_back(&next));
    let mut on = response::see_other(next.as_ref().unwrap_or(&app.destinations().login));
    // Not the cookies: those that end are removed one by one, and the one by which the browser is
    // known stays. What an application beside us has stored is its own.
    let data = HeaderValue::from_static(match app.destinations().base().as_str() {
        "" => "\"cache\", \"storage\"",
        _ => "\"cache\"",
    });
    on.headers_mut()
        .insert(HeaderName::from_static("clear-site-data"), data);
    Ok(response::with_cookies(on, cookies))
}

async fn sign_out(
    app: &AppState,
    visitor: &Visitor,
    everywhere: bool,
) -> Result<Vec<HeaderValue>, StoreError> {
    let session = visitor.session();
    let who = app.sign_ins.recognise(session.as_ref()).await?;
    app.links
        .sign_out(&visitor.cookies.shown(), everywhere)
        .await?;
    if let Some(who) = &who {
        Event::SignedOut {
            user: who.user.id,
            everywhere,
        }
        .record();
    }
    let mut cookies = app.cookies.remove_all(&visitor.cookies);
    if let Some(who) = &who
        && everywhere
    {
        cookies.extend(after_sign_in::still_known(app, visitor, who).await?);
    }
    Ok(cookies)
}

#[cfg(test)]
mod tests;
