//! Sessions, alone and together with their users.

use crate::{
    clock::Timestamp,
    id::{SessionId, UserId},
    secret::SecretHash,
    session::Session,
    store::StoreError,
    user::User,
};
use async_trait::async_trait;

/// Stores sessions.
#[async_trait]
pub trait SessionStore: Send + Sync + 'static {
    /// The session whose secret, or former secret, has this hash.
    async fn session_by_secret(&self, secret: &SecretHash) -> Result<Option<Session>, StoreError>;

    /// The session with this id.
    async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError>;

    /// Stores a new session. `false`: there is one with the same secret already, and nothing was
    /// changed.
    async fn insert_session(&self, session: &Session) -> Result<bool, StoreError>;

    /// Replaces the session that `next` came from, if it is still at the revision before. `false`:
    /// it was written since or is gone, and nothing was changed.
    async fn replace_session(&self, next: &Session) -> Result<bool, StoreError>;

    /// Deletes the session, whatever became of it meanwhile.
    async fn delete_session(&self, id: SessionId) -> Result<(), StoreError>;

    /// The user's established sessions, the newest first.
    async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, StoreError>;

    /// Deletes all sessions of the user, but for `but`.
    async fn delete_sessions_of(
        &self,
        user: UserId,
        but: Option<SessionId>,
    ) -> Result<(), StoreError>;

    /// Deletes sessions that expired before `now`, and returns how many.
    async fn sweep_sessions(&self, now: Timestamp) -> Result<u64, StoreError>;
}

/// Reads sessions together with their users: what each question of who is signed in needs.
#[async_trait]
pub trait SessionUserStore: Send + Sync + 'static {
    /// The session whose secret, or former secret, has this hash. Where one database holds both, it
    /// and its user are as they were at one moment.
    async fn session_with_user(
        &self,
        secret: &SecretHash,
    ) -> Result<Option<SessionWithUser>, StoreError>;
}

/// A session, and the user that it is bound to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionWithUser {
    /// The session.
    pub session: Session,
    /// `None` if it is bound to no one, or they were removed.
    pub user: Option<User>,
}
