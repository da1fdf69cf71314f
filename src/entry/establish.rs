//! A session for a user who has proved who they are without a link of a validator.

use super::{PresentedSecrets, SignedIn};
use crate::{
    clock::Timestamp,
    pending::TokenTag,
    secret::SessionSecret,
    session::{Session, SessionId},
    sign_ins::SignIns,
    store::StoreError,
    user::UserId,
};

impl SignIns {
    /// Signs in, in this browser, a user who has proved in another way that they are the user who
    /// is valid from `valid_from` on. That check began at `since`. Ends the session that the
    /// browser had. `None`: they have changed how they sign in meanwhile, or were disabled or
    /// removed, so the proof no longer counts.
    ///
    /// # Errors
    /// [`StoreError`] if the store could not be used.
    pub async fn sign_in(
        &self,
        user: UserId,
        valid_from: Timestamp,
        since: Timestamp,
        shown: &PresentedSecrets,
    ) -> Result<Option<SessionSecret>, StoreError> {
        self.establish(user, valid_from, since, None, shown).await
    }

    /// Gives `who`, who has just changed how they sign in and is valid from `valid_from` on, a new
    /// session, which is said to come from `token_tag`.
    ///
    /// # Errors
    /// [`StoreError`] if the store could not be used.
    pub async fn renew_session(
        &self,
        who: &SignedIn,
        valid_from: Timestamp,
        token_tag: Option<TokenTag>,
        shown: &PresentedSecrets,
    ) -> Result<Option<SessionSecret>, StoreError> {
        let user = who.user.id;
        self.establish(user, valid_from, valid_from, token_tag, shown)
            .await
    }

    async fn establish(
        &self,
        user: UserId,
        valid_from: Timestamp,
        since: Timestamp,
        token_tag: Option<TokenTag>,
        shown: &PresentedSecrets,
    ) -> Result<Option<SessionSecret>, StoreError> {
        let secret = SessionSecret::generate(&*self.entropy);
        let id = SessionId::generate_at(self.clock.now(), &*self.entropy);
        let device = shown.device.clone();
        let session = Session {
            token_tag,
            ..Session::established(id, secret.hash(), user, device, since, &self.timing)
        };
        if !self.stores.sessions.insert_session(&session).await? {
            return Err(StoreError::Unavailable(
                "a fresh secret is taken: the entropy repeats itself".into(),
            ));
        }
        // After the session is there: whatever ends the user's sessions after this ends it as well.
        let known = self.stores.users.user(user).await?;
        if known.is_none_or(|known| known.valid_from != valid_from || known.disabled) {
            self.stores.sessions.delete_session(id).await?;
            return Ok(None);
        }
        if let Some(old) = self.who(shown.session.as_ref()).await? {
            self.stores.sessions.delete_session(old.session).await?;
        }
        self.cap_sessions(user, id).await;
        Ok(Some(secret))
    }
}
