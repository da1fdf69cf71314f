//! Where a user is signed in, and the way to end a session from another browser.
//!
//! A session's id never leaves the server. A page names a session by its [`SessionHandle`], which
//! is looked for among the user's own sessions alone, so that no form can end another user's.

use super::{PresentedSecrets, SignedIn};
use crate::{
    clock::Timestamp,
    device::Device,
    secret::{Keys, Mac, Purpose},
    session::{Session, SessionId},
    sign_ins::SignIns,
    store::StoreError,
    user::UserId,
};
use std::{fmt, str::FromStr};

/// What a page calls a session of the user it is shown to: 64 bits of a MAC of both their ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionHandle([u8; 8]);

impl SessionHandle {
    /// The handles of a session under each key, the newest key's first: a page may be older than a
    /// rotation.
    fn each(keys: &Keys, user: UserId, session: SessionId) -> Vec<Self> {
        let cut = |mac: Mac| Self(std::array::from_fn(|place| mac.as_bytes()[place]));
        keys.macs(
            Purpose::SessionHandle,
            &[user.as_bytes(), session.as_bytes()],
        )
        .map(cut)
        .collect()
    }
}

impl fmt::Display for SessionHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

/// The text is no handle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a session's handle is 16 hexadecimal digits in lower case")]
pub struct InvalidHandle;

impl FromStr for SessionHandle {
    type Err = InvalidHandle;

    fn from_str(text: &str) -> Result<Self, InvalidHandle> {
        let handle = u64::from_str_radix(text, 16)
            .map(|number| Self(number.to_be_bytes()))
            .map_err(|_| InvalidHandle)?;
        if handle.to_string() == text {
            Ok(handle)
        } else {
            Err(InvalidHandle)
        }
    }
}

/// A session, as its user may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnSession {
    /// What a page calls it; `None`: it is the one that asks, which ends by signing out.
    pub handle: Option<SessionHandle>,
    /// The browser that it belongs to, if that is known.
    pub device: Option<Device>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_seen_at: Timestamp,
}

/// The state of the sessions whose pending secrets a browser shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PendingState {
    /// There are none.
    None,
    /// A sign-in is being checked.
    Pending,
    /// A sign-in is good: the next page that needs a user lets the browser in.
    Bound,
}

impl SignIns {
    /// When the session of `who` ends by itself if it is not used any more. `None`: it has ended.
    ///
    /// # Errors
    /// [`StoreError`] if the store could not be read.
    pub async fn session_end(&self, who: &SignedIn) -> Result<Option<Timestamp>, StoreError> {
        let session = self.stores.sessions.session(who.session).await?;
        Ok(session.map(|session| session.expires_at))
    }

    /// How far the sign-ins have come whose pending secrets are `shown`.
    ///
    /// # Errors
    /// [`StoreError`] if the store could not be read.
    pub async fn pending_state(
        &self,
        shown: &PresentedSecrets,
    ) -> Result<PendingState, StoreError> {
        let mut state = PendingState::None;
        for (_, secret) in &shown.pending {
            let hash = secret.hash();
            let session = self.stores.sessions.session_by_secret(&hash).await?;
            let now = self.clock.now();
            match session.filter(|session| session.is_live(now)) {
                Some(session) if session.exchangeable(&hash, now).is_some() => {
                    return Ok(PendingState::Bound);
                }
                Some(session) if session.user().is_none() => state = PendingState::Pending,
                _ => {}
            }
        }
        Ok(state)
    }

    /// Where the user is signed in: the session that asks, then the others, those first that were
    /// used last.
    ///
    /// # Errors
    /// [`StoreError`] if the store could not be read.
    pub async fn own_sessions(&self, who: &SignedIn) -> Result<Vec<OwnSession>, StoreError> {
        let mut sessions = self.stores.sessions.sessions_of(who.user.id).await?;
        let now = self.clock.now();
        sessions.retain(|session| {
            session.is_live(now) && who.user.may_sign_in(session.created_at, now)
        });
        sessions.sort_by_key(|session| {
            (
                session.id != who.session,
                std::cmp::Reverse(session.last_seen_at()),
            )
        });
        let own = |session: Session| {
            let handle = SessionHandle::each(&self.keys, who.user.id, session.id)
                .first()
                .copied();
            OwnSession {
                handle: handle.filter(|_| session.id != who.session),
                device: session.device().cloned(),
                created_at: session.created_at,
                last_seen_at: session.last_seen_at().unwrap_or(session.created_at),
            }
        };
        Ok(sessions.into_iter().map(own).collect())
    }

    /// Ends another session of the user. `false`: none of theirs has this handle, or it is the one
    /// that asks, or that one has ended.
    ///
    /// # Errors
    /// [`StoreError`] if the store could not be used; it is safe to repeat.
    pub async fn end_session(
        &self,
        who: &SignedIn,
        handle: SessionHandle,
    ) -> Result<bool, StoreError> {
        let sessions = self.stores.sessions.sessions_of(who.user.id).await?;
        let meant = |session: &&Session| {
            session.id != who.session
                && SessionHandle::each(&self.keys, who.user.id, session.id).contains(&handle)
        };
        let Some(session) = sessions.iter().find(meant) else {
            return Ok(false);
        };
        if !self.revoke_sessions(who, false).await? {
            return Ok(false);
        }
        self.stores.sessions.delete_session(session.id).await?;
        Ok(true)
    }

    /// Ends all sessions of the user but the one that asks, also those that no browser has come for
    /// yet.
    ///
    /// # Errors
    /// [`StoreError`] if the store could not be used; it is safe to repeat.
    pub async fn end_others(&self, who: &SignedIn) -> Result<(), StoreError> {
        if self.revoke_sessions(who, false).await? {
            self.stores
                .sessions
                .delete_sessions_of(who.user.id, Some(who.session))
                .await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: UserId = UserId::from_bytes([1; 16]);
    const BOB: UserId = UserId::from_bytes([2; 16]);
    const SESSION: SessionId = SessionId::from_bytes([3; 16]);

    #[test]
    fn a_handle_reads_back_and_nothing_else_does() {
        let handle = SessionHandle::each(&Keys::from_secret(&[1; 32]), ADA, SESSION)[0];
        assert_eq!(handle.to_string().parse(), Ok(handle));
        for bad in [
            "",
            "others",
            "+123456789012345",
            "ABCDEF0123456789",
            "0",
            &SESSION.to_string(),
        ] {
            assert_eq!(bad.parse::<SessionHandle>(), Err(InvalidHandle), "{bad}");
        }
    }

    #[test]
    fn a_handle_is_of_one_session_and_one_user_and_tells_nothing_of_either() {
        let keys = Keys::from_secret(&[1; 32]);
        let handle = SessionHandle::each(&keys, ADA, SESSION)[0];
        assert_ne!(handle, SessionHandle::each(&keys, BOB, SESSION)[0]);
        assert_ne!(
            handle,
            SessionHandle::each(&keys, ADA, SessionId::from_bytes([4; 16]))[0]
        );
        assert_ne!(
            handle,
            SessionHandle::each(&Keys::from_secret(&[2; 32]), ADA, SESSION)[0]
        );
        assert!(
            ![ADA.to_string(), SESSION.to_string()]
                .iter()
                .any(|id| id.contains(&handle.to_string()))
        );
    }
}
