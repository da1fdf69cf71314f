//! What pages do with links: send one, look at one, let a browser in.

use super::{
    Alarm, Code, GUESSES, InvalidLink, Link, LinkError, LinkState, LinkToken, Number, Tries,
    WRONG_CODES, WrongCode,
    change::{LinkKey, change},
    tries,
};
use crate::{
    clock::Timestamp,
    confirmation::{ConfirmationId, Ending},
    device::Device,
    email_address::Address,
    entry::{PresentedSecrets, SignedIn},
    pending::PendingCookie,
    sign_ins::{Report, SignIns},
    store::{LinkStore, StoreError},
    token::Token,
    user::User,
    validator::Verdict,
};
use std::sync::Arc;
use tokio::sync::Notify;

/// The service for links. Cheap to clone.
#[derive(Clone)]
pub struct MagicLinks {
    pub(super) sign_ins: SignIns,
    pub(super) store: Arc<dyn LinkStore>,
    pub(super) mail_wake: Arc<Notify>,
    pub(super) registration: Registration,
    pub(super) strangers: u32,
}

/// How many links are mailed within [`WINDOW`](super::WINDOW) to addresses that no user has, by
/// default.
pub const STRANGERS: u32 = 1000;

/// Whether a link registers new users.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Registration {
    /// Only existing users, and people that an operator invites.
    #[default]
    Closed,
    /// Anyone who can read the mail of an address.
    Open,
}

/// What the holder of a link may see of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The address of the user that it signs in.
    pub address: Address,
    /// The device that asked for it, if known.
    pub device: Option<Device>,
    /// When it was asked for.
    pub asked: Timestamp,
    /// Whether a page that shows a number waits for it.
    pub waited_for: bool,
}

/// The result of guessing the code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guess {
    /// What the browser is told.
    pub came_to: Guessed,
    /// Set if it was one of the wrong codes that are counted for the address.
    pub wrong: Option<WrongCode>,
}

/// What became of a guess at the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guessed {
    /// It was right: the waiting browser is let in.
    Right,
    /// It was wrong, and this many more may be tried.
    Wrong {
        /// How many.
        left: u32,
    },
    /// The link can no longer be used.
    Invalid(InvalidLink),
}

impl MagicLinks {
    /// The service for links. It wakes the mail worker through `mail_wake`.
    #[must_use]
    pub fn new(sign_ins: SignIns, mail_wake: Arc<Notify>) -> Self {
        Self {
            store: sign_ins.stores.links.clone(),
            sign_ins,
            mail_wake,
            registration: Registration::default(),
            strangers: STRANGERS,
        }
    }

    /// Sets whether links register new users.
    #[must_use]
    pub fn with_registration(self, registration: Registration) -> Self {
        Self {
            registration,
            ..self
        }
    }

    /// Sets how many links are mailed within [`WINDOW`](super::WINDOW) to addresses that no user
    /// has.
    #[must_use]
    pub fn with_strangers(self, strangers: u32) -> Self {
        Self { strangers, ..self }
    }

    /// The link for which the browser waits that shows this pending cookie for `token`.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be read.
    pub async fn waited_for(
        &self,
        token: &Token,
        shown: Option<&str>,
    ) -> Result<Option<Link>, StoreError> {
        match self.sign_ins.begun(token, shown).await? {
            Some(confirmation) => self.store.link_by_waiting(confirmation.id).await,
            None => Ok(None),
        }
    }

    /// Cancels the browser's confirmation, and revokes the link that it waits for.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be stored.
    pub async fn cancel(&self, token: &Token, shown: Option<&str>) -> Result<Report, StoreError> {
        let report = self.sign_ins.cancel(token, shown).await?;
        if LinkToken::is_waiting(self.sign_ins.keys(), token)
            && let Some(confirmation) = self.sign_ins.begun(token, shown).await?
        {
            self.revoke(confirmation.id).await?;
        }
        Ok(report)
    }

    /// Signs out as [`SignIns::sign_out`] does, and revokes the links for which this browser
    /// waits; with `everywhere`, all of the user's open links.
    ///
    /// # Errors
    /// [`StoreError`] if the store could not be used; it is safe to repeat.
    pub async fn sign_out(
        &self,
        shown: &PresentedSecrets,
        everywhere: bool,
    ) -> Result<(), StoreError> {
        self.sign_ins.sign_out(shown, everywhere).await?;
        for (_, secret) in &shown.pending {
            if let Some(confirmation) = self
                .sign_ins
                .stores
                .confirmations
                .confirmation_by_secret(&secret.hash())
                .await?
            {
                self.revoke(confirmation.id).await?;
            }
        }
        Ok(())
    }

