//! Who a browser is signed in as, by its session cookie alone.

use super::SignedIn;
use crate::{
    clock::Timestamp,
    secret::SessionSecret,
    session::Session,
    sign_ins::SignIns,
    store::{SessionWithUser, StoreError},
    user::{User, UserId},
};

impl SignIns {
    /// The user that the session secret `shown` signs in. Never exchanges; extends the session.
    ///
    /// # Errors
    /// [`StoreError`] if the store could not be used.
    pub async fn who(&self, shown: Option<&SessionSecret>) -> Result<Option<SignedIn>, StoreError> {
        let Some((session, who)) = self.signed_in_by(shown).await? else {
            return Ok(None);
        };
        self.note_use(&session).await?;
        Ok(Some(who))
    }

    /// The user that the session secret `shown` signs in. Writes nothing: a landing changes
    /// nothing.
    ///
    /// # Errors
    /// [`StoreError`] if the store could not be read.
    pub async fn recognise(
        &self,
        shown: Option<&SessionSecret>,
    ) -> Result<Option<SignedIn>, StoreError> {
        Ok(self.signed_in_by(shown).await?.map(|(_, who)| who))
    }

    /// Puts the end of a session off whose own secret was shown, and ends the repeat of its
    /// exchange.
    pub(super) async fn note_use(&self, session: &Session) -> Result<(), StoreError> {
        let Some(used) = session.used(self.clock.now(), &self.timing) else {
            return Ok(());
        };
        match self.stores.sessions.replace_session(&used).await {
            // Losing to another request of the same browser is as good.
            Ok(_) => Ok(()),
            // A full store can still be read. A later request extends the session.
            Err(StoreError::Unavailable(error)) if !session.is_repeatable() => {
                tracing::warn!(error, "the use of a session could not be noted");
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    pub(super) async fn signed_in_by(
        &self,
        shown: Option<&SessionSecret>,
    ) -> Result<Option<(Session, SignedIn)>, StoreError> {
        let Some(hash) = shown.map(SessionSecret::hash) else {
            return Ok(None);
        };
        let found = self.stores.session_users.session_with_user(&hash).await?;
        let Some(SessionWithUser { session, user }) = found else {
            return Ok(None);
        };
        let now = self.clock.now();
        let signed_in = session.signs_in(&hash, now);
        let Some(user) = user
            .filter(|user| signed_in == Some(user.id) && user.may_sign_in(session.created_at, now))
        else {
            return Ok(None);
        };
        let who = SignedIn {
            user,
            session: session.id,
            since: session.created_at,
            token_tag: session.token_tag,
        };
        Ok(Some((session, who)))
    }

    /// The user, if a session that began at `since` may sign them in.
    pub(super) async fn may_sign_in(
        &self,
        id: UserId,
        since: Timestamp,
    ) -> Result<Option<User>, StoreError> {
        Ok(self
            .stores
            .users
            .user(id)
            .await?
            .filter(|user| user.may_sign_in(since, self.clock.now())))
    }
}
