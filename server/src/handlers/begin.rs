//! To begin what a browser has opened, and the pending cookies that go with it.

use crate::http::{
    cookies::RequestCookies,
    pending_room::{self, Full},
    response,
    state::Site,
};
use axum::{
    http::{HeaderMap, HeaderValue},
    response::Response,
};
use vestibule::{
    audit::Event,
    caps::{Capped, Client},
    link::LinkToken,
    pending::TokenTag,
    store::BeginError,
    token::Token,
    vestibule::{Pending, Progress, Report},
};
use vestibule_app::pages::NoCookies;

/// The token under which this browser's confirmation is kept: of a link that it has asked for
/// itself, the one that it waits with.
pub fn kept_under(site: &Site, token: Token, cookies: &RequestCookies) -> Token {
    let keys = site.vestibule.keys();
    let link = LinkToken::read(keys, &token);
    link.and_then(|link| {
        site.links
            .asked_here(&link, |token| cookies.pending(keys, token))
    })
    .unwrap_or(token)
}

/// A confirmation that was begun, or found.
pub struct Begun {
    /// The token under which it is kept.
    pub token: Token,
    /// Its pending cookie.
    pub pending: Pending,
    /// How far it has come.
    pub report: Report,
}

/// Begins what a browser opens. A link of ours is judged on the spot: it needs no external service.
/// `None`: the browser shows no pending cookie that it got for this token, so it keeps none, or
/// none any more; nothing has begun.
pub async fn begin(
    site: &Site,
    token: Token,
    cookies: &RequestCookies,
    again: bool,
    client: Client,
) -> Result<Option<Begun>, BeginError> {
    let keys = site.vestibule.keys();
    let kept = kept_under(site, token.clone(), cookies);
    let Some(shown) = cookies.pending(keys, &kept) else {
        return Ok(None);
    };
    let link = LinkToken::read(keys, &token);
    if let (Some(link), true) = (&link, kept != token) {
        // If the link cannot be opened, the status tells the page why.
        let _ = site.links.open_here(link).await?;
    }
    if site.throttle.begin(client).is_err() {
        // One that is repeated stores nothing, and is never refused; "Try again" begins anew.
        let report = site.vestibule.status(&kept, Some(shown), None).await?;
        if again || report.progress == Progress::Unknown {
            Event::TooOften {
                what: "begin",
                user: None,
            }
            .record();
            return Err(Capped::Client.into());
        }
    }
    let (pending, mut report) = site
        .vestibule
        .begin(&kept, Some(shown), again, client)
        .await?;
    if let (Some(link), true) = (&link, kept == token) {
        let shown = pending.cookie.encode(keys, &kept);
        site.links.use_up(link, &kept, Some(&shown)).await?;
        report = site.vestibule.status(&kept, Some(&shown), None).await?;
    }
    Ok(Some(Begun {
        token: kept,
        pending,
        report,
    }))
}

/// The cookies of a landing.
///
/// # Errors
/// [`Full`] if the browser has too many sign-ins in progress.
pub async fn landed(
    site: &Site,
    headers: &HeaderMap,
    token: &Token,
    pending: &Pending,
    cookies: &RequestCookies,
) -> Result<Vec<HeaderValue>, Full> {
    // A link that another page embeds, as an image perhaps, is not a landing.
    let embedded = headers
        .get("sec-fetch-dest")
        .is_some_and(|destination| destination != "document");
    if embedded || !pending.fresh {
        return Ok(Vec::new());
    }
    let let_go = pending_room::make(
        site,
        headers,
        cookies,
        &TokenTag::each(site.vestibule.keys(), token),
    )
    .await?;
    Ok(set_pending(site, token, pending, cookies, &let_go))
}

/// The landing in a browser that has no room for another sign-in: the page has a link that
/// opens it again, so that the user decides.
pub fn full(site: &Site, headers: &HeaderMap, token: &Token) -> Response {
    let said = if pending_room::is_from_elsewhere(headers) {
        NoCookies::MANY
    } else {
        NoCookies::FULL
    };
    response::no_cookies(site, said, &format!("/confirm/{}", token.expose()))
}

/// The cookies that give a browser a pending secret it does not have yet, in place of those that
/// are `let_go`.
pub fn set_pending(
    site: &Site,
    token: &Token,
    pending: &Pending,
    cookies: &RequestCookies,
    let_go: &[TokenTag],
) -> Vec<HeaderValue> {
    if !pending.fresh {
        return Vec::new();
    }
    let keys = site.vestibule.keys();
    let tags = TokenTag::each(keys, token);
    let value = pending.cookie.encode(keys, token);
    site.cookies.pending(
        &tags,
        value,
        site.vestibule.timing().pending_cookie(),
        cookies,
        let_go,
    )
}
