//! A landing: the pending cookie, and what a browser that shows one may ask for.

use super::SignIns;
use crate::{
    channel::Channel, confirmation::Confirmation, pending::PendingCookie, store::StoreError,
    token::Token,
};

/// A pending cookie for a response to set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// What the cookie says.
    pub cookie: PendingCookie,
    /// Whether it was minted just now, so that the browser does not have it yet.
    pub fresh: bool,
}

impl SignIns {
    /// A landing: keeps the pending cookie that the browser has `shown` if it is good for `token`,
    /// else mints one. Writes nothing and calls no other service.
    #[must_use]
    pub fn land(&self, token: &Token, shown: Option<&str>) -> Pending {
        self.genuine(token, shown).map_or_else(
            || self.mint(),
            |cookie| Pending {
                cookie,
                fresh: false,
            },
        )
    }

    /// The channel that a browser which shows this cookie may subscribe to.
    #[must_use]
    pub fn channel(&self, token: &Token, shown: Option<&str>) -> Option<Channel> {
        self.genuine(token, shown)
            .map(|cookie| Channel::of(&cookie.secret.hash()))
    }

    /// The confirmation that the browser which shows this cookie began with `token`.
    pub(crate) async fn begun(
        &self,
        token: &Token,
        shown: Option<&str>,
    ) -> Result<Option<Confirmation>, StoreError> {
        match self.genuine(token, shown) {
            Some(cookie) => {
                self.stores
                    .confirmations
                    .confirmation_by_secret(&cookie.secret.hash())
                    .await
            }
            None => Ok(None),
        }
    }

    pub(super) fn genuine(&self, token: &Token, shown: Option<&str>) -> Option<PendingCookie> {
        let cookie = PendingCookie::decode(&self.keys, token, shown?)?;
        (self.clock.now().since(cookie.minted) < self.timing.pending_cookie()).then_some(cookie)
    }

    pub(super) fn mint(&self) -> Pending {
        Pending {
            cookie: PendingCookie::mint(&*self.entropy, self.clock.now()),
            fresh: true,
        }
    }
}
