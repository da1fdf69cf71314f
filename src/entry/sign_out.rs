//! Signing out.

use super::PresentedSecrets;
use crate::{sign_ins::SignIns, store::StoreError};

impl SignIns {
    /// Signs the browser out, or with `everywhere` the user, and ends what is pending in this
    /// browser.
    ///
    /// # Errors
    /// [`StoreError`] if the store could not be used; it is safe to repeat.
    pub async fn sign_out(
        &self,
        shown: &PresentedSecrets,
        everywhere: bool,
    ) -> Result<(), StoreError> {
        if let Some(who) = self.recognise(shown.session.as_ref()).await? {
            if everywhere {
                if self.revoke_sessions(&who, true).await? {
                    self.stores
                        .sessions
                        .delete_sessions_of(who.user.id, None)
                        .await?;
                }
            } else {
                self.stores.sessions.delete_session(who.session).await?;
            }
        }
        // Only now: a cancel is announced, and the tab that hears of it goes to the login page at
        // once, where it must not pass for a user who is still signed in.
        for (_, secret) in &shown.pending {
            self.cancel_begun_with(&secret.hash()).await?;
        }
        Ok(())
    }
}
