//! `POST /pusher/auth`: this pending cookie, this channel, nothing else.

use crate::{
    handlers::begin,
    http::{
        error::PageError,
        form::unreadable,
        state::{App, AppState},
        visitor::Visitor,
    },
};
use axum::{
    Form,
    extract::{State, rejection::FormRejection},
    http::header,
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use vestibule::{audit::Event, token::Token};

/// What a Pusher client asks, and the token that names the cookie.
#[derive(Deserialize)]
pub struct SubscriptionForm {
    socket_id: String,
    channel_name: String,
    token: String,
}

/// Authorises a subscription.
pub async fn authorise(
    State(app): State<App>,
    visitor: Visitor,
    form: Result<Form<SubscriptionForm>, FormRejection>,
) -> Result<Response, PageError> {
    let asked = match form {
        Ok(Form(asked)) => asked,
        Err(rejection) => {
            let line =
                "the body is not a form with one socket_id, one channel_name and one token\n";
            let status = unreadable(rejection.status()).status();
            return Ok((status, line).into_response());
        }
    };
    let Some(json) = signature(&app, &visitor, &asked) else {
        Event::Forged { what: "channel" }.record();
        return Err(PageError::Forbidden);
    };
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, json).into_response())
}

/// The signature for what is asked, if it is this browser's own channel.
fn signature(app: &AppState, visitor: &Visitor, asked: &SubscriptionForm) -> Option<String> {
    let token: Token = asked.token.parse().ok()?;
    let token = begin::kept_under(app, visitor, token);
    let channel = app.sign_ins.channel(&token, visitor.pending(&token))?;
    if channel.as_str() != asked.channel_name {
        return None;
    }
    app.push
        .publisher
        .authorise(&channel, &asked.socket_id)
        .ok()
}

#[cfg(test)]
mod tests;
