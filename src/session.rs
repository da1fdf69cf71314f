//! Sessions: `Pending` (bound to nobody), `Bound` (rebound by the worker; good for nothing but the exchange),
//! `Established` (the secret exchanged), gone.
//!
//! A transition consumes the session and returns the next one, or says why it cannot. Nothing here does I/O: a store
//! keeps what comes out, by compare-and-set on the [`revision`](Session::revision), so that of two racing writers one
//! starts over and a deleted session is never written back to life.

use crate::{
    clock::Timestamp,
    confirmation::{Decided, Ending},
    device::Device,
    id::id,
    pending::TokenTag,
    secret::SecretHash,
    store::StoreError,
    timing::Timing,
    user::UserId,
};
use async_trait::async_trait;
use std::time::Duration;

id! {
    /// The id of a session. It never changes and never leaves the server.
    SessionId
}

/// A row found by the hash of a cookie's secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The session's id.
    pub id: SessionId,
    /// Counts the writes to this session; a store replaces a session only if nobody else has since it was read.
    pub revision: u64,
    /// The token whose confirmation made this session; `None` after a sign-in by password.
    pub token_tag: Option<TokenTag>,
    /// When it began.
    pub since: Timestamp,
    /// When it ends by itself. An established one is put off by use, and never beyond its absolute end.
    pub expires: Timestamp,
    /// What it is good for.
    pub state: SessionState,
}

/// What a session is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionState {
    /// Nothing: it is bound to nobody.
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
        seen: Timestamp,
        /// The pending secret that it was exchanged for, while the exchange may still be repeated.
        former: Option<Former>,
        /// The browser that it belongs to, if that has said what it is.
        device: Option<Device>,
    },
}

/// A pending secret that has been exchanged: good for the same answer again, and only until the answer is known to have
/// arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Former {
    /// The hash of the pending secret.
    pub secret: SecretHash,
    /// Until when the exchange may be repeated.
    pub until: Timestamp,
}

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
const SEEN_EVERY: Duration = Duration::from_mins(1);

/// When an established session that began at `since` and is used at `now` ends: once it has been idle, and at last however
/// much it is used (OWASP ASVS 5.0, 7.3.1 and 7.3.2).
fn end(since: Timestamp, now: Timestamp, timing: &Timing) -> Timestamp {
    (now + timing.idle).min(since + timing.absolute)
}

impl Session {
    /// A session that is bound to nobody, for the browser that holds the secret with the hash `secret`.
    #[must_use]
    pub const fn pending(id: SessionId, secret: SecretHash, tag: TokenTag, now: Timestamp, expires: Timestamp) -> Self {
        let state = SessionState::Pending { secret };
        Self { id, revision: 0, token_tag: Some(tag), since: now, expires, state }
    }

    /// A session of somebody who has proved who they are by a password, in the browser `device`.
    #[must_use]
    pub fn established(
        id: SessionId,
        secret: SecretHash,
        user: UserId,
        device: Option<Device>,
        now: Timestamp,
        timing: &Timing,
    ) -> Self {
        let state = SessionState::Established { secret, user, seen: now, former: None, device };
        Self { id, revision: 0, token_tag: None, since: now, expires: end(now, now, timing), state }
    }

    /// Binds a pending session to `user`, until `expires`. A replay changes nothing.
    ///
    /// # Errors
    /// [`WrongState`] if the session is another user's.
    pub fn rebind(self, user: UserId, expires: Timestamp) -> Result<Self, WrongState> {
        match self.state {
            SessionState::Pending { secret } => Ok(self.into_state(SessionState::Bound { secret, user }, expires)),
            SessionState::Bound { user: owner, .. } | SessionState::Established { user: owner, .. }
                if owner == user =>
            {
                Ok(self)
            }
            _ => Err(WrongState),
        }
    }

    /// What a decision makes of the session: a pending one is bound, for `bound` from then on, or deleted; any other has
    /// followed it before. So anyone may repeat it at any time.
    #[must_use]
    pub fn follow(self, decided: Decided, bound: Duration) -> Followed {
        match (decided.ending, &self.state) {
            (Ending::Confirmed(user), SessionState::Pending { .. }) => {
                self.rebind(user, decided.at + bound).map_or(Followed::Already, Followed::Bound)
            }
            (Ending::Rejected(_) | Ending::Unavailable, SessionState::Pending { .. }) => Followed::Gone,
            _ => Followed::Already,
        }
    }

