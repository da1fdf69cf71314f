//! What a page can ask of Vestibule on the way in: land, begin, status, cancel. None of it waits
//! for a validator.

mod begin;
mod callback;
mod cancel;

use crate::{
    caps::Room,
    channel::Channel,
    clock::{Clock, Timestamp},
    confirmation::{Confirmation, ConfirmationId, Decider, Decision, Ending, Rejection, State},
    mail::Outbox,
    outcome::{Destinations, Outcome},
    path::LocalPath,
    pending::{PendingCookie, TokenTag},
    publisher::{Announcement, Publisher},
    secret::{Entropy, Keys, PendingSecret, SecretHash, SessionSecret},
    session::{Session, SessionId},
    store::{Settlement, StoreError, Stores},
    timing::Timing,
    token::Token,
    user::UserId,
    worker::{Dispatch, Environment},
};
use std::sync::Arc;
use tokio::sync::Notify;

pub(crate) use cancel::{CancelResult, cancel};

pub use callback::Reception;
pub use vestibule_protocol::{Progress, Step};

/// The service that pages and server functions call. Cheap to clone.
#[derive(Clone)]
pub struct SignIns {
    pub(crate) stores: Stores,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) keys: Arc<Keys>,
    pub(crate) timing: Timing,
    pub(crate) destinations: Destinations,
    pub(crate) room: Arc<Room>,
    publisher: Arc<dyn Publisher>,
    outbox: Option<Outbox>,
    notice_wake: Option<Arc<Notify>>,
    pub(crate) dispatch: Dispatch,
}

/// A pending cookie for a response to set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// What the cookie says.
    pub cookie: PendingCookie,
    /// Whether it was minted just now, so that the browser does not have it yet.
    pub fresh: bool,
}

/// What is known of a browser's confirmation.
pub type Report = vestibule_protocol::Report<Channel>;

impl SignIns {
    /// A service with the same tools as a worker, which it reaches through `dispatch`.
    #[must_use]
    pub fn new(environment: &Environment, dispatch: Dispatch) -> Self {
        let Environment {
            stores,
            publisher,
            clock,
            entropy,
            keys,
            destinations,
            timing,
            room,
            outbox,
            notice_wake,
            ..
        } = environment.clone();
        Self {
            stores,
            clock,
            entropy,
            keys,
            timing,
            destinations,
            room,
            publisher,
            outbox,
            notice_wake,
            dispatch,
        }
    }

    /// The operator's keys.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// How long each part may take.
    #[must_use]
    pub fn timing(&self) -> &Timing {
        &self.timing
    }

    /// Where outcomes lead.
    #[must_use]
    pub fn destinations(&self) -> &Destinations {
        &self.destinations
    }

    /// Where everything is stored.
    #[must_use]
    pub fn stores(&self) -> &Stores {
        &self.stores
    }

    /// The present moment.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Unpredictable bytes.
    #[must_use]
    pub fn entropy(&self) -> &dyn Entropy {
        &*self.entropy
    }

    /// A landing: keeps the pending cookie that the browser has `shown` if it is good for `token`,
    /// else mints one. Writes nothing and calls no other service.
    #[must_use]
    pub fn land(&self, token: &Token, shown: Option<&str>) -> Pending {
        self.genuine(token, shown).map_or_else(
            || self.mint(),
            |cookie| Pending {
                cookie,
                fresh: false,
            },
        )
    }

    /// The channel that a browser which shows this cookie may subscribe to.
    #[must_use]
    pub fn channel(&self, token: &Token, shown: Option<&str>) -> Option<Channel> {
        self.genuine(token, shown)
            .map(|cookie| Channel::of(&cookie.secret.hash()))
    }

