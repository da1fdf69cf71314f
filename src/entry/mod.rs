//! Who a browser is signed in as, the exchange, and signing out.
//!
//! Asking who is signed in ([`SignIns::who`]) never exchanges anything. Entering
//! ([`SignIns::enter`]) is for a page that needs a user, on a real navigation: it may swap a
//! `Bound` session's pending secret for a session secret that only the response carries.

mod authority;
mod exchange;
mod sessions;

pub use sessions::{InvalidHandle, OwnSession, PendingState, SessionHandle};

use crate::{
    clock::Timestamp,
    device::Device,
    pending::TokenTag,
    secret::{PendingSecret, SessionSecret},
    session::{Session, SessionId},
    sign_ins::SignIns,
    store::{SessionWithUser, StoreError},
    user::{PASSWORD_ISSUER, User, UserId},
};
use sha2::{Digest as _, Sha256};
use std::time::Duration;

/// What a request has shown.
#[derive(Clone, Debug, Default)]
pub struct PresentedSecrets {
    /// The session cookie's.
    pub session: Option<SessionSecret>,
    /// The pending cookies', under their tokens' tags.
    pub pending: Vec<(TokenTag, PendingSecret)>,
    /// What its browser calls itself.
    pub device: Option<Device>,
}

/// A user who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// The user.
    pub user: User,
    /// The session that says so.
    pub session: SessionId,
    /// When it began: shortly before they proved who they are.
    pub since: Timestamp,
    /// The token by which they have signed in; `None` after a sign-in by password.
    pub token_tag: Option<TokenTag>,
}

/// How a user has proved who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// By their password here.
    Password,
    /// By a link of ours that was mailed to them, or handed over by an operator.
    Link,
    /// By a link that the validator has judged.
    Validator,
}

impl Method {
    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Link => "link",
            Self::Validator => "validator",
        }
    }
}

/// How long a sign-in proves who the user is, for actions that must be closed to a person who finds
/// their browser open (OWASP ASVS 5.0, 7.5.1).
const FRESH: Duration = Duration::from_mins(20);

impl SignedIn {
    /// What applications call the session: 128 bits of a hash of its id, which has 80 random bits
    /// and never leaves the server. It is the same on all servers, also while the operator's keys
    /// change.
    #[must_use]
    pub fn sid(&self) -> String {
        let digest = Sha256::new_with_prefix(b"vestibule/1 sid")
            .chain_update(self.session.as_bytes())
            .finalize();
        let half: [u8; 16] = std::array::from_fn(|place| digest[place]);
        format!("{:032x}", u128::from_be_bytes(half))
    }

    /// Whether they proved who they are shortly before `now`.
    #[must_use]
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        now.since(self.since) < FRESH
    }

    /// How they have proved who they are.
    #[must_use]
    pub fn method(&self) -> Method {
        if self.token_tag.is_none() {
            Method::Password
        } else if self.user.identity.issuer == PASSWORD_ISSUER {
            Method::Link
        } else {
            Method::Validator
        }
    }
}

/// Who enters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// No known user.
    SignedOut,
    /// A user.
    SignedIn(SignIn),
    /// Entering would switch the user, so the page must ask first.
    ChooseAccount {
        /// Who is signed in now.
        current: Option<User>,
        /// The users that the browser's links would sign in.
        candidates: Vec<(TokenTag, User)>,
    },
}

/// A user who enters, and what the response has to do: set the session cookie to `renewed`, if
/// there is one, and remove the pending cookies with the tags in `spent`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// Who it is.
    pub who: SignedIn,
    /// The session's new secret.
    pub renewed: Option<SessionSecret>,
    /// Whether this very request has exchanged it for the pending one, and not one before it.
    pub arrived: bool,
    /// Whose secrets are worth nothing any more.
    pub spent: Vec<TokenTag>,
}

impl From<SignedIn> for SignIn {
    /// Nothing was exchanged.
    fn from(who: SignedIn) -> Self {
        Self {
            who,
            renewed: None,
            arrived: false,
            spent: Vec::new(),
        }
    }
}

/// A session that a shown pending secret can be exchanged in.
struct ExchangeCandidate {
    tag: TokenTag,
    secret: PendingSecret,
    session: Session,
    user: UserId,
}

impl SignIns {
    /// The user that the session secret `shown` signs in. Never exchanges; extends the session.
    ///
    /// # Errors
    /// [`StoreError`] if the store could not be used.
    pub async fn who(&self, shown: Option<&SessionSecret>) -> Result<Option<SignedIn>, StoreError> {
        let Some((session, who)) = self.signed_in_by(shown).await? else {
            return Ok(None);
        };
        self.note_use(&session).await?;
        Ok(Some(who))
    }

    /// The user that the session secret `shown` signs in. Writes nothing: a landing changes
    /// nothing.
    ///
    /// # Errors
    /// [`StoreError`] if the store could not be read.
    pub async fn recognise(
        &self,
        shown: Option<&SessionSecret>,
    ) -> Result<Option<SignedIn>, StoreError> {
        Ok(self.signed_in_by(shown).await?.map(|(_, who)| who))
    }

