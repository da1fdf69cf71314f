//! What revokes links: to cancel, to sign out, and to end the user's other sessions.

use super::MagicLinks;
use crate::{
    confirmation::ConfirmationId,
    email_address::Address,
    entry::{PresentedSecrets, SignedIn},
    link::{LinkError, LinkToken, change::LinkKey},
    sign_ins::Report,
    store::StoreError,
    token::Token,
    user::User,
};

impl MagicLinks {
    /// Cancels the browser's confirmation, and revokes the link that it waits for.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be stored.
    pub async fn cancel(&self, token: &Token, shown: Option<&str>) -> Result<Report, StoreError> {
        let report = self.sign_ins.cancel(token, shown).await?;
        if LinkToken::is_waiting(self.sign_ins.keys(), token)
            && let Some(confirmation) = self.sign_ins.begun(token, shown).await?
        {
            self.revoke(confirmation.id).await?;
        }
        Ok(report)
    }

    /// Signs out as [`SignIns::sign_out`](crate::sign_ins::SignIns::sign_out) does, and revokes the
    /// links for which this browser waits; with `everywhere`, all of the user's open links.
    ///
    /// # Errors
    /// [`StoreError`] if the store could not be used; it is safe to repeat.
    pub async fn sign_out(
        &self,
        shown: &PresentedSecrets,
        everywhere: bool,
    ) -> Result<(), StoreError> {
        self.sign_ins.sign_out(shown, everywhere).await?;
        for (_, secret) in &shown.pending {
            if let Some(confirmation) = self
                .sign_ins
                .stores
                .confirmations
                .confirmation_by_secret(&secret.hash())
                .await?
            {
                self.revoke(confirmation.id).await?;
            }
        }
        Ok(())
    }

    /// Ends all sessions of the user but the current one. If their sign-in is fresh, it also
    /// revokes their open links: an attacker who has found an old session must not keep the owner
    /// out with it.
    ///
    /// # Errors
    /// [`StoreError`] if the store could not be used; it is safe to repeat.
    pub async fn end_others(&self, who: &SignedIn) -> Result<(), StoreError> {
        if self.sign_ins.revoke_sessions(who, false).await? {
            // Links first: one that is used later would leave a session behind.
            if who.is_fresh(self.sign_ins.now()) {
                self.revoke_open(&who.user).await?;
            }
            self.sign_ins
                .stores
                .sessions
                .delete_sessions_of(who.user.id, Some(who.session))
                .await?;
        }
        Ok(())
    }

    async fn revoke_open(&self, user: &User) -> Result<(), StoreError> {
        if let Some(address) = Address::known_by(&user.identity.issuer, &user.identity.subject) {
            self.store.revoke_links(&address).await?;
            // Browsers that wait for one must be told.
            self.sign_ins.dispatch.wake();
        }
        Ok(())
    }

    async fn revoke(&self, waiting: ConfirmationId) -> Result<(), StoreError> {
        match self
            .change(LinkKey::Waiting(waiting), |link| Ok(link.revoke()))
            .await
        {
            // There is nothing left to revoke.
            Ok(_) | Err(LinkError::Invalid(_)) => Ok(()),
            Err(LinkError::Store(error)) => Err(error),
        }
    }
}
