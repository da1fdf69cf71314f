//! `POST /pusher/auth`: this pending cookie, this channel, nothing else.

use crate::{
    handlers::begin,
    http::{form::unreadable, response, state::Shared},
};
use axum::{
    Form,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use vestibule::{audit::Event, token::Token};

/// What a Pusher client asks, and the token that names the cookie.
#[derive(Deserialize)]
pub struct Subscription {
    socket_id: String,
    channel_name: String,
    token: String,
}

/// Authorises a subscription.
pub async fn authorise(
    State(site): State<Shared>,
    headers: HeaderMap,
    form: Result<Form<Subscription>, axum::extract::rejection::FormRejection>,
) -> Response {
    let asked = match form {
        Ok(Form(asked)) => asked,
        Err(rejection) => {
            let line =
                "the body is not a form with one socket_id, one channel_name and one token\n";
            return (unreadable(rejection.status()), line).into_response();
        }
    };
    let Some(json) = signature(&site, &headers, &asked) else {
        Event::Forged { what: "channel" }.record();
        return response::problem(&site, StatusCode::FORBIDDEN);
    };
    (
        [
            (header::CONTENT_TYPE, "application/json"),
            (header::CACHE_CONTROL, "no-store"),
        ],
        json,
    )
        .into_response()
}

/// The signature for what is asked, if it is this browser's own channel.
fn signature(site: &Shared, headers: &HeaderMap, asked: &Subscription) -> Option<String> {
    let token: Token = asked.token.parse().ok()?;
    let cookies = site.cookies_of(headers);
    let token = begin::kept_under(site, token, &cookies);
    let channel = site
        .vestibule
        .channel(&token, cookies.pending(site.vestibule.keys(), &token))?;
    let own = channel.as_str() == asked.channel_name;
    own.then(|| site.pusher.authorise(&channel, &asked.socket_id).ok())
        .flatten()
}
