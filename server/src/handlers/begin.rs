//! To begin what a browser has opened, and the pending cookies that go with it.

use crate::http::{
    error::PageError,
    pending_limit::{self, NoRoom},
    state::AppState,
    visitor::Visitor,
};
use axum::http::HeaderValue;
use vestibule::{
    audit::Event,
    caps::Capped,
    link::{LinkError, LinkToken},
    path::LocalPath,
    pending::TokenTag,
    sign_ins::{Pending, Progress, Report},
    store::BeginError,
    token::Token,
};
use vestibule_app::pages::NoCookies;

/// The token under which this browser's confirmation is kept: of a link that it has asked for
/// itself, the one that it waits with.
pub fn kept_under(app: &AppState, visitor: &Visitor, token: Token) -> Token {
    LinkToken::read(&app.keys, &token)
        .and_then(|link| app.links.asked_here(&link, |token| visitor.pending(token)))
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

/// Begins what a browser opens, which leads to `next` if that is given. A link of ours is judged on
/// the spot: it needs no external service. `None`: the browser shows no pending cookie that it got
/// for this token, so it keeps none, or none any more; nothing has begun.
pub async fn begin(
    app: &AppState,
    visitor: &Visitor,
    token: Token,
    again: bool,
    next: Option<&LocalPath>,
) -> Result<Option<Begun>, BeginError> {
    let kept = kept_under(app, visitor, token.clone());
    let Some(shown) = visitor.pending(&kept) else {
        return Ok(None);
    };
    let link = LinkToken::read(&app.keys, &token);
    let asked_here = kept != token;
    if let Some(link) = &link
        && asked_here
    {
        // If the link cannot be opened, the status tells the page why.
        if let Err(LinkError::Store(error)) = app.links.open_here(link).await {
            return Err(error.into());
        }
    }
    if app.rate_limits.begin(visitor.client).is_err() {
        // One that is repeated stores nothing, and is never refused; "Try again" begins anew.
        let report = app.sign_ins.status(&kept, Some(shown), None).await?;
        if again || report.progress == Progress::Unknown {
            Event::TooOften {
                what: "begin",
                user: None,
            }
            .record();
            return Err(Capped::Client.into());
        }
    }
    let (pending, mut report) = app
        .sign_ins
        .begin(&kept, Some(shown), again, visitor.client, next)
        .await?;
    if let Some(link) = &link
        && !asked_here
    {
        let shown = pending.cookie.encode(&app.keys, &kept);
        app.links.use_up(link, &kept, Some(&shown)).await?;
        report = app.sign_ins.status(&kept, Some(&shown), None).await?;
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
/// [`NoRoom`] if the browser has too many sign-ins in progress.
pub async fn landed(
    app: &AppState,
    visitor: &Visitor,
    token: &Token,
    pending: &Pending,
) -> Result<Vec<HeaderValue>, NoRoom> {
    // A link that another page embeds is not a landing.
    if visitor.is_embedding() || !pending.fresh {
        return Ok(Vec::new());
    }
    let let_go = pending_limit::make(app, visitor, &TokenTag::each(&app.keys, token)).await?;
    Ok(set_pending(app, visitor, token, pending, &let_go))
}

/// The landing in a browser that has no room for another sign-in: the page has a link that
/// opens it again, so that the user decides.
pub fn full(visitor: &Visitor, token: &Token) -> PageError {
    let said = if visitor.is_from_elsewhere() {
        NoCookies::MANY
    } else {
        NoCookies::FULL
    };
    PageError::no_cookies(said, format!("/confirm/{}", token.expose()))
}

/// The cookies that give a browser a pending secret it does not have yet, in place of those that
/// are `let_go`.
pub fn set_pending(
    app: &AppState,
    visitor: &Visitor,
    token: &Token,
    pending: &Pending,
    let_go: &[TokenTag],
) -> Vec<HeaderValue> {
    if !pending.fresh {
        return Vec::new();
    }
    let tags = TokenTag::each(&app.keys, token);
    let value = pending.cookie.encode(&app.keys, token);
    let lives = app.sign_ins.timing().pending_cookie();
    app.cookies
        .pending(&tags, value, lives, &visitor.cookies, let_go)
}
