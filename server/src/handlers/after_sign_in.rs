//! What follows a sign-in besides a session: the browser becomes known, and its user is told of a
//! new one.

use crate::http::{error::PageError, response, state::AppState, visitor::Visitor};
use axum::{http::HeaderValue, response::Response};
use std::time::Duration;
use vestibule::{
    audit::{Event, Means},
    clock::Timestamp,
    email_address::Address,
    entry::{PresentedSecrets, SignIn, SignedIn},
    mail::{AccountNotice, MailBody, NoticeMail},
    path::LocalPath,
    pending::TokenTag,
    store::StoreError,
    user::{User, UserId},
};

/// How long the mail is worth sending.
const NOTICE_LIVES: Duration = Duration::from_hours(24);

/// The cookies after a sign-in: the session's, without those that are spent, and, if the user has
/// arrived just now, the one by which this browser is known next time.
pub async fn cookies(app: &AppState, visitor: &Visitor, sign_in: &SignIn) -> Vec<HeaderValue> {
    let who = &sign_in.who;
    let session = sign_in
        .renewed
        .as_ref()
        .map(|secret| app.cookies.session(secret));
    let spent = sign_in
        .spent
        .iter()
        .map(|tag| app.cookies.remove_pending(*tag));
    let known = if sign_in.arrived {
        Event::SignedIn {
            user: who.user.id,
            means: Means::Confirmation,
        }
        .record();
        self::arrived(app, visitor, &who.user, who.since).await
    } else {
        None
    };
    session.into_iter().chain(spent).chain(known).collect()
}

/// Where the sign-in leads, if it has just been exchanged: by the last of the secrets that are
/// spent. It is kept with the confirmation, so it is the same on another device, and no other tab
/// changes it.
pub async fn next(app: &AppState, shown: &PresentedSecrets, sign_in: &SignIn) -> Option<LocalPath> {
    sign_in.renewed.as_ref()?;
    let exchanged = sign_in.spent.last()?;
    let (_, secret) = shown.pending.iter().find(|(tag, _)| tag == exchanged)?;
    match app.sign_ins.next(&secret.hash()).await {
        Ok(next) => next.filter(|next| app.way_back(next.as_str()).is_some()),
        Err(error) => {
            tracing::warn!(%error, "it could not be told where a sign-in leads");
            None
        }
    }
}

/// `user` has signed in by a session that began at `since`. They are told of a browser that is new,
/// unless it was this sign-in that made them a user.
pub async fn arrived(
    app: &AppState,
    visitor: &Visitor,
    user: &User,
    since: Timestamp,
) -> Option<HeaderValue> {
    if !visitor.is_known_to(user)
        && since > user.created_at
        && app.rate_limits.notices(user.id).is_ok()
    {
        tell(app, visitor, user, AccountNotice::Browser).await;
    }
    let next = visitor.known_with(user);
    (next != visitor.cookies.known()).then(|| app.cookies.known(&next))
}

/// The answer to `who`, who has changed how they sign in and is valid from `valid_from` on:
/// whatever was signed in before ends, and this browser gets a session of its own, which is said to
/// come from `token_tag`, stays known, and goes `on`.
pub async fn after_change(
    app: &AppState,
    visitor: &Visitor,
    who: &SignedIn,
    valid_from: Timestamp,
    token_tag: Option<TokenTag>,
    on: Response,
) -> Result<Response, PageError> {
    // If this fails the change is made all the same, and the user is signed out.
    Ok(
        match renewed(app, visitor, who, valid_from, token_tag).await? {
            Some(cookies) => response::with_cookies(on, cookies),
            None => response::see_other(&app.destinations().login),
        },
    )
}

async fn renewed(
    app: &AppState,
    visitor: &Visitor,
    who: &SignedIn,
    valid_from: Timestamp,
    token_tag: Option<TokenTag>,
) -> Result<Option<Vec<HeaderValue>>, StoreError> {
    let user = who.user.id;
    app.sign_ins
        .stores()
        .sessions
        .delete_sessions_of(user, None)
        .await?;
    let Some(secret) = app
        .sign_ins
        .renew_session(who, valid_from, token_tag, &visitor.shown())
        .await?
    else {
        return Ok(None);
    };
    let cookies = [app.cookies.session(&secret)]
        .into_iter()
        .chain(known_again(app, visitor, user).await?);
    Ok(Some(cookies.collect()))
}

/// The cookie by which this browser stays known to `who`, who has just made all other browsers
/// unknown to the account. If their sign-in is not fresh, this one becomes unknown as well: it may
/// belong to a thief who found a session.
pub async fn still_known(
    app: &AppState,
    visitor: &Visitor,
    who: &SignedIn,
) -> Result<Option<HeaderValue>, StoreError> {
    if visitor.is_known_to(&who.user) && who.is_fresh(app.sign_ins.now()) {
        return known_again(app, visitor, who.user.id).await;
    }
    Ok(None)
}

/// The cookie by which the browser is known to `user` as they are now.
async fn known_again(
    app: &AppState,
    visitor: &Visitor,
    user: UserId,
) -> Result<Option<HeaderValue>, StoreError> {
    let user = app.sign_ins.stores().users.user(user).await?;
    Ok(user.map(|user| app.cookies.known(&visitor.known_with(&user))))
}

/// Tells a user by mail what has happened, where that can be done.
pub async fn tell(app: &AppState, visitor: &Visitor, user: &User, notice: AccountNotice) {
    let address = user
        .identity
        .email
        .as_deref()
        .and_then(|email| email.parse().ok());
    if let Some(address) = address {
        tell_at(app, visitor, &address, notice).await;
    }
}

/// The same, at this address. The change is already made, so a mail that cannot be sent is not an
/// error.
pub async fn tell_at(app: &AppState, visitor: &Visitor, address: &Address, notice: AccountNotice) {
    let Some(outbox) = &app.outbox else { return };
    let body = MailBody::AccountNotice(NoticeMail {
        notice,
        device: visitor.device(),
        at: app.sign_ins.now(),
    });
    match outbox.send(address, &body, NOTICE_LIVES).await {
        Ok(true) => {}
        Ok(false) => tracing::warn!(
            "too many mails wait, so a user is not told what happened to their account"
        ),
        Err(error) => {
            tracing::warn!(%error, "a user could not be told what happened to their account");
        }
    }
}
