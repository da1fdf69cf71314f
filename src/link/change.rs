//! One step of a link, safe against concurrent steps.

use super::{InvalidLink, Link, LinkError};
use crate::{confirmation::ConfirmationId, secret::SecretHash, store::LinkStore};

/// Which link.
#[derive(Clone, Copy)]
pub enum LinkKey {
    /// The one with this token.
    Token(SecretHash),
    /// The one for which this confirmation waits.
    Waiting(ConfirmationId),
}

/// Takes a link one `step` on, from whatever it is at the moment when that is written. One that is
/// not there has expired long ago.
///
/// # Errors
/// [`LinkError`] if `step` says so, or if it could not be read or stored.
pub async fn change(
    store: &dyn LinkStore,
    which: LinkKey,
    step: impl Fn(Link) -> Result<Link, InvalidLink>,
) -> Result<Link, LinkError> {
    loop {
        let found = match which {
            LinkKey::Token(token) => store.link_by_token(&token).await?,
            LinkKey::Waiting(confirmation) => store.link_by_waiting(confirmation).await?,
        };
        let Some(link) = found else {
            return Err(InvalidLink::Expired.into());
        };
        let revision = link.revision;
        let next = step(link)?;
        if next.revision == revision || store.replace_link(&next).await? {
            return Ok(next);
        }
    }
}
