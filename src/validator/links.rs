//! Judging links of our own; the rest of a chain judges everything else.

use super::{Reason, ValidationError, Validator, Verdict};
use crate::{
    clock::Clock,
    confirmation::ConfirmationId,
    link::{LinkError, LinkToken, Which, change},
    secret::Keys,
    store::{StoreError, Stores},
    token::Token,
};
use async_trait::async_trait;
use std::sync::Arc;

/// Judges links of our own, and passes every other token on to the `next` validator.
pub struct LinksValidator {
    stores: Stores,
    clock: Arc<dyn Clock>,
    keys: Arc<Keys>,
    next: Arc<dyn Validator>,
}

impl LinksValidator {
    /// A judge of our own links; `next` judges what is no link
    /// of ours.
    #[must_use]
    pub fn new(
        stores: Stores,
        clock: Arc<dyn Clock>,
        keys: Arc<Keys>,
        next: Arc<dyn Validator>,
    ) -> Self {
        Self {
            stores,
            clock,
            keys,
            next,
        }
    }

    async fn judge_link(
        &self,
        id: ConfirmationId,
        link: &LinkToken,
    ) -> Result<Verdict, StoreError> {
        let now = self.clock.now();
        let used = change(&*self.stores.links, Which::Token(link.hash()), |link| {
            link.use_up(id, now)
        })
        .await;
        match used {
            Ok(link) => link.verdict(&*self.stores.users).await,
            Err(LinkError::Invalid(why)) => Ok(Verdict::Invalid(why.into())),
            Err(LinkError::Store(error)) => Err(error),
        }
    }

    /// The verdict on a confirmation that waits for a link. If there was no link to send, it has
    /// expired.
    async fn judge_waiting(&self, id: ConfirmationId) -> Result<Verdict, ValidationError> {
        let verdict = match self.stores.links.link_by_waiting(id).await {
            Ok(Some(link)) => {
                link.verdict_on_waiting(self.clock.now(), &*self.stores.users)
                    .await
            }
            Ok(None) => Ok(Some(Verdict::Invalid(Reason::Expired))),
            Err(error) => Err(error),
        };
        verdict
            .map_err(|error| unreadable(&error))?
            .ok_or_else(|| ValidationError::temporary("its link has not been opened yet"))
    }
}

fn unreadable(error: &StoreError) -> ValidationError {
    ValidationError::temporary(error.to_string())
}

#[async_trait]
impl Validator for LinksValidator {
    async fn validate(
        &self,
        id: ConfirmationId,
        token: &Token,
    ) -> Result<Verdict, ValidationError> {
        if let Some(link) = LinkToken::read(&self.keys, token) {
            return self
                .judge_link(id, &link)
                .await
                .map_err(|error| unreadable(&error));
        }
        if LinkToken::is_waiting(&self.keys, token) {
            return self.judge_waiting(id).await;
        }
        // A link that was mangled on its way may still hold what signs in: no other validator may
        // read it.
        if LinkToken::is_ours(&self.keys, token) {
            return Ok(Verdict::Invalid(Reason::Invalid));
        }
        self.next.validate(id, token).await
    }

    fn asks(&self, token: &Token) -> bool {
        !LinkToken::is_ours(&self.keys, token) && self.next.asks(token)
    }
}
