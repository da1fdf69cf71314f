//! Sessions in memory: gone at a restart, and known to one process alone.

use super::StoreError;
use crate::{
    clock::Timestamp,
    secret::SecretHash,
    session::{Session, SessionId, SessionState},
    store::SessionStore,
    user::UserId,
};
use async_trait::async_trait;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Sessions in memory.
#[derive(Debug, Default)]
pub struct MemorySessions(Mutex<SessionTable>);

#[derive(Debug, Default)]
struct SessionTable {
    by_id: HashMap<SessionId, Session>,
    /// Secrets and former secrets.
    by_secret: HashMap<SecretHash, SessionId>,
}

impl SessionTable {
    fn put(&mut self, session: &Session) {
        self.take(session.id);
        self.by_secret
            .extend(secrets(session).map(|secret| (secret, session.id)));
        self.by_id.insert(session.id, session.clone());
    }

    fn take(&mut self, id: SessionId) -> Option<Session> {
        let session = self.by_id.remove(&id)?;
        for secret in secrets(&session) {
            self.by_secret.remove(&secret);
        }
        Some(session)
    }

    fn take_all(&mut self, which: impl Fn(&Session) -> bool) -> u64 {
        let ids: Vec<_> = self
            .by_id
            .values()
            .filter(|session| which(session))
            .map(|session| session.id)
            .collect();
        ids.into_iter()
            .filter_map(|id| self.take(id))
            .map(|_| 1)
            .sum()
    }
}

/// The secrets that a session is found by.
fn secrets(session: &Session) -> impl Iterator<Item = SecretHash> {
    let (secret, former) = match session.state {
        SessionState::Pending { secret } | SessionState::Bound { secret, .. } => (secret, None),
        SessionState::Established { secret, former, .. } => {
            (secret, former.map(|former| former.secret))
        }
    };
    [Some(secret), former].into_iter().flatten()
}

impl MemorySessions {
    /// All sessions.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn all(&self) -> Vec<Session> {
        self.lock().by_id.values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, SessionTable> {
        // Nothing in here panics half-way through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl SessionStore for MemorySessions {
    async fn session_by_secret(&self, secret: &SecretHash) -> Result<Option<Session>, StoreError> {
        let sessions = self.lock();
        let id = sessions.by_secret.get(secret);
        Ok(id.and_then(|id| sessions.by_id.get(id)).cloned())
    }

    async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError> {
        Ok(self.lock().by_id.get(&id).cloned())
    }

    async fn insert_session(&self, session: &Session) -> Result<bool, StoreError> {
        let mut sessions = self.lock();
        let taken = secrets(session).any(|secret| sessions.by_secret.contains_key(&secret));
        if taken || sessions.by_id.contains_key(&session.id) {
            return Ok(false);
        }
        sessions.put(session);
        Ok(true)
    }

    async fn replace_session(&self, next: &Session) -> Result<bool, StoreError> {
        let mut sessions = self.lock();
        let expected = sessions
            .by_id
            .get(&next.id)
            .is_some_and(|current| current.revision + 1 == next.revision);
        if expected {
            sessions.put(next);
        }
        Ok(expected)
    }

    async fn delete_session(&self, id: SessionId) -> Result<(), StoreError> {
        self.lock().take(id);
        Ok(())
    }

    async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, StoreError> {
        let of_user = |session: &&Session| matches!(session.state, SessionState::Established { user: owner, .. } if owner == user);
        let mut sessions: Vec<_> = self
            .lock()
            .by_id
            .values()
            .filter(of_user)
            .cloned()
            .collect();
        sessions.sort_by_key(|session| std::cmp::Reverse(session.created_at));
        Ok(sessions)
    }

    async fn delete_sessions_of(
        &self,
        user: UserId,
        but: Option<SessionId>,
    ) -> Result<(), StoreError> {
        self.lock()
            .take_all(|session| session.user() == Some(user) && Some(session.id) != but);
        Ok(())
    }

    async fn sweep_sessions(&self, now: Timestamp) -> Result<u64, StoreError> {
        Ok(self.lock().take_all(|session| !session.is_live(now)))
    }
}
