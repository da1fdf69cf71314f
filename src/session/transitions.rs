//! What a session becomes: bound or gone by a decision, established by the exchange, kept by use.

use super::{Former, Session, SessionState, end};
use crate::{
    clock::Timestamp,
    confirmation::{Decided, Ending},
    device::Device,
    id::UserId,
    secret::SecretHash,
    timing::Timing,
};
use std::time::Duration;

/// The session is not in a state for this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the session is not in a state for this")]
pub struct WrongState;

/// What a decision makes of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Followed {
    /// It is the user's.
    Bound(Session),
    /// It is to be deleted.
    Gone,
    /// Nothing is left to do.
    Already,
}

/// How often an established session's use is written down.
pub(super) const SEEN_EVERY: Duration = Duration::from_mins(1);

impl Session {
    /// Binds a pending session to `user`, until `expires_at`. A replay changes nothing.
    ///
    /// # Errors
    /// [`WrongState`] if the session is another user's.
    pub fn rebind(self, user: UserId, expires_at: Timestamp) -> Result<Self, WrongState> {
        match self.state {
            SessionState::Pending { secret } => {
                Ok(self.into_state(SessionState::Bound { secret, user }, expires_at))
            }
            SessionState::Bound { user: owner, .. }
            | SessionState::Established { user: owner, .. }
                if owner == user =>
            {
                Ok(self)
            }
            _ => Err(WrongState),
        }
    }

    /// What a decision makes of the session: a pending one is bound, for `bound` from then on, or
    /// deleted; any other has followed it before. So anyone may repeat it at any time.
    #[must_use]
    pub fn follow(self, decided: Decided, bound: Duration) -> Followed {
        match (decided.ending, &self.state) {
            (Ending::Confirmed(user), SessionState::Pending { .. }) => self
                .rebind(user, decided.at + bound)
                .map_or(Followed::Already, Followed::Bound),
            (Ending::Rejected(_) | Ending::Unavailable, SessionState::Pending { .. }) => {
                Followed::Gone
            }
            _ => Followed::Already,
        }
    }

    /// Swaps the pending secret of a bound session for `secret`, in the browser `device`. The
    /// exchange may be repeated for the grace of `timing`.
    ///
    /// # Errors
    /// [`WrongState`] if the session is not bound, or has expired.
    pub fn exchange(
        self,
        secret: SecretHash,
        device: Option<Device>,
        now: Timestamp,
        timing: &Timing,
    ) -> Result<Self, WrongState> {
        match self.state {
            SessionState::Bound {
                secret: former,
                user,
            } if now < self.expires_at => {
                let former = Some(Former {
                    secret: former,
                    until: now + timing.grace,
                });
                let state = SessionState::Established {
                    secret,
                    user,
                    last_seen_at: now,
                    former,
                    device,
                };
                let expires_at = end(self.created_at, now, timing);
                Ok(self.into_state(state, expires_at))
            }
            _ => Err(WrongState),
        }
    }

    /// The session after its own secret was shown, if that is worth a write: the first time ends
    /// the repeat of the exchange, later ones put the end off, at most once a minute.
    #[must_use]
    pub fn used(&self, now: Timestamp, timing: &Timing) -> Option<Self> {
        match &self.state {
            SessionState::Established {
                secret,
                user,
                last_seen_at,
                former,
                device,
            } if former.is_some() || now.since(*last_seen_at) >= SEEN_EVERY => {
                let secret = *secret;
                let user = *user;
                let device = device.clone();
                let state = SessionState::Established {
                    secret,
                    user,
                    last_seen_at: now,
                    former: None,
                    device,
                };
                Some(
                    self.clone()
                        .into_state(state, end(self.created_at, now, timing)),
                )
            }
            _ => None,
        }
    }

    fn into_state(self, state: SessionState, expires_at: Timestamp) -> Self {
        Self {
            state,
            expires_at,
            revision: self.revision + 1,
            ..self
        }
    }
}
