//! Sessions in a store of their own, beside the database of everything else.
//!
//! No transaction spans both, so the order of the writes carries the rules:
//!
//! - To begin, the session comes first: a confirmation without one could never be settled, and a
//!   session that stays alone expires.
//! - To decide, the database comes first: its write is the only deciding one. The session follows,
//!   then the mark that it has. A process that was killed in between leaves a confirmation decided
//!   and not settled. Each reader of one makes the session follow before anything else. That is
//!   safe at any time and from anywhere: a session is replaced by compare-and-set from the pending
//!   one, and one that has gone is never made again.
//! - To end sessions, the session store comes before the count in the database: a change of the
//!   account that was allowed to a session names the count from before, and is refused.

use super::{
    BeginError, ConfirmationStore, SessionStore, SessionUserStore, SessionWithUser, Settlement,
    StoreError, UserStore,
};
use crate::{
    caps::Admission,
    clock::Timestamp,
    confirmation::{Confirmation, ConfirmationId, Decider, Decision, Noted, State, Wait},
    failpoint,
    secret::SecretHash,
    session::{Followed, Session, SessionId, SessionState},
    user::UserId,
};
use async_trait::async_trait;
use std::{sync::Arc, time::Duration};

/// Confirmations whose sessions are stored elsewhere.
pub(super) struct SplitConfirmations {
    pub database: Arc<dyn ConfirmationStore>,
    pub sessions: Arc<dyn SessionStore>,
    /// How long a bound session waits for its browser.
    pub bound: Duration,
}

/// Sessions whose users are stored elsewhere.
pub(super) struct SplitSessions {
    pub sessions: Arc<dyn SessionStore>,
    pub users: Arc<dyn UserStore>,
}

/// How long a decision may stay unsettled before a worker takes it for abandoned.
const ABANDONED: Duration = Duration::from_secs(5);

impl SplitConfirmations {
    /// Makes the session follow a decision that it does not follow yet.
    async fn settle(&self, confirmation: Confirmation) -> Result<Confirmation, StoreError> {
        let State::Decided(decided) = confirmation.state else {
            return Ok(confirmation);
        };
        failpoint::reach("settling");
        while let Some(session) = self.sessions.session(confirmation.session).await? {
            let done = match session.follow(decided, self.bound) {
                // Another process has bound it to the same user, or deleted it since: reading it
                // again tells which.
                Followed::Bound(bound) => self.sessions.replace_session(&bound).await?,
                Followed::Gone => {
                    self.sessions.delete_session(confirmation.session).await?;
                    true
                }
                Followed::Already => true,
            };
            if done {
                break;
            }
        }
        failpoint::reach("followed");
        self.database.mark_settled(confirmation.id).await?;
        Ok(confirmation.settle())
    }
}

#[async_trait]
impl ConfirmationStore for SplitConfirmations {
    async fn begin(
        &self,
        confirmation: &Confirmation,
        session: &Session,
        admission: Admission,
    ) -> Result<Confirmation, BeginError> {
        if let Some(known) = self.confirmation_by_secret(&confirmation.secret).await? {
            return Ok(known);
        }
        let mut confirmation = confirmation.clone();
        let inserted = self.sessions.insert_session(session).await?;
        if !inserted {
            // Another begin with the same secret was here, and perhaps was killed before it came to
            // the database.
            let first = self
                .sessions
                .session_by_secret(&confirmation.secret)
                .await?;
            let first = first.filter(|first| matches!(first.state, SessionState::Pending { .. }));
            confirmation.session = first.map(|first| first.id).ok_or_else(|| {
                StoreError::Unavailable(
                    "the pending session went while its confirmation began".into(),
                )
            })?;
        }
        match self.database.begin(&confirmation, session, admission).await {
            Ok(stored) => Ok(self.settle(stored).await?),
            Err(BeginError::Capped(cap)) => {
                // A refused begin leaves nothing behind, or refused ones would fill the store.
                // Another begin with the same secret may have been let in meanwhile, with this
                // session.
                if inserted
                    && self
                        .database
                        .confirmation_by_secret(&confirmation.secret)
                        .await?
                        .is_none()
                {
                    self.sessions.delete_session(session.id).await?;
                }
                Err(cap.into())
            }
            Err(error) => Err(error),
        }
    }

