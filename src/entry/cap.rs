//! How many sessions a user has at most.

use crate::{session::SessionId, sign_ins::SignIns, store::StoreError, user::UserId};

impl SignIns {
    /// Ends the sessions of `user` beyond the cap, those first that were used longest ago, and
    /// `newest` never.
    pub(super) async fn cap_sessions(&self, user: UserId, newest: SessionId) {
        // After the new one is there: of two that are made at once, one sees both.
        if let Err(error) = self.end_beyond_cap(user, newest).await {
            // The sign-in itself succeeded; the next one ends the sessions beyond the cap.
            tracing::warn!(%error, "the sessions of a user could not be counted");
        }
    }

    async fn end_beyond_cap(&self, user: UserId, newest: SessionId) -> Result<(), StoreError> {
        let mut sessions = self.stores.sessions.sessions_of(user).await?;
        let others = (self.room.caps().sessions as usize).saturating_sub(1);
        sessions.retain(|session| session.id != newest);
        sessions.sort_by_key(|session| std::cmp::Reverse(session.last_seen_at()));
        for session in sessions.into_iter().skip(others) {
            self.stores.sessions.delete_session(session.id).await?;
        }
        Ok(())
    }
}
