//! Sessions kept apart from confirmations and users, in a store of their own.
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

use super::{BeginError, ConfirmationStore, Database, Settlement, StoreError};
use crate::{
    caps::Admission,
    clock::Timestamp,
    confirmation::{
        Claim, ClaimLimits, Confirmation, ConfirmationId, Decider, Decision, State, Which, WorkerId,
    },
    email_address::Address,
    failpoint,
    secret::SecretHash,
    session::{Followed, Session, SessionId, SessionState},
    store::{SessionStore, UserStore},
    user::{Authority, Moved, User, UserId},
};
use async_trait::async_trait;
use std::{sync::Arc, time::Duration};

/// A database of confirmations and users, and a session store beside it.
#[derive(Clone)]
pub struct Apart {
    database: Arc<dyn Database>,
    sessions: Arc<dyn SessionStore>,
    bound: Duration,
}

/// How long a decision may stay unsettled before a worker takes it for abandoned.
const ABANDONED: Duration = Duration::from_secs(5);

impl Apart {
    /// A `database` that leaves sessions alone, and `sessions`. A bound session waits for its
    /// browser for `bound`.
    #[must_use]
    pub fn new(
        database: Arc<dyn Database>,
        sessions: Arc<dyn SessionStore>,
        bound: Duration,
    ) -> Self {
        Self {
            database,
            sessions,
            bound,
        }
    }

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

    async fn settle_abandoned(&self, now: Timestamp) -> Result<(), StoreError> {
        for confirmation in self.database.unsettled(now - ABANDONED).await? {
            tracing::info!(confirmation = %confirmation.id, "was decided and not settled; settling it");
            self.settle(confirmation).await?;
        }
        Ok(())
    }
}

#[async_trait]
impl ConfirmationStore for Apart {
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

    async fn undecided(&self, at_most: u32) -> Result<u32, StoreError> {
        self.database.undecided(at_most).await
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

    async fn claim(
        &self,
        worker: WorkerId,
        which: Which,
        limits: &ClaimLimits,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Claim>, StoreError> {
        if let Err(error) = self.settle_abandoned(now).await {
            // Validating goes on meanwhile: what it comes to waits in the database.
            tracing::error!(%error, "the worker cannot settle what is decided");
        }
        self.database.claim(worker, which, limits, now, until).await
    }

    async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.database.next_due().await
    }

    async fn next_due_after(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        self.database.next_due_after(now).await
    }

    async fn next_overdue(&self) -> Result<Option<Timestamp>, StoreError> {
        self.database.next_overdue().await
    }

    async fn postpone(
        &self,
        claim: &Claim,
        due: Timestamp,
        failed: bool,
    ) -> Result<bool, StoreError> {
        self.database.postpone(claim, due, failed).await
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

    async fn unsettled(&self, before: Timestamp) -> Result<Vec<Confirmation>, StoreError> {
        self.database.unsettled(before).await
    }

    async fn mark_settled(&self, id: ConfirmationId) -> Result<(), StoreError> {
        self.database.mark_settled(id).await
    }

    async fn sweep_confirmations(&self, before: Timestamp) -> Result<u64, StoreError> {
        self.database.sweep_confirmations(before).await
    }
}

#[async_trait]
impl SessionStore for Apart {
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
        self.database.count_ended_session(user).await?;
        self.sessions.delete_session(id).await?;
        self.database.count_ended_session(user).await
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
        self.database.count_ended_session(user).await
    }

    async fn sweep_sessions(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.sessions.sweep_sessions(now).await
    }
}

#[async_trait]
impl UserStore for Apart {
    async fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        self.database.user(id).await
    }

    async fn user_by_identity(
        &self,
        issuer: &str,
        subject: &str,
    ) -> Result<Option<User>, StoreError> {
        self.database.user_by_identity(issuer, subject).await
    }

    async fn password(&self, subject: &str) -> Result<Option<(User, String)>, StoreError> {
        self.database.password(subject).await
    }

    async fn put_user(&self, user: &User, password: Option<&str>) -> Result<UserId, StoreError> {
        self.database.put_user(user, password).await
    }

    async fn users(&self, after: Option<&User>, limit: u32) -> Result<Vec<User>, StoreError> {
        self.database.users(after, limit).await
    }

    async fn set_password(
        &self,
        by: Authority,
        password: &str,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, StoreError> {
        self.database.set_password(by, password, now).await
    }

    async fn rehash_password(&self, id: UserId, from: &str, to: &str) -> Result<(), StoreError> {
        self.database.rehash_password(id, from, to).await
    }

    async fn move_user(
        &self,
        by: Authority,
        from: &Address,
        to: &Address,
        now: Timestamp,
    ) -> Result<Moved, StoreError> {
        self.database.move_user(by, from, to, now).await
    }

    async fn revoke_sessions(
        &self,
        by: Authority,
        all: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.database.revoke_sessions(by, all, now).await
    }

    async fn count_ended_session(&self, user: UserId) -> Result<(), StoreError> {
        self.database.count_ended_session(user).await
    }

    async fn disable_user(
        &self,
        id: UserId,
        disabled: bool,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.database.disable_user(id, disabled, now).await
    }

    async fn remove_user(&self, id: UserId) -> Result<bool, StoreError> {
        // The sessions first, so that a repeat after a failure still finds the user. A session made
        // in between signs no one in once the user has gone.
        self.sessions.delete_sessions_of(id, None).await?;
        self.database.remove_user(id).await
    }
}
