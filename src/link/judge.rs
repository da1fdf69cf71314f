//! What a link comes to as a verdict: links of ours are judged without an external service.

use super::{Link, LinkState};
use crate::{
    clock::Timestamp,
    store::{StoreError, UserStore},
    user::{Identity, PASSWORD_ISSUER},
    validator::{Reason, Verdict},
};

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

    /// The verdict on the link's user: the same user as by a password, with their stored name.
    ///
    /// # Errors
    /// [`StoreError`] if the user could not be read.
    pub async fn verdict(&self, users: &dyn UserStore) -> Result<Verdict, StoreError> {
        let address = self.address.as_str();
        let known = users.user_by_identity(PASSWORD_ISSUER, address).await?;
        Ok(match known {
            Some(user) if user.disabled => Verdict::Invalid(Reason::Expired),
            Some(user) => Verdict::Known(user.id),
            None if self.allows_new_user => Verdict::Valid(Identity {
                issuer: PASSWORD_ISSUER.into(),
                subject: address.to_owned(),
                name: None,
                email: Some(address.to_owned()),
            }),
            None => Verdict::Invalid(Reason::Expired),
        })
    }
}