    /// Ends all sessions of the user but the current one. If their sign-in is fresh, it also
    /// revokes their open links: an attacker who has found an old session must not keep the owner
    /// out with it.
    ///
    /// # Errors
    /// [`StoreError`] if the store could not be used; it is safe to repeat.
    pub async fn end_others(&self, who: &SignedIn) -> Result<(), StoreError> {
        if self.sign_ins.revoke_sessions(who, false).await? {
            // Links first: one that is used later would leave a session behind.
            if who.is_fresh(self.sign_ins.now()) {
                self.revoke_open(&who.user).await?;
            }
            self.sign_ins
                .stores
                .sessions
                .delete_sessions_of(who.user.id, Some(who.session))
                .await?;
        }
        Ok(())
    }

    async fn revoke_open(&self, user: &User) -> Result<(), StoreError> {
        if let Some(address) = Address::known_by(&user.identity.issuer, &user.identity.subject) {
            self.store.revoke_links(&address).await?;
            // Browsers that wait for one must be told.
            self.sign_ins.dispatch.wake();
        }
        Ok(())
    }

    async fn revoke(&self, waiting: ConfirmationId) -> Result<(), StoreError> {
        match self
            .change(LinkKey::Waiting(waiting), |link| Ok(link.revoke()))
            .await
        {
            // There is nothing left to revoke.
            Ok(_) | Err(LinkError::Invalid(_)) => Ok(()),
            Err(LinkError::Store(error)) => Err(error),
        }
    }

    /// Looks at a link. Changes nothing, so scanners may.
    ///
    /// # Errors
    /// [`LinkError`] if it cannot be used, or could not be read.
    pub async fn look(&self, link: &LinkToken) -> Result<Opened, LinkError> {
        let link = self.store.link_by_token(&link.hash()).await?;
        let link = link.ok_or(InvalidLink::Expired)?;
        link.open(self.sign_ins.now())?;
        Ok(Opened {
            waited_for: link.waiting.is_some(),
            address: link.address,
            device: link.device,
            asked: link.requested_at,
        })
    }

    /// A link as it is stored, even if it can no longer be used.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be read.
    pub async fn kept(&self, link: &LinkToken) -> Result<Option<Link>, StoreError> {
        self.store.link_by_token(&link.hash()).await
    }

