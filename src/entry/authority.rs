//! What a session may change in its user's account. The session is read once more before each
//! change, and the write names what was read: see [`Authority`].

use super::SignedIn;
use crate::{
    clock::Timestamp,
    email_address::Address,
    session::SessionState,
    sign_ins::SignIns,
    store::StoreError,
    user::{Authority, Moved},
};

/// How often a change is tried if another change of the same account overtakes it.
const TRIES: u32 = 8;

impl SignIns {
    /// Gives the user another password (a PHC string), and returns since when they are valid. All
    /// their sessions sign no one in any more, and their links are revoked. `None`: the session has
    /// ended.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be stored.
    pub async fn set_password(
        &self,
        who: &SignedIn,
        password: &str,
    ) -> Result<Option<Timestamp>, StoreError> {
        let mut tries = self.tries(who);
        while let Some(by) = tries.next().await? {
            if let Some(valid_from) = self
                .stores
                .users
                .set_password(by, password, self.clock.now())
                .await?
            {
                self.dispatch.wake();
                return Ok(Some(valid_from));
            }
        }
        Ok(None)
    }

    /// Changes the user's address from `from` to `to`. All their sessions sign no one in any more,
    /// and their links are revoked.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be stored.
    pub async fn move_user(
        &self,
        who: &SignedIn,
        from: &Address,
        to: &Address,
    ) -> Result<Moved, StoreError> {
        let mut tries = self.tries(who);
        while let Some(by) = tries.next().await? {
            match self
                .stores
                .users
                .move_user(by, from, to, self.clock.now())
                .await?
            {
                Moved::Revoked => {}
                moved => {
                    self.dispatch.wake();
                    return Ok(moved);
                }
            }
        }
        Ok(Moved::Revoked)
    }

    /// Whether the session may end others of its user, with `all` each one, itself too; what those
    /// were allowed is revoked then, and with `all` the user's links too.
    pub(crate) async fn revoke_sessions(
        &self,
        who: &SignedIn,
        all: bool,
    ) -> Result<bool, StoreError> {
        let mut tries = self.tries(who);
        while let Some(by) = tries.next().await? {
            if self
                .stores
                .users
                .revoke_sessions(by, all, self.clock.now())
                .await?
            {
                self.dispatch.wake();
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn tries<'v>(&'v self, who: &'v SignedIn) -> Retries<'v> {
        Retries {
            sign_ins: self,
            who,
            left: TRIES,
        }
    }

    /// What `who` may do now. The user is read before the session: where sessions are kept
    /// elsewhere, one that ends after that is counted after that as well.
    async fn authority(&self, who: &SignedIn) -> Result<Option<Authority>, StoreError> {
        let Some(user) = self.may_sign_in(who.user.id, who.since).await? else {
            return Ok(None);
        };
        let Some(session) = self.stores.sessions.session(who.session).await? else {
            return Ok(None);
        };
        let is_theirs = matches!(session.state, SessionState::Established { user: owner, .. } if owner == user.id);
        let holds = is_theirs && session.is_live(self.clock.now());
        Ok(holds.then_some(Authority {
            user: user.id,
            session: session.id,
            revision: user.revision,
        }))
    }
}

/// The tries at one change: whatever is changed meanwhile, what the session may do is read once
/// more.
struct Retries<'v> {
    sign_ins: &'v SignIns,
    who: &'v SignedIn,
    left: u32,
}

impl Retries<'_> {
    /// What the session may do now. `None`: nothing any more.
    async fn next(&mut self) -> Result<Option<Authority>, StoreError> {
        self.left = self.left.checked_sub(1).ok_or_else(|| {
            StoreError::Unavailable("the account is being changed again and again".to_owned())
        })?;
        self.sign_ins.authority(self.who).await
    }
}
