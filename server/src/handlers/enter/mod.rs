//! `/enter`: where a browser gets its session on the way to a page that is not ours, such as one of
//! the application's.
//!
//! Behind [`require_user`](crate::handlers::require_user::require_user), which performs the
//! exchange: no other page could.

use crate::http::{
    error::PageError,
    response,
    state::{App, AppState},
    visitor::Visitor,
};
use axum::{
    extract::{Query, State, rejection::QueryRejection},
    response::Response,
};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use vestibule::path::LocalPath;

/// The path of the page, below the base.
pub const ENTER: &str = "/enter";
/// How often a browser is led to the same page within
/// [`ENTERED`](crate::http::cookies::ENTERED) before it is told that this leads nowhere.
const TIMES: u8 = 2;

/// The query.
#[derive(Default, Deserialize)]
pub struct EnterQuery {
    next: Option<String>,
}

/// `GET /enter?next=<path>`: on to the path, or to where every sign-in leads.
pub async fn enter(
    State(app): State<App>,
    visitor: Visitor,
    target: Result<Query<EnterQuery>, QueryRejection>,
) -> Result<Response, PageError> {
    let Query(EnterQuery { next }) = target.unwrap_or_default();
    match next.and_then(|next| app.way_back(&next)) {
        Some(next) => lead(&app, &visitor, &next),
        None => Ok(response::see_other(&app.destinations().confirmed)),
    }
}

/// Leads on to `next`, unless the browser, which is signed in, has just been sent back from there
/// again and again: then the application does not learn of it, and the browser would go round for
/// ever.
fn lead(app: &AppState, visitor: &Visitor, next: &LocalPath) -> Result<Response, PageError> {
    let digest = Sha256::digest(next.as_str());
    let page = format!(
        "{:016x}",
        u64::from_be_bytes(std::array::from_fn(|place| digest[place]))
    );
    let before = visitor.cookies.entered().and_then(|entered| {
        let (entered, times) = entered.split_once('-')?;
        (entered == page).then(|| times.parse().ok())?
    });
    let times: u8 = before.unwrap_or_default();
    if times >= TIMES {
        tracing::warn!(
            "a browser that is signed in is sent back by the application: the proxy before it has to pass Cookie to \
             /v1/authorize, and the headers of the answer to the application"
        );
        return Err(PageError::Loop);
    }
    let entered = app.cookies.entered(&format!("{page}-{}", times + 1));
    Ok(response::with_cookies(response::see_other(next), [entered]))
}

#[cfg(test)]
mod tests;
