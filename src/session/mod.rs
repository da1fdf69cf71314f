//! Sessions: `Pending` (bound to no user), `Bound` (rebound by the worker; good for nothing but the
//! exchange), `Established` (the secret exchanged), gone.
//!
//! A transition consumes the session and returns the next one, or says why it cannot. Nothing here
//! does I/O: a store keeps what comes out, by compare-and-set on the
//! [`revision`](Session::revision), so that of two racing writers one starts over and a deleted
//! session is never written back to life.

mod transitions;

pub use crate::id::SessionId;
pub use transitions::{Followed, WrongState};

use crate::{
    clock::Timestamp, device::Device, id::UserId, pending::TokenTag, secret::SecretHash,
    timing::Timing,
};

/// A row found by the hash of a cookie's secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The session's id.
    pub id: SessionId,
    /// Counts the writes to this session; a store replaces a session only if it has not been
    /// written since it was read.
    pub revision: u64,
    /// The token whose confirmation made this session; `None` after a sign-in by password.
    pub token_tag: Option<TokenTag>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it ends by itself. An established one is put off by use, and never beyond its absolute
    /// end.
    pub expires_at: Timestamp,
    /// What it is good for.
    pub state: SessionState,
}

/// What a session is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionState {
    /// Nothing: it is bound to no user.
    Pending {
        /// The hash of the pending secret.
        secret: SecretHash,
    },
    /// The exchange, and nothing else.
    Bound {
        /// The hash of the pending secret.
        secret: SecretHash,
        /// Whose session it is.
        user: UserId,
    },
    /// Being signed in.
    Established {
        /// The hash of the session secret.
        secret: SecretHash,
        /// Whose session it is.
        user: UserId,
        /// When it was last used, to the minute.
        last_seen_at: Timestamp,
        /// The pending secret that it was exchanged for, while the exchange may still be repeated.
        former: Option<Former>,
        /// The browser that it belongs to, if that has said what it is.
        device: Option<Device>,
    },
}

/// A pending secret that has been exchanged: good for the same answer again, and only until the
/// answer is known to have arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Former {
    /// The hash of the pending secret.
    pub secret: SecretHash,
    /// Until when the exchange may be repeated.
    pub until: Timestamp,
}

/// When an established session that began at `since` and is used at `now` ends: once it has been
/// idle, and at last however much it is used (OWASP ASVS 5.0, 7.3.1 and 7.3.2).
fn end(since: Timestamp, now: Timestamp, timing: &Timing) -> Timestamp {
    (now + timing.idle).min(since + timing.absolute)
}

impl Session {
    /// A session that is bound to no user, for the browser that holds the secret with the hash
    /// `secret`.
    #[must_use]
    pub const fn pending(
        id: SessionId,
        secret: SecretHash,
        tag: TokenTag,
        now: Timestamp,
        expires_at: Timestamp,
    ) -> Self {
        let state = SessionState::Pending { secret };
        Self {
            id,
            revision: 0,
            token_tag: Some(tag),
            created_at: now,
            expires_at,
            state,
        }
    }

    /// A session of a user who has signed in by password, in the browser `device`.
    #[must_use]
    pub fn established(
        id: SessionId,
        secret: SecretHash,
        user: UserId,
        device: Option<Device>,
        now: Timestamp,
        timing: &Timing,
    ) -> Self {
        let state = SessionState::Established {
            secret,
            user,
            last_seen_at: now,
            former: None,
            device,
        };
        Self {
            id,
            revision: 0,
            token_tag: None,
            created_at: now,
            expires_at: end(now, now, timing),
            state,
        }
    }

    /// Whether the session is there at `now`.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }

    /// The user that the session secret with the hash `shown` signs in. A pending or bound session
    /// signs no one in.
    #[must_use]
    pub fn signs_in(&self, shown: &SecretHash, now: Timestamp) -> Option<UserId> {
        match &self.state {
            SessionState::Established { secret, user, .. }
                if secret == shown && self.is_live(now) =>
            {
                Some(*user)
            }
            _ => None,
        }
    }

    /// The user that an exchange of the pending secret with the hash `shown` would sign in: a bound
    /// session's user, or, while the exchange may still be repeated, an established one's.
    #[must_use]
    pub fn exchangeable(&self, shown: &SecretHash, now: Timestamp) -> Option<UserId> {
        match &self.state {
            SessionState::Bound { secret, user } if secret == shown && self.is_live(now) => {
                Some(*user)
            }
            SessionState::Established {
                user,
                former: Some(former),
                ..
            } if former.secret == *shown && now < former.until && self.is_live(now) => Some(*user),
            _ => None,
        }
    }

    /// The secret that it was exchanged for, until its own one is shown.
    #[must_use]
    pub const fn former(&self) -> Option<Former> {
        match self.state {
            SessionState::Established { former, .. } => former,
            SessionState::Pending { .. } | SessionState::Bound { .. } => None,
        }
    }

    /// Whether the exchange that it came of may be repeated until its own secret is shown.
    #[must_use]
    pub const fn is_repeatable(&self) -> bool {
        self.former().is_some()
    }

    /// When it was last used, to the minute; `None` if it signs no one in.
    #[must_use]
    pub const fn last_seen_at(&self) -> Option<Timestamp> {
        match self.state {
            SessionState::Established { last_seen_at, .. } => Some(last_seen_at),
            SessionState::Pending { .. } | SessionState::Bound { .. } => None,
        }
    }

    /// The browser that it belongs to, if that is known.
    #[must_use]
    pub const fn device(&self) -> Option<&Device> {
        match &self.state {
            SessionState::Established { device, .. } => device.as_ref(),
            SessionState::Pending { .. } | SessionState::Bound { .. } => None,
        }
    }

    /// Whose session it is.
    #[must_use]
    pub const fn user(&self) -> Option<UserId> {
        match self.state {
            SessionState::Pending { .. } => None,
            SessionState::Bound { user, .. } | SessionState::Established { user, .. } => Some(user),
        }
    }
}

#[cfg(test)]
mod tests;