    /// Swaps the pending secret of a bound session for `secret`, in the browser `device`. The exchange may be repeated for
    /// the grace of `timing`.
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
            SessionState::Bound { secret: former, user } if now < self.expires => {
                let former = Some(Former { secret: former, until: now + timing.grace });
                let state = SessionState::Established { secret, user, seen: now, former, device };
                let expires = end(self.since, now, timing);
                Ok(self.into_state(state, expires))
            }
            _ => Err(WrongState),
        }
    }

    /// The session after its own secret was shown, if that is worth a write: the first time ends the repeat of the
    /// exchange, later ones put the end off, at most once a minute.
    #[must_use]
    pub fn used(&self, now: Timestamp, timing: &Timing) -> Option<Self> {
        match &self.state {
            SessionState::Established { secret, user, seen, former, device }
                if former.is_some() || now.since(*seen) >= SEEN_EVERY =>
            {
                let (secret, user, device) = (*secret, *user, device.clone());
                let state = SessionState::Established { secret, user, seen: now, former: None, device };
                Some(self.clone().into_state(state, end(self.since, now, timing)))
            }
            _ => None,
        }
    }

    /// Whether the session is there at `now`.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.expires
    }

    /// Whom the session secret with the hash `shown` signs in. A pending or bound session signs nobody in.
    #[must_use]
    pub fn signs_in(&self, shown: &SecretHash, now: Timestamp) -> Option<UserId> {
        match &self.state {
            SessionState::Established { secret, user, .. } if secret == shown && self.is_live(now) => Some(*user),
            _ => None,
        }
    }

    /// Whom the pending secret with the hash `shown` may be exchanged for: a bound session's user, or, while the
    /// exchange may still be repeated, an established one's.
    #[must_use]
    pub fn exchangeable(&self, shown: &SecretHash, now: Timestamp) -> Option<UserId> {
        match &self.state {
            SessionState::Bound { secret, user } if secret == shown && self.is_live(now) => Some(*user),
            SessionState::Established { user, former: Some(former), .. }
                if former.secret == *shown && now < former.until && self.is_live(now) =>
            {
                Some(*user)
            }
            _ => None,
        }
    }

    /// Whether the exchange that it came of may be repeated until its own secret is shown.
    #[must_use]
    pub const fn is_repeatable(&self) -> bool {
        matches!(self.state, SessionState::Established { former: Some(_), .. })
    }

    /// When it was last used, to the minute; `None` if it signs nobody in.
    #[must_use]
    pub const fn seen(&self) -> Option<Timestamp> {
        match self.state {
            SessionState::Established { seen, .. } => Some(seen),
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

    fn into_state(self, state: SessionState, expires: Timestamp) -> Self {
        Self { state, expires, revision: self.revision + 1, ..self }
    }
}

/// Keeps sessions.
#[async_trait]
pub trait SessionStore: Send + Sync + 'static {
    /// The session whose secret, or former secret, has this hash.
    async fn session_by_secret(&self, secret: &SecretHash) -> Result<Option<Session>, StoreError>;

    /// The session with this id.
    async fn session(&self, id: SessionId) -> Result<Option<Session>, StoreError>;

    /// Keeps a new session. `false`: there is one with the same secret already, and nothing was changed.
    async fn insert_session(&self, session: &Session) -> Result<bool, StoreError>;

    /// Replaces the session that `next` came from, if it is still at the revision before. `false`: somebody else has
    /// written it or it is gone, and nothing was changed.
    async fn replace_session(&self, next: &Session) -> Result<bool, StoreError>;

    /// Deletes the session, whatever became of it meanwhile.
    async fn delete_session(&self, id: SessionId) -> Result<(), StoreError>;

    /// The user's established sessions, the newest first.
    async fn sessions_of(&self, user: UserId) -> Result<Vec<Session>, StoreError>;

    /// Deletes all sessions of the user, but for `but`.
    async fn delete_sessions_of(&self, user: UserId, but: Option<SessionId>) -> Result<(), StoreError>;

    /// Deletes sessions that expired before `now`, and returns how many.
    async fn sweep_sessions(&self, now: Timestamp) -> Result<u64, StoreError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: SecretHash = SecretHash::from_bytes([1; 32]);
    const NEW: SecretHash = SecretHash::from_bytes([2; 32]);
    const ADA: UserId = UserId::from_bytes([1; 16]);
    const BOB: UserId = UserId::from_bytes([2; 16]);

    fn timing() -> Timing {
        Timing::default()
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    fn pending() -> Session {
        Session::pending(SessionId::from_bytes([0; 16]), OLD, TokenTag::from_bytes([0; 8]), at(0), at(900))
    }

    fn bound() -> Session {
        pending().rebind(ADA, at(900)).unwrap()
    }

    fn established() -> Session {
        bound().exchange(NEW, Device::new("Firefox on Linux"), at(10), &timing()).unwrap()
    }

    #[test]
    fn a_pending_or_bound_session_signs_nobody_in() {
        assert_eq!(pending().signs_in(&OLD, at(1)), None);
        assert_eq!(bound().signs_in(&OLD, at(1)), None);
        assert_eq!(established().signs_in(&NEW, at(11)), Some(ADA));
    }

    #[test]
    fn a_pending_session_cannot_be_exchanged() {
        assert_eq!(pending().exchange(NEW, None, at(1), &timing()), Err(WrongState));
        assert_eq!(pending().exchangeable(&OLD, at(1)), None);
    }

    #[test]
    fn an_expired_bound_session_cannot_be_exchanged() {
        assert_eq!(bound().exchange(NEW, None, at(900), &timing()), Err(WrongState));
        assert_eq!(bound().exchangeable(&OLD, at(900)), None);
    }

    #[test]
    fn rebinding_again_changes_nothing_and_never_the_user() {
        assert_eq!(bound().rebind(ADA, at(5000)), Ok(bound()));
        assert_eq!(established().rebind(ADA, at(5000)), Ok(established()));
        assert_eq!(bound().rebind(BOB, at(5000)), Err(WrongState));
    }

    #[test]
    fn an_exchange_repeats_for_its_grace_and_then_the_old_secret_is_worth_nothing() {
        assert_eq!(established().exchangeable(&OLD, at(39)), Some(ADA));
        assert_eq!(established().exchangeable(&OLD, at(40)), None);
        assert_eq!(established().signs_in(&OLD, at(11)), None);
    }

    #[test]
    fn the_old_secret_is_worth_nothing_once_the_new_one_was_shown() {
        let used = established().used(at(11), &timing()).expect("the first use is written");
        assert_eq!(used.exchangeable(&OLD, at(12)), None);
        assert_eq!(used.signs_in(&NEW, at(12)), Some(ADA));
        assert_eq!(used.used(at(12), &timing()), None);
    }

    #[test]
    fn use_puts_the_end_off_and_idleness_ends_it() {
        let used = established().used(at(11), &timing()).unwrap().used(at(71), &timing()).unwrap();
        assert_eq!(used.expires, at(71) + timing().idle);
        assert_eq!(used.signs_in(&NEW, at(71) + timing().idle), None);
    }

    #[test]
    fn no_use_puts_the_end_off_beyond_the_absolute_one() {
        let absolute = at(0) + timing().absolute;
        let (mut session, mut now) = (established(), at(10));
        while session.is_live(now) {
            session = session.used(now, &timing()).unwrap_or(session);
            assert!(session.expires <= absolute);
            now = now + SEEN_EVERY * 60 * 24;
        }
        assert_eq!(session.expires, absolute);
        assert_eq!(session.signs_in(&NEW, absolute), None);
    }

    #[test]
    fn the_absolute_end_counts_from_the_beginning_however_a_session_began() {
        let short = Timing { idle: Duration::from_mins(1), absolute: Duration::from_secs(90), ..timing() };
        assert_eq!(bound().exchange(NEW, None, at(80), &short).unwrap().expires, at(90));
        let by_password = Session::established(SessionId::from_bytes([0; 16]), NEW, ADA, None, at(5), &short);
        assert_eq!(by_password.expires, at(65));
        assert_eq!(by_password.used(at(65), &short).unwrap().expires, at(95));
    }

    #[test]
    fn an_end_that_was_put_off_under_a_longer_limit_is_cut_at_the_next_use() {
        let short = Timing { idle: Duration::from_mins(1), absolute: Duration::from_secs(90), ..timing() };
        assert_eq!(established().used(at(75), &short).unwrap().expires, at(90));
    }

    #[test]
    fn the_browser_is_the_one_that_exchanged_and_stays_it() {
        let used = established().used(at(11), &timing()).unwrap();
        assert_eq!((bound().device(), used.device().map(Device::as_str)), (None, Some("Firefox on Linux")));
    }
}