    /// Puts the end of a session off whose own secret was shown, and ends the repeat of its
    /// exchange.
    async fn note_use(&self, session: &Session) -> Result<(), StoreError> {
        let Some(used) = session.used(self.clock.now(), &self.timing) else {
            return Ok(());
        };
        match self.stores.sessions.replace_session(&used).await {
            // Losing to another request of the same browser is as good.
            Ok(_) => Ok(()),
            // A full store can still be read. A later request extends the session.
            Err(StoreError::Unavailable(error)) if !session.is_repeatable() => {
                tracing::warn!(error, "the use of a session could not be noted");
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Ends the sessions of `user` beyond the cap, those first that were used longest ago, and
    /// `newest` never.
    async fn cap_sessions(&self, user: UserId, newest: SessionId) {
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

    async fn signed_in_by(
        &self,
        shown: Option<&SessionSecret>,
    ) -> Result<Option<(Session, SignedIn)>, StoreError> {
        let Some(hash) = shown.map(SessionSecret::hash) else {
            return Ok(None);
        };
        let found = self.stores.session_users.session_with_user(&hash).await?;
        let Some(SessionWithUser { session, user }) = found else {
            return Ok(None);
        };
        let now = self.clock.now();
        let signed_in = session.signs_in(&hash, now);
        let Some(user) = user
            .filter(|user| signed_in == Some(user.id) && user.may_sign_in(session.created_at, now))
        else {
            return Ok(None);
        };
        let who = SignedIn {
            user,
            session: session.id,
            since: session.created_at,
            token_tag: session.token_tag,
        };
        Ok(Some((session, who)))
    }

    /// The user, if a session that began at `since` may sign them in.
    async fn may_sign_in(&self, id: UserId, since: Timestamp) -> Result<Option<User>, StoreError> {
        Ok(self
            .stores
            .users
            .user(id)
            .await?
            .filter(|user| user.may_sign_in(since, self.clock.now())))
    }

    /// Lets a browser in: exchanges a bound session, unless that would make it another user without
    /// having been asked.
    ///
    /// # Errors
    /// [`StoreError`] if the store could not be used; no secret was exchanged then that the browser
    /// cannot show again.
    pub async fn enter(&self, shown: &PresentedSecrets) -> Result<Entry, StoreError> {
        let known = self.signed_in_by(shown.session.as_ref()).await?;
        let current = known.as_ref().map(|(_, who)| who.clone());
        let (candidates, spent) = self.candidates(shown, current.as_ref()).await?;
        if let Some((session, _)) = &known {
            // Only now: it makes the secrets that this session came from unknown.
            self.note_use(session).await?;
        }
        let mut users: Vec<UserId> = candidates.iter().map(|candidate| candidate.user).collect();
        users.extend(current.iter().map(|current| current.user.id));
        users.sort();
        users.dedup();
        if users.len() > 1 {
            return self.ask(current, candidates).await;
        }
        // Parallel tabs show the same cookies: taking the first by its tag, they take the same.
        match candidates.into_iter().next() {
            Some(candidate) => {
                self.admit(candidate, shown.device.as_ref(), current, spent)
                    .await
            }
            None => Ok(unchanged(current, spent)),
        }
    }

    /// The user's answer to [`Entry::ChooseAccount`]: to become the user behind `choice`, or with
    /// `None` to stay who they are. What was not chosen is ended.
    ///
    /// # Errors
    /// [`StoreError`] if the store could not be used.
    pub async fn choose(
        &self,
        shown: &PresentedSecrets,
        choice: Option<TokenTag>,
    ) -> Result<Entry, StoreError> {
        let current = self.who(shown.session.as_ref()).await?;
        let (candidates, mut spent) = self.candidates(shown, current.as_ref()).await?;
        let (mut chosen, others): (Vec<_>, Vec<_>) = candidates
            .into_iter()
            .partition(|candidate| Some(candidate.tag) == choice);
        if choice.is_some() && chosen.is_empty() {
            return Ok(unchanged(current, spent));
        }
        let stays = chosen
            .first()
            .map(|candidate| candidate.user)
            .or(current.as_ref().map(|who| who.user.id));
        for other in others.into_iter().filter(|other| Some(other.user) != stays) {
            self.stores
                .sessions
                .delete_session(other.session.id)
                .await?;
            spent.push(other.tag);
        }
        match chosen.pop() {
            Some(candidate) => {
                self.admit(candidate, shown.device.as_ref(), current, spent)
                    .await
            }
            None => Ok(unchanged(current, spent)),
        }
    }

    /// Signs in, in this browser, a user who has proved in another way that they are the user who
    /// is valid from `valid_from` on. That check began at `since`. Ends the session that the
    /// browser had. `None`: they have changed how they sign in meanwhile, or were disabled or
    /// removed, so the proof no longer counts.
    ///
    /// # Errors
    /// [`StoreError`] if the store could not be used.
    pub async fn sign_in(
        &self,
        user: UserId,
        valid_from: Timestamp,
        since: Timestamp,
        shown: &PresentedSecrets,
    ) -> Result<Option<SessionSecret>, StoreError> {
        self.establish(user, valid_from, since, None, shown).await
    }

    /// Gives `who`, who has just changed how they sign in and is valid from `valid_from` on, a new
    /// session, which is said to come from `token_tag`.
    ///
    /// # Errors
    /// [`StoreError`] if the store could not be used.
    pub async fn renew_session(
        &self,
        who: &SignedIn,
        valid_from: Timestamp,
        token_tag: Option<TokenTag>,
        shown: &PresentedSecrets,
    ) -> Result<Option<SessionSecret>, StoreError> {
        let user = who.user.id;
        self.establish(user, valid_from, valid_from, token_tag, shown)
            .await
    }

    async fn establish(
        &self,
        user: UserId,
        valid_from: Timestamp,
        since: Timestamp,
        token_tag: Option<TokenTag>,
        shown: &PresentedSecrets,
    ) -> Result<Option<SessionSecret>, StoreError> {
        let secret = SessionSecret::generate(&*self.entropy);
        let id = SessionId::generate_at(self.clock.now(), &*self.entropy);
        let device = shown.device.clone();
        let session = Session {
            token_tag,
            ..Session::established(id, secret.hash(), user, device, since, &self.timing)
        };
        if !self.stores.sessions.insert_session(&session).await? {
            return Err(StoreError::Unavailable(
                "a fresh secret is taken: the entropy repeats itself".into(),
            ));
        }
        // After the session is there: whatever ends the user's sessions after this ends it as well.
        let known = self.stores.users.user(user).await?;
        if known.is_none_or(|known| known.valid_from != valid_from || known.disabled) {
            self.stores.sessions.delete_session(id).await?;
            return Ok(None);
        }
        if let Some(old) = self.who(shown.session.as_ref()).await? {
            self.stores.sessions.delete_session(old.session).await?;
        }
        self.cap_sessions(user, id).await;
        Ok(Some(secret))
    }

    /// Signs the browser out, or with `everywhere` the user, and ends what is pending in this
    /// browser.
    ///
    /// # Errors
    /// [`StoreError`] if the store could not be used; it is safe to repeat.
    pub async fn sign_out(
        &self,
        shown: &PresentedSecrets,
        everywhere: bool,
    ) -> Result<(), StoreError> {
        if let Some(who) = self.recognise(shown.session.as_ref()).await? {
            if everywhere {
                if self.revoke_sessions(&who, true).await? {
                    self.stores
                        .sessions
                        .delete_sessions_of(who.user.id, None)
                        .await?;
                }
            } else {
                self.stores.sessions.delete_session(who.session).await?;
            }
        }
        // Only now: a cancel is announced, and the tab that hears of it goes to the login page at
        // once, where it must not pass for a user who is still signed in.
        for (_, secret) in &shown.pending {
            self.cancel_begun_with(&secret.hash()).await?;
        }
        Ok(())
    }

    /// Whether some page that needs a user would let this browser in, or ask it who it wants to be.
    ///
    /// # Errors
    /// [`StoreError`] if the store could not be used.
    pub async fn would_enter(&self, shown: &PresentedSecrets) -> Result<bool, StoreError> {
        let current = self.who(shown.session.as_ref()).await?;
        Ok(current.is_some() || !self.candidates(shown, None).await?.0.is_empty())
    }

    /// The sessions that the shown pending secrets can be exchanged in, ordered by tag, without the
    /// current one; and the tags of those secrets that the current session came from.
    async fn candidates(
        &self,
        shown: &PresentedSecrets,
        current: Option<&SignedIn>,
    ) -> Result<(Vec<ExchangeCandidate>, Vec<TokenTag>), StoreError> {
        let mut candidates = Vec::new();
        let mut spent = Vec::new();
        for (tag, secret) in &shown.pending {
            let hash = secret.hash();
            let Some(session) = self.stores.sessions.session_by_secret(&hash).await? else {
                continue;
            };
            if current.is_some_and(|current| current.session == session.id) {
                spent.push(*tag);
            } else if let Some(user) = session.exchangeable(&hash, self.clock.now())
                && self.may_sign_in(user, session.created_at).await?.is_some()
            {
                candidates.push(ExchangeCandidate {
                    tag: *tag,
                    secret: secret.clone(),
                    session,
                    user,
                });
            }
        }
        candidates.sort_by_key(|candidate| candidate.tag);
        Ok((candidates, spent))
    }

    async fn ask(
        &self,
        current: Option<SignedIn>,
        candidates: Vec<ExchangeCandidate>,
    ) -> Result<Entry, StoreError> {
        let mut named = Vec::new();
        for candidate in candidates {
            if let Some(user) = self
                .may_sign_in(candidate.user, candidate.session.created_at)
                .await?
            {
                named.push((candidate.tag, user));
            }
        }
        Ok(Entry::ChooseAccount {
            current: current.map(|current| current.user),
            candidates: named,
        })
    }
}

/// Who a browser is without anything having been exchanged.
fn unchanged(current: Option<SignedIn>, spent: Vec<TokenTag>) -> Entry {
    current.map_or(Entry::SignedOut, |who| {
        let sign_in = SignIn::from(who);
        Entry::SignedIn(SignIn { spent, ..sign_in })
    })
}
