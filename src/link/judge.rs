//! What a link comes to as a verdict: links of ours are judged without an external service.

use super::{Link, LinkError, LinkKey, LinkState, LinkToken, change};
use crate::{
    clock::Timestamp,
    confirmation::ConfirmationId,
    secret::Keys,
    store::{StoreError, Stores, UserStore},
    token::Token,
    user::{Identity, PASSWORD_ISSUER},
    validator::{Reason, ValidationError, Verdict},
};

/// The verdict on `token`, [one of ours](LinkToken::is_ours), for the confirmation `id`.
pub(crate) async fn judge(
    stores: &Stores,
    keys: &Keys,
    now: Timestamp,
    id: ConfirmationId,
    token: &Token,
) -> Result<Verdict, ValidationError> {
    let verdict = if let Some(link) = LinkToken::read(keys, token) {
        judge_link(stores, now, id, &link).await.map(Some)
    } else if LinkToken::is_waiting(keys, token) {
        judge_waiting(stores, now, id).await
    } else {
        // It was mangled on its way.
        Ok(Some(Verdict::Invalid(Reason::Invalid)))
    };
    verdict
        .map_err(|error| ValidationError::temporary(error.to_string()))?
        .ok_or_else(|| ValidationError::temporary("its link has not been opened yet"))
}

async fn judge_link(
    stores: &Stores,
    now: Timestamp,
    id: ConfirmationId,
    link: &LinkToken,
) -> Result<Verdict, StoreError> {
    let used = change(&*stores.links, LinkKey::Token(link.hash()), |link| {
        link.use_up(id, now)
    });
    match used.await {
        Ok(link) => link.verdict(&*stores.users).await,
        Err(LinkError::Invalid(why)) => Ok(Verdict::Invalid(why.into())),
        Err(LinkError::Store(error)) => Err(error),
    }
}

/// The verdict on a confirmation that waits for a link; `None` while the link can still be used. If
/// there was no link to send, it has expired.
async fn judge_waiting(
    stores: &Stores,
    now: Timestamp,
    id: ConfirmationId,
) -> Result<Option<Verdict>, StoreError> {
    match stores.links.link_by_waiting(id).await? {
        Some(link) => link.verdict_on_waiting(now, &*stores.users).await,
        None => Ok(Some(Verdict::Invalid(Reason::Expired))),
    }
}

impl Link {
    /// The verdict on the waiting confirmation; `None` while the link can still be used.
    ///
    /// # Errors
    /// [`StoreError`] if the user could not be read.
    pub async fn verdict_on_waiting(
        &self,
        now: Timestamp,
        users: &dyn UserStore,
    ) -> Result<Option<Verdict>, StoreError> {
        match (self.state, self.open(now)) {
            (LinkState::Approved, _) => self.verdict(users).await.map(Some),
            (_, Err(why)) => Ok(Some(Verdict::Invalid(why.into()))),
            (_, Ok(())) => Ok(None),
        }
    }

    /// The verdict on the link's user: the same user as by a password, with their stored name. It
    /// leads to where the link does.
    ///
    /// # Errors
    /// [`StoreError`] if the user could not be read.
    pub async fn verdict(&self, users: &dyn UserStore) -> Result<Verdict, StoreError> {
        let address = self.address.as_str();
        let known = users.user_by_identity(PASSWORD_ISSUER, address).await?;
        let next = self.next.clone();
        Ok(match known {
            Some(user) if user.disabled => Verdict::Invalid(Reason::Expired),
            Some(user) => Verdict::Known(user.id, next),
            None if self.allows_new_user => {
                let identity = Identity {
                    issuer: PASSWORD_ISSUER.into(),
                    subject: address.to_owned(),
                    name: None,
                    email: Some(address.to_owned()),
                };
                Verdict::Valid(identity, next)
            }
            None => Verdict::Invalid(Reason::Expired),
        })
    }
}
