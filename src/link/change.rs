//! One step of a link, safe against concurrent steps.

use super::{Link, Spent};
use crate::{
    confirmation::ConfirmationId,
    secret::SecretHash,
    store::{LinkStore, StoreError},
};

/// Which link.
#[derive(Clone, Copy)]
pub enum Which {
    /// The one with this token.
    Token(SecretHash),
    /// The one for which this confirmation waits.
    Waiting(ConfirmationId),
}

/// Takes a link one `step` on, from whatever it is at the moment when that is written. One that is
/// not there has expired long ago.
///
/// # Errors
/// [`StoreError`] if it could not be read or stored.
pub async fn change(
    store: &dyn LinkStore,
    which: Which,
    step: impl Fn(Link) -> Result<Link, Spent>,
) -> Result<Result<Link, Spent>, StoreError> {
    loop {
        let found = match which {
            Which::Token(token) => store.link_by_token(&token).await?,
            Which::Waiting(confirmation) => store.link_by_waiting(confirmation).await?,
        };
        let Some(link) = found else {
            return Ok(Err(Spent::Expired));
        };
        let revision = link.revision;
        let next = match step(link) {
            Ok(next) => next,
            Err(spent) => return Ok(Err(spent)),
        };
        if next.revision == revision || store.replace_link(&next).await? {
            return Ok(Ok(next));
        }
    }
}
