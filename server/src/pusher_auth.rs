//! `POST /pusher/auth`: this pending cookie, this channel, nothing else.

use crate::{links, page, site::Shared};
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
    let authorised = form.ok().and_then(|Form(asked)| {
        let token: Token = asked.token.parse().ok()?;
        let cookies = site.cookies_of(&headers);
        let token = links::kept_under(&site, token, &cookies);
        let channel = site.vestibule.channel(&token, cookies.pending(site.vestibule.keys(), &token))?;
        let own = channel.as_str() == asked.channel_name;
        own.then(|| site.pusher.authorise(&channel, &asked.socket_id).ok()).flatten()
    });
    match authorised {
        Some(json) => {
            let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
            (headers, json).into_response()
        }
        None => {
            Event::Forged { what: "channel" }.record();
            page::problem(&site, StatusCode::FORBIDDEN)
        }
    }
}