    /// The token with which this browser waits for the link, if it is the one that asked: `shown`
    /// gives the pending cookie that it has for a token.
    #[must_use]
    pub fn asked_here<'c>(
        &self,
        link: &LinkToken,
        shown: impl Fn(&Token) -> Option<&'c str>,
    ) -> Option<Token> {
        let keys = self.sign_ins.keys();
        let waits = |token: &Token| {
            shown(token).is_some_and(|text| PendingCookie::decode(keys, token, text).is_some())
        };
        link.waiting_each(keys).into_iter().find(waits)
    }

    /// The link was opened elsewhere, and has begun a confirmation of its own there: uses it up.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be stored; a worker does it then.
    pub async fn use_up(
        &self,
        link: &LinkToken,
        token: &Token,
        shown: Option<&str>,
    ) -> Result<(), StoreError> {
        let Some(confirmation) = self.sign_ins.begun(token, shown).await? else {
            return Ok(());
        };
        let now = self.sign_ins.now();
        let used = self
            .change(LinkKey::Token(link.hash()), |link| {
                link.use_up(confirmation.id, now)
            })
            .await;
        let verdict = match used {
            Ok(link) => link.verdict(&*self.sign_ins.stores.users).await?,
            Err(LinkError::Invalid(why)) => Verdict::Invalid(why.into()),
            Err(LinkError::Store(error)) => return Err(error),
        };
        self.sign_ins
            .decide(confirmation.id, &verdict.into())
            .await
            .map(drop)
    }

    /// The link was opened in the browser that asked for it: lets it in.
    ///
    /// # Errors
    /// [`LinkError`] if it cannot be used, or it could not be stored.
    pub async fn open_here(&self, link: &LinkToken) -> Result<(), LinkError> {
        let now = self.sign_ins.now();
        self.change(LinkKey::Token(link.hash()), |link| link.approve(now))
            .await
            .map(drop)
    }

    /// The user opened the link elsewhere and typed `number`. The right one lets the waiting
    /// browser in; any other revokes the link, because someone else may have asked for it.
    ///
    /// # Errors
    /// [`LinkError`] if it cannot be used, or `number` is wrong, or it could not be stored.
    pub async fn pick(&self, link: &LinkToken, number: Number) -> Result<(), LinkError> {
        let now = self.sign_ins.now();
        let picked = |link: Link| {
            link.open(now)?;
            if link.number == number {
                link.approve(now)
            } else {
                Ok(link.revoke())
            }
        };
        let ended = self.change(LinkKey::Token(link.hash()), picked).await?;
        if ended.state == LinkState::Approved {
            Ok(())
        } else {
            Err(InvalidLink::Expired.into())
        }
    }

    /// The user typed `code` into the waiting page. After [`WRONG_CODES`] for the address, no code
    /// is right.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be stored.
    pub async fn guess(
        &self,
        token: &Token,
        shown: Option<&str>,
        code: &Code,
    ) -> Result<Guess, StoreError> {
        let none = |why| Guess {
            came_to: Guessed::Invalid(why),
            wrong: None,
        };
        let Some(confirmation) = self.sign_ins.begun(token, shown).await? else {
            return Ok(none(InvalidLink::Expired));
        };
        let keys = self.sign_ins.keys();
        let now = self.sign_ins.now();
        let Some(link) = self.store.link_by_waiting(confirmation.id).await? else {
            return Ok(none(InvalidLink::Expired));
        };
        if let Err(why) = link.open(now) {
            return Ok(none(why));
        }
        let tries = Tries {
            address: link.address,
            known: link.known,
        };
        // Counted before it is judged, so that many at once get no more tries.
        let counted = if link.mailed {
            self.store
                .count_code(&tries, now, tries::since(now))
                .await?
        } else {
            None
        };
        let guess = |link: Link| {
            let right = counted.is_some() && code.is(keys, link.id, &link.code);
            link.guess(right, now)
        };
        let mut revoked = false;
        let came_to = match self.change(LinkKey::Waiting(confirmation.id), guess).await {
            Ok(link) => match link.state {
                LinkState::Approved => Guessed::Right,
                LinkState::Open => Guessed::Wrong {
                    left: GUESSES - link.guesses,
                },
                state @ (LinkState::Revoked | LinkState::Used { .. }) => {
                    revoked = state == LinkState::Revoked;
                    Guessed::Invalid(InvalidLink::Expired)
                }
            },
            Err(LinkError::Invalid(why)) => Guessed::Invalid(why),
            Err(LinkError::Store(error)) => return Err(error),
        };
        if came_to == Guessed::Right {
            self.store.forget_codes(&tries).await?;
            return Ok(Guess {
                came_to,
                wrong: None,
            });
        }
        let wrong = counted.map(|count| WrongCode {
            address: tries.address,
            alarm: if count == WRONG_CODES {
                Some(Alarm::Off)
            } else {
                revoked.then_some(Alarm::Revoked)
            },
        });
        Ok(Guess { came_to, wrong })
    }

    async fn change(
        &self,
        which: LinkKey,
        step: impl Fn(Link) -> Result<Link, InvalidLink>,
    ) -> Result<Link, LinkError> {
        let link = change(&*self.store, which, step).await?;
        let ending = self.decide_waiting(&link).await?;
        // The waiting browser has cancelled meanwhile, or the user was disabled or removed.
        let in_vain =
            link.state == LinkState::Approved && !matches!(ending, Some(Ending::Confirmed(_)));
        if in_vain {
            Err(InvalidLink::Expired.into())
        } else {
            Ok(link)
        }
    }

    /// Decides the waiting confirmation by the state of its link. If this process is killed first,
    /// a worker does it: the confirmation has been due since the link was written.
    async fn decide_waiting(&self, link: &Link) -> Result<Option<Ending>, StoreError> {
        let Some(waiting) = link.waiting else {
            return Ok(None);
        };
        match link
            .verdict_on_waiting(self.sign_ins.now(), &*self.sign_ins.stores.users)
            .await?
        {
            Some(verdict) => self.sign_ins.decide(waiting, &verdict.into()).await,
            None => Ok(None),
        }
    }
}
