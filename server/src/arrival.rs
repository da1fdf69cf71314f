//! What a sign-in is a reason for besides a session: to know the browser next time, and to tell its user of a new one.

use crate::{device::device, site::Site};
use axum::http::{HeaderMap, HeaderValue};
use std::time::Duration;
use vestibule::{
    clock::Timestamp,
    link::Address,
    mail::{Letter, News, NewsLetter},
    user::{User, UserId},
};

/// How long it is worth telling.
const NEWS_LIVES: Duration = Duration::from_hours(24);

/// `user` has signed in by a session that began at `since`: the cookie that knows the browser next time, if it does not yet.
/// The user is told, unless it was this sign-in that made them one.
pub async fn arrived(site: &Site, headers: &HeaderMap, user: &User, since: Timestamp) -> Option<HeaderValue> {
    let (keys, known) = (site.vestibule.keys(), site.cookies_of(headers).known());
    if known.contains(keys, user.id) {
        return None;
    }
    if since > user.since && site.throttle.news(user.id).is_ok() {
        tell(site, headers, user, News::Browser).await;
    }
    Some(site.cookies.known(&known.with(keys, user.id)))
}

/// The same after a password, which says no more than whose it is.
pub async fn arrived_by_password(site: &Site, headers: &HeaderMap, user: UserId) -> Option<HeaderValue> {
    match site.vestibule.store().user(user).await {
        Ok(user) => arrived(site, headers, &user?, site.vestibule.now()).await,
        Err(error) => {
            tracing::warn!(%error, "it could not be told whether a browser is new");
            None
        }
    }
}

/// Tells a user by mail what has happened, where that can be done.
pub async fn tell(site: &Site, headers: &HeaderMap, user: &User, news: News) {
    let address = user.identity.email.as_deref().and_then(|email| email.parse().ok());
    if let Some(address) = address {
        tell_at(site, headers, &address, news).await;
    }
}

/// The same, at this address. What has happened has happened, so that it cannot be told is no failure.
pub async fn tell_at(site: &Site, headers: &HeaderMap, address: &Address, news: News) {
    let Some(outbox) = &site.outbox else { return };
    let letter = Letter::News(NewsLetter { news, device: device(headers), at: site.vestibule.now() });
    match outbox.send(address, &letter, NEWS_LIVES).await {
        Ok(true) => {}
        Ok(false) => tracing::warn!("too many mails wait, so somebody is not told what has happened to their account"),
        Err(error) => tracing::warn!(%error, "somebody could not be told what has happened to their account"),
    }
}
