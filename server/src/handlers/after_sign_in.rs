//! What follows a sign-in besides a session: the browser becomes known, and its user is told of a
//! new one.

use crate::{
    accounts::user_agent::device,
    http::{response, return_path, state::Site},
};
use axum::{
    http::{HeaderMap, HeaderValue},
    response::Response,
};
use std::time::Duration;
use vestibule::{
    audit::{Event, Means},
    clock::Timestamp,
    email_address::Address,
    entry::{Shown, SignedIn},
    mail::{Letter, News, NewsLetter},
    path::LocalPath,
    pending::TokenTag,
    secret::SessionSecret,
    store::StoreError,
    user::{User, UserId},
};

/// How long the mail is worth sending.
const NEWS_LIVES: Duration = Duration::from_hours(24);

/// The cookies after an exchange: the session's, without those that are `spent`, and, if the user
/// has `arrived` just now, the one by which this browser is known next time.
pub async fn cookies(
    site: &Site,
    headers: &HeaderMap,
    who: &SignedIn,
    renewed: Option<SessionSecret>,
    arrived: bool,
    spent: Vec<TokenTag>,
) -> Vec<HeaderValue> {
    let session = renewed.map(|secret| site.cookies.session(&secret));
    let spent = spent
        .into_iter()
        .map(|tag| site.cookies.remove_pending(tag));
    let known = if arrived {
        Event::SignedIn {
            user: who.user.id,
            means: Means::Confirmation,
        }
        .record();
        self::arrived(site, headers, &who.user, who.since).await
    } else {
        None
    };
    session.into_iter().chain(spent).chain(known).collect()
}

/// Where the sign-in leads that has just been exchanged: the last of those that are `spent`. It is
/// kept with its link, so it is the same on another device, and no other tab changes it.
pub async fn next(site: &Site, shown: &Shown, spent: &[TokenTag]) -> Option<LocalPath> {
    let exchanged = spent.last()?;
    let (_, secret) = shown.pending.iter().find(|(tag, _)| tag == exchanged)?;
    match site.links.next(secret).await {
        Ok(next) => next.filter(|next| return_path::way_back(next.as_str()).is_some()),
        Err(error) => {
            tracing::warn!(%error, "it could not be told where a sign-in leads");
            None
        }
    }
}

/// `user` has signed in by a session that began at `since`. They are told of a browser that is new,
/// unless it was this sign-in that made them a user.
pub async fn arrived(
    site: &Site,
    headers: &HeaderMap,
    user: &User,
    since: Timestamp,
) -> Option<HeaderValue> {
    let keys = site.vestibule.keys();
    let known = site.cookies_of(headers).known();
    let is_new = !known.contains(keys, user);
    if is_new && since > user.since && site.throttle.news(user.id).is_ok() {
        tell(site, headers, user, News::Browser).await;
    }
    let next = known.clone().with(keys, user);
    (next != known).then(|| site.cookies.known(&next))
}

/// The answer to `who`, who has changed how they sign in and is valid from `valid_from` on:
/// whatever was signed in before ends, and this browser gets a session of its own, stays known, and
/// goes `on`.
pub async fn after_change(
    site: &Site,
    headers: &HeaderMap,
    who: &SignedIn,
    valid_from: Timestamp,
    on: Response,
) -> Response {
    match renewed(site, headers, who, valid_from).await {
        Ok(Some(cookies)) => response::with_cookies(on, cookies),
        Ok(None) => response::see_other(&site.vestibule.destinations().login),
        // The change is made, and the user is signed out.
        Err(error) => response::store_problem(site, &error),
    }
}

async fn renewed(
    site: &Site,
    headers: &HeaderMap,
    who: &SignedIn,
    valid_from: Timestamp,
) -> Result<Option<Vec<HeaderValue>>, StoreError> {
    let user = who.user.id;
    site.vestibule
        .store()
        .delete_sessions_of(user, None)
        .await?;
    let Some(secret) = site
        .vestibule
        .sign_in(user, valid_from, valid_from, &site.shown(headers))
        .await?
    else {
        return Ok(None);
    };
    let cookies = [site.cookies.session(&secret)]
        .into_iter()
        .chain(known_again(site, headers, user).await?);
    Ok(Some(cookies.collect()))
}

/// The cookie by which this browser stays known to `who`, who has just made all other browsers
/// unknown to the account. If their sign-in is not fresh, this one becomes unknown as well: it may
/// belong to a thief who found a session.
pub async fn still_known(
    site: &Site,
    headers: &HeaderMap,
    who: &SignedIn,
) -> Result<Option<HeaderValue>, StoreError> {
    let was_known = site
        .cookies_of(headers)
        .known()
        .contains(site.vestibule.keys(), &who.user);
    if was_known && who.is_fresh(site.vestibule.now()) {
        return known_again(site, headers, who.user.id).await;
    }
    Ok(None)
}

/// The cookie by which the browser is known to `user` as they are now.
async fn known_again(
    site: &Site,
    headers: &HeaderMap,
    user: UserId,
) -> Result<Option<HeaderValue>, StoreError> {
    let user = site.vestibule.store().user(user).await?;
    let known = user.map(|user| {
        site.cookies_of(headers)
            .known()
            .with(site.vestibule.keys(), &user)
    });
    Ok(known.map(|known| site.cookies.known(&known)))
}

/// Tells a user by mail what has happened, where that can be done.
pub async fn tell(site: &Site, headers: &HeaderMap, user: &User, news: News) {
    let address = user
        .identity
        .email
        .as_deref()
        .and_then(|email| email.parse().ok());
    if let Some(address) = address {
        tell_at(site, headers, &address, news).await;
    }
}

/// The same, at this address. The change is already made, so a mail that cannot be sent is not an
/// error.
pub async fn tell_at(site: &Site, headers: &HeaderMap, address: &Address, news: News) {
    let Some(outbox) = &site.outbox else { return };
    let letter = Letter::News(NewsLetter {
        news,
        device: device(headers),
        at: site.vestibule.now(),
    });
    match outbox.send(address, &letter, NEWS_LIVES).await {
        Ok(true) => {}
        Ok(false) => tracing::warn!(
            "too many mails wait, so a user is not told what happened to their account"
        ),
        Err(error) => {
            tracing::warn!(%error, "a user could not be told what happened to their account");
        }
    }
}