    /// Whether a sign-in that was begun with this pending secret is on its way: undecided, or
    /// confirmed with a session that the browser can still get.
    ///
    /// # Errors
    /// [`StoreError`] if the store could not be read.
    pub async fn is_in_progress(&self, secret: &PendingSecret) -> Result<bool, StoreError> {
        let Some(confirmation) = self
            .stores
            .confirmations
            .confirmation_by_secret(&secret.hash())
            .await?
        else {
            return Ok(false);
        };
        match confirmation.ending() {
            None => Ok(true),
            Some(Ending::Confirmed(_)) => self.lives(confirmation.session).await,
            Some(Ending::Rejected(_) | Ending::Unavailable) => Ok(false),
        }
    }

    /// The confirmation that the browser which shows this cookie began with `token`.
    pub(crate) async fn begun(
        &self,
        token: &Token,
        shown: Option<&str>,
    ) -> Result<Option<Confirmation>, StoreError> {
        match self.genuine(token, shown) {
            Some(cookie) => {
                self.stores
                    .confirmations
                    .confirmation_by_secret(&cookie.secret.hash())
                    .await
            }
            None => Ok(None),
        }
    }

    /// Decides a confirmation without asking the validator, then announces and returns its outcome.
    pub(crate) async fn decide(
        &self,
        id: ConfirmationId,
        decision: &Decision,
    ) -> Result<Option<Ending>, StoreError> {
        let Some(stored) = self
            .stores
            .confirmations
            .decide(id, Decider::User, decision, self.settlement())
            .await?
        else {
            return Ok(None);
        };
        if let Some(ending) = stored.ending() {
            self.announce(
                &Channel::of(&stored.secret),
                Announcement::Outcome(self.destinations.outcome(ending, stored.next.as_ref())),
            );
        }
        Ok(stored.ending())
    }

    fn settlement(&self) -> Settlement {
        let new_user = UserId::generate(&*self.entropy);
        Settlement {
            now: self.clock.now(),
            new_user,
            bound: self.timing.bound,
            tells: self.notice_wake.is_some(),
        }
    }

    /// Reports how far the confirmation has come that this browser began with `token`: to its
    /// pending cookie, or, once that was exchanged, to the session cookie that came of it.
    ///
    /// # Errors
    /// [`StoreError`] if the store could not be read.
    pub async fn status(
        &self,
        token: &Token,
        shown: Option<&str>,
        session: Option<&SessionSecret>,
    ) -> Result<Report, StoreError> {
        let cookie = self.genuine(token, shown);
        if let Some(cookie) = &cookie {
            let known = self
                .stores
                .confirmations
                .confirmation_by_secret(&cookie.secret.hash())
                .await?;
            if let Some(confirmation) = known {
                return self.report(&confirmation).await;
            }
        }
        let progress = match self.session_from(token, session).await? {
            Some(session) => {
                let next = self.next_of_former(&session).await?;
                let redirect = self.destinations.confirmed_for(next.as_ref());
                Progress::Done(Outcome::Confirmed { redirect })
            }
            None => Progress::Unknown,
        };
        Ok(Report {
            channel: cookie.map(|cookie| Channel::of(&cookie.secret.hash())),
            progress,
        })
    }

    /// Where the sign-in leads that was begun with this pending secret, if not to where all do.
    ///
    /// # Errors
    /// [`StoreError`] if the store could not be read.
    pub async fn next(&self, secret: &SecretHash) -> Result<Option<LocalPath>, StoreError> {
        let confirmation = self
            .stores
            .confirmations
            .confirmation_by_secret(secret)
            .await?;
        Ok(confirmation.and_then(|confirmation| confirmation.next))
    }

    /// The same of a session that has come of it just now: another tab of the browser may be late.
    async fn next_of_former(&self, session: &Session) -> Result<Option<LocalPath>, StoreError> {
        match session.former() {
            Some(former) => self.next(&former.secret).await,
            None => Ok(None),
        }
    }

    /// Whether `session` is signed in by a confirmation with `token`.
    ///
    /// # Errors
    /// [`StoreError`] if the store could not be read.
    pub async fn came_from(
        &self,
        token: &Token,
        session: Option<&SessionSecret>,
    ) -> Result<bool, StoreError> {
        Ok(self.session_from(token, session).await?.is_some())
    }