    async fn confirmation_by_secret(
        &self,
        secret: &SecretHash,
    ) -> Result<Option<Confirmation>, StoreError> {
        match self.database.confirmation_by_secret(secret).await? {
            Some(confirmation) => self.settle(confirmation).await.map(Some),
            None => Ok(None),
        }
    }

    async fn confirmation(&self, id: ConfirmationId) -> Result<Option<Confirmation>, StoreError> {
        match self.database.confirmation(id).await? {
            Some(confirmation) => self.settle(confirmation).await.map(Some),
            None => Ok(None),
        }
    }

    async fn wait(
        &self,
        id: ConfirmationId,
        wait: Wait,
        now: Timestamp,
    ) -> Result<Noted, StoreError> {
        self.database.wait(id, wait, now).await
    }

    async fn decide(
        &self,
        id: ConfirmationId,
        decider: Decider,
        decision: &Decision,
        settlement: Settlement,
    ) -> Result<Option<Confirmation>, StoreError> {
        match self
            .database
            .decide(id, decider, decision, settlement)
            .await?
        {
            Some(stored) => self.settle(stored).await.map(Some),
            None => Ok(None),
        }
    }

    async fn revoke(&self, id: ConfirmationId, session: SessionId) -> Result<(), StoreError> {
        self.sessions.delete_session(session).await?;
        self.database.revoke(id, session).await
    }

    async fn settle_abandoned(&self, now: Timestamp) -> Result<(), StoreError> {
        for confirmation in self.database.unsettled(now - ABANDONED).await? {
            tracing::info!(confirmation = %confirmation.id, "was decided and not settled; settling it");
            self.settle(confirmation).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl SessionStore for SplitSessions {
    async fn session_by_secret(&self, secret: &SecretHash) -> Result<Option<Session>, StoreError> {
        self.sessions.session_by_secret(secret).await
    }

    async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        self.sessions.session(id).await
    }

    async fn insert_session(&self, session: &Session) -> Result<bool, StoreError> {
        self.sessions.insert_session(session).await
    }

    async fn replace_session(&self, next: &Session) -> Result<bool, StoreError> {
        self.sessions.replace_session(next).await
    }

    async fn delete_session(&self, id: SessionId) -> Result<(), StoreError> {
        let session = self.sessions.session(id).await?;
        let Some(user) = session.and_then(|session| session.user()) else {
            return self.sessions.delete_session(id).await;
        };
        // Count before as well: once the session has gone, a repeat would not know its user.
        self.users.count_ended_session(user).await?;
        self.sessions.delete_session(id).await?;
        self.users.count_ended_session(user).await
    }

    async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        self.sessions.sessions_of(user).await
    }

    async fn delete_sessions_of(
        &self,
        user: UserId,
        but: Option<SessionId>,
    ) -> Result<(), StoreError> {
        self.sessions.delete_sessions_of(user, but).await?;
        self.users.count_ended_session(user).await
    }

    async fn sweep_sessions(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.sessions.sweep_sessions(now).await
    }
}

#[async_trait]
impl SessionUserStore for SplitSessions {
    async fn session_with_user(
        &self,
        secret: &SecretHash,
    ) -> Result<Option<SessionWithUser>, StoreError> {
        let Some(session) = self.sessions.session_by_secret(secret).await? else {
            return Ok(None);
        };
        let user = match session.user() {
            Some(user) => self.users.user(user).await?,
            None => None,
        };
        Ok(Some(SessionWithUser { session, user }))
    }
}
