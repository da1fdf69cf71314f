//! Entering: a page that needs a user lets the browser in, or asks it who it wants to be.

use super::{PresentedSecrets, SignedIn};
use crate::{
    pending::TokenTag,
    secret::{PendingSecret, SessionSecret},
    session::Session,
    sign_ins::SignIns,
    store::StoreError,
    user::{User, UserId},
};

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
pub(super) struct ExchangeCandidate {
    pub tag: TokenTag,
    pub secret: PendingSecret,
    pub session: Session,
    pub user: UserId,
}

impl SignIns {
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
pub(super) fn unchanged(current: Option<SignedIn>, spent: Vec<TokenTag>) -> Entry {
    current.map_or(Entry::SignedOut, |who| {
        let sign_in = SignIn::from(who);
        Entry::SignedIn(SignIn { spent, ..sign_in })
    })
}
