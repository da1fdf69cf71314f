//! What pages do with links: send one, look at one, let a browser in.

mod guess;
mod open;
mod request;
mod revoke;

pub use guess::{Guess, Guessed};
pub use open::OpenedLink;
pub use request::{Ask, Requested, WINDOW};

use super::{
    InvalidLink, Link, LinkError, LinkState,
    change::{LinkKey, change},
};
use crate::{
    confirmation::Ending,
    sign_ins::SignIns,
    store::{LinkStore, StoreError},
    token::Token,
};
use std::sync::Arc;
use tokio::sync::Notify;

/// The service for links. Cheap to clone.
#[derive(Clone)]
pub struct MagicLinks {
    sign_ins: SignIns,
    store: Arc<dyn LinkStore>,
    mail_wake: Arc<Notify>,
    registration: Registration,
    strangers: u32,
}

/// How many links are mailed within [`WINDOW`] to addresses that no user has, by
/// default.
pub const STRANGERS: u32 = 1000;

/// Whether a link registers new users.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Registration {
    /// Only existing users, and people that an operator invites.
    #[default]
    Closed,
    /// Anyone who can read the mail of an address.
    Open,
}

impl MagicLinks {
    /// The service for links. It wakes the mail worker through `mail_wake`.
    #[must_use]
    pub fn new(sign_ins: SignIns, mail_wake: Arc<Notify>) -> Self {
        Self {
            store: sign_ins.stores.links.clone(),
            sign_ins,
            mail_wake,
            registration: Registration::default(),
            strangers: STRANGERS,
        }
    }

    /// Sets whether links register new users.
    #[must_use]
    pub fn with_registration(self, registration: Registration) -> Self {
        Self {
            registration,
            ..self
        }
    }

    /// Sets how many links are mailed within [`WINDOW`] to addresses that no user
    /// has.
    #[must_use]
    pub fn with_strangers(self, strangers: u32) -> Self {
        Self { strangers, ..self }
    }

    /// The link for which the browser waits that shows this pending cookie for `token`.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be read.
    pub async fn waited_for(
        &self,
        token: &Token,
        shown: Option<&str>,
    ) -> Result<Option<Link>, StoreError> {
        match self.sign_ins.begun(token, shown).await? {
            Some(confirmation) => self.store.link_by_waiting(confirmation.id).await,
            None => Ok(None),
        }
    }

    async fn change(
        &self,
        which: LinkKey,
        step: impl Fn(Link) -> Result<Link, InvalidLink>,
    ) -> Result<Link, LinkError> {
        let link = change(&*self.store, which, step).await?;
        let ending = self.decide_waiting(&link).await?;
        // The waiting browser has cancelled meanwhile, or the user was disabled or removed.
        let in_vain =
            link.state == LinkState::Approved && !matches!(ending, Some(Ending::Confirmed(_)));
        if in_vain {
            Err(InvalidLink::Expired.into())
        } else {
            Ok(link)
        }
    }

    /// Decides the waiting confirmation by the state of its link. If this process is killed first,
    /// a worker does it: the confirmation has been due since the link was written.
    async fn decide_waiting(&self, link: &Link) -> Result<Option<Ending>, StoreError> {
        let Some(waiting) = link.waiting else {
            return Ok(None);
        };
        match link
            .verdict_on_waiting(self.sign_ins.now(), &*self.sign_ins.stores.users)
            .await?
        {
            Some(verdict) => self.sign_ins.decide(waiting, &verdict.into()).await,
            None => Ok(None),
        }
    }
}
