//! What a browser may know of its confirmation.

use super::{Progress, Report, SignIns};
use crate::{
    channel::Channel,
    confirmation::{Confirmation, Ending, Rejection, State},
    outcome::Outcome,
    path::LocalPath,
    pending::TokenTag,
    secret::{PendingSecret, SecretHash, SessionSecret},
    session::{Session, SessionId},
    store::StoreError,
    token::Token,
};

impl SignIns {
    /// Reports how far the confirmation has come that this browser began with `token`: to its
    /// pending cookie, or, once that was exchanged, to the session cookie that came of it.
    ///
    /// # Errors
    /// [`StoreError`] if the store could not be read.
    pub async fn status(
        &self,
        token: &Token,
        shown: Option<&str>,
        session: Option<&SessionSecret>,
    ) -> Result<Report, StoreError> {
        let cookie = self.genuine(token, shown);
        if let Some(cookie) = &cookie {
            let known = self
                .stores
                .confirmations
                .confirmation_by_secret(&cookie.secret.hash())
                .await?;
            if let Some(confirmation) = known {
                return self.report(&confirmation).await;
            }
        }
        let progress = match self.session_from(token, session).await? {
            Some(session) => {
                let next = self.next_of_former(&session).await?;
                let redirect = self.destinations.confirmed_for(next.as_ref());
                Progress::Done(Outcome::Confirmed { redirect })
            }
            None => Progress::Unknown,
        };
        Ok(Report {
            channel: cookie.map(|cookie| Channel::of(&cookie.secret.hash())),
            progress,
        })
    }

    /// Where the sign-in leads that was begun with this pending secret, if not to where all do.
    ///
    /// # Errors
    /// [`StoreError`] if the store could not be read.
    pub async fn next(&self, secret: &SecretHash) -> Result<Option<LocalPath>, StoreError> {
        let confirmation = self
            .stores
            .confirmations
            .confirmation_by_secret(secret)
            .await?;
        Ok(confirmation.and_then(|confirmation| confirmation.next))
    }

    /// The same of a session that has come of it just now: another tab of the browser may be late.
    async fn next_of_former(&self, session: &Session) -> Result<Option<LocalPath>, StoreError> {
        match session.former() {
            Some(former) => self.next(&former.secret).await,
            None => Ok(None),
        }
    }

    /// Whether `session` is signed in by a confirmation with `token`.
    ///
    /// # Errors
    /// [`StoreError`] if the store could not be read.
    pub async fn came_from(
        &self,
        token: &Token,
        session: Option<&SessionSecret>,
    ) -> Result<bool, StoreError> {
        Ok(self.session_from(token, session).await?.is_some())
    }

    /// The session with this secret, if it is signed in by a confirmation with `token`.
    async fn session_from(
        &self,
        token: &Token,
        session: Option<&SessionSecret>,
    ) -> Result<Option<Session>, StoreError> {
        let Some(secret) = session.map(SessionSecret::hash) else {
            return Ok(None);
        };
        let session = self.stores.sessions.session_by_secret(&secret).await?;
        let signed_in =
            session.filter(|session| session.signs_in(&secret, self.clock.now()).is_some());
        let tags = TokenTag::each(&self.keys, token);
        Ok(signed_in.filter(|session| session.token_tag.is_some_and(|tag| tags.contains(&tag))))
    }
    /// Whether a sign-in that was begun with this pending secret is on its way: undecided, or
    /// confirmed with a session that the browser can still get.
    ///
    /// # Errors
    /// [`StoreError`] if the store could not be read.
    pub async fn is_in_progress(&self, secret: &PendingSecret) -> Result<bool, StoreError> {
        let Some(confirmation) = self
            .stores
            .confirmations
            .confirmation_by_secret(&secret.hash())
            .await?
        else {
            return Ok(false);
        };
        match confirmation.ending() {
            None => Ok(true),
            Some(Ending::Confirmed(_)) => self.lives(confirmation.session).await,
            Some(Ending::Rejected(_) | Ending::Unavailable) => Ok(false),
        }
    }

    /// What a browser may know of `confirmation`: that it is confirmed only while its session
    /// lives.
    pub(super) async fn report(&self, confirmation: &Confirmation) -> Result<Report, StoreError> {
        let progress = match &confirmation.state {
            State::Queued(queued) => Progress::Waiting(queued.step()),
            State::Decided(decided) | State::Settled(decided) => {
                Progress::Done(match decided.ending {
                    Ending::Confirmed(_) if !self.lives(confirmation.session).await? => {
                        self.destinations.rejected(Rejection::Expired)
                    }
                    ending => self
                        .destinations
                        .outcome(ending, confirmation.next.as_ref()),
                })
            }
        };
        Ok(Report {
            channel: Some(Channel::of(&confirmation.secret)),
            progress,
        })
    }

    async fn lives(&self, id: SessionId) -> Result<bool, StoreError> {
        Ok(self
            .stores
            .sessions
            .session(id)
            .await?
            .is_some_and(|session| session.is_live(self.clock.now())))
    }
}
