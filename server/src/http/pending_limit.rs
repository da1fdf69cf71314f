//! Room for one more pending cookie in a browser.
//!
//! A browser keeps up to [`MAX_PENDING`]. Beyond that the oldest goes that is no sign-in in
//! progress; one that has begun stays until it is settled or has expired, whatever else is opened.
//! What another site opens makes nothing go.

use crate::http::{cookies::MAX_PENDING, state::AppState, visitor::Visitor};
use vestibule::{pending::TokenTag, store::StoreError};

/// There is no room: nothing was removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRoom;

/// What has to go so that there is room for the pending cookie with these `tags`.
///
/// # Errors
/// [`NoRoom`] if nothing may go.
pub async fn make(
    app: &AppState,
    visitor: &Visitor,
    tags: &[TokenTag],
) -> Result<Vec<TokenTag>, NoRoom> {
    let others = visitor.cookies.pending_of_others(tags);
    let too_many = (others.len() + 1).saturating_sub(MAX_PENDING);
    if too_many == 0 {
        return Ok(Vec::new());
    }
    if visitor.is_from_elsewhere() {
        return Err(NoRoom);
    }
    let mut let_go = Vec::new();
    for (tag, secret) in others {
        let in_progress = match secret {
            Some(secret) => app
                .sign_ins
                .is_in_progress(&secret)
                .await
                .unwrap_or_else(|error| unknown(&error)),
            None => false,
        };
        if !in_progress {
            let_go.push(tag);
        }
        if let_go.len() == too_many {
            return Ok(let_go);
        }
    }
    Err(NoRoom)
}

/// What cannot be looked up may be in progress.
fn unknown(error: &StoreError) -> bool {
    tracing::warn!(%error, "it could not be told which sign-ins of a browser are in progress");
    true
}