    /// The session with this secret, if it is signed in by a confirmation with `token`.
    async fn session_from(
        &self,
        token: &Token,
        session: Option<&SessionSecret>,
    ) -> Result<Option<Session>, StoreError> {
        let Some(secret) = session.map(SessionSecret::hash) else {
            return Ok(None);
        };
        let session = self.stores.sessions.session_by_secret(&secret).await?;
        let signed_in =
            session.filter(|session| session.signs_in(&secret, self.clock.now()).is_some());
        let tags = TokenTag::each(&self.keys, token);
        Ok(signed_in.filter(|session| session.token_tag.is_some_and(|tag| tags.contains(&tag))))
    }

    /// Cancels the browser's confirmation: the user's own deciding write. After a valid decision it
    /// revokes the session instead, as long as that has not been exchanged.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be stored.
    pub async fn cancel(&self, token: &Token, shown: Option<&str>) -> Result<Report, StoreError> {
        let Some(cookie) = self.genuine(token, shown) else {
            return Ok(Report {
                channel: None,
                progress: Progress::Unknown,
            });
        };
        self.cancel_begun_with(&cookie.secret.hash()).await
    }

    pub(crate) async fn cancel_begun_with(
        &self,
        secret: &SecretHash,
    ) -> Result<Report, StoreError> {
        let channel = Channel::of(secret);
        let known = self.stores.confirmations.confirmation_by_secret(secret);
        let Some(confirmation) = known.await? else {
            return Ok(Report {
                channel: Some(channel),
                progress: Progress::Unknown,
            });
        };
        let settlement = self.settlement();
        let revocable = |session: &Session| session.exchangeable(secret, settlement.now).is_some();
        let result = cancel(&self.stores, confirmation, settlement, revocable).await?;
        if let CancelResult::Stands(stored) = result {
            return self.report(&stored).await;
        }
        let outcome = self.destinations.rejected(Rejection::Cancelled);
        self.announce(&channel, Announcement::Outcome(outcome.clone()));
        Ok(Report {
            channel: Some(channel),
            progress: Progress::Done(outcome),
        })
    }

    /// What a browser may know of `confirmation`: that it is confirmed only while its session
    /// lives.
    async fn report(&self, confirmation: &Confirmation) -> Result<Report, StoreError> {
        let progress = match &confirmation.state {
            State::Queued(queued) => Progress::Waiting(queued.step()),
            State::Decided(decided) | State::Settled(decided) => {
                Progress::Done(match decided.ending {
                    Ending::Confirmed(_) if !self.lives(confirmation.session).await? => {
                        self.destinations.rejected(Rejection::Expired)
                    }
                    ending => self
                        .destinations
                        .outcome(ending, confirmation.next.as_ref()),
                })
            }
        };
        Ok(Report {
            channel: Some(Channel::of(&confirmation.secret)),
            progress,
        })
    }

    async fn lives(&self, id: SessionId) -> Result<bool, StoreError> {
        Ok(self
            .stores
            .sessions
            .session(id)
            .await?
            .is_some_and(|session| session.is_live(self.clock.now())))
    }

    /// Publishing is an external call: no request waits for it.
    fn announce(&self, channel: &Channel, announcement: Announcement) {
        let publisher = self.publisher.clone();
        let channel = channel.clone();
        tokio::spawn(async move {
            if let Err(error) = publisher.announce(&channel, &announcement).await {
                tracing::warn!(%error, "not announced; the page will ask");
            }
        });
    }

    fn genuine(&self, token: &Token, shown: Option<&str>) -> Option<PendingCookie> {
        let cookie = PendingCookie::decode(&self.keys, token, shown?)?;
        (self.clock.now().since(cookie.minted) < self.timing.pending_cookie()).then_some(cookie)
    }

    fn mint(&self) -> Pending {
        Pending {
            cookie: PendingCookie::mint(&*self.entropy, self.clock.now()),
            fresh: true,
        }
    }
}
