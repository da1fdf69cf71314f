//! What pages ask about links: to have one sent, to look at one, to let a browser in.

use super::{
    Address, Code, GUESSES, LIFETIME, Link, LinkState, LinkStore, LinkToken, NUMBERS, Number, Spent,
    change::{Which, change},
};
use crate::{
    caps::Client,
    clock::Timestamp,
    confirmation::{ConfirmationId, Decision, Ending, Rejection},
    device::Device,
    entry::{Shown, SignedIn},
    mail::{Letter, LinkLetter, MAILS, Mail, MailId, Posting, SealedLetter},
    pending::PendingCookie,
    store::{BeginError, StoreError},
    token::Token,
    user::PASSWORD_ISSUER,
    validator::Verdict,
    vestibule::{Pending, Report, Vestibule},
};
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;

/// How many links an address is sent within [`WINDOW`]; whoever asks for more sees no difference.
pub const PER_ADDRESS: u32 = 5;
/// For how long it counts that somebody has asked for a link.
pub const WINDOW: Duration = Duration::from_hours(1);
/// How long a waiting confirmation outlives its link: long enough to be told that the link has expired.
const AFTER: Duration = Duration::from_mins(1);

/// The desk of links. Cheap to clone.
#[derive(Clone)]
pub struct Links {
    vestibule: Vestibule,
    store: Arc<dyn LinkStore>,
    postman: Arc<Notify>,
    registration: Registration,
}

/// Whether a link lets in people whom nobody knows yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Registration {
    /// Only people who are known, and whom an operator invites.
    #[default]
    Closed,
    /// Whoever can read the mail of an address.
    Open,
}

/// What somebody who has asked for a link gets, whether or not it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requested {
    /// The token of the waiting confirmation.
    pub token: Token,
    /// Its pending cookie, for the response to set.
    pub pending: Pending,
}

/// A link as whoever holds it may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Whom it signs in.
    pub address: Address,
    /// What asked for it, if it has said what it is.
    pub device: Option<Device>,
    /// When.
    pub asked: Timestamp,
    /// The numbers to pick from, one of which the waiting page shows; none if no page waits.
    pub numbers: Option<[Number; NUMBERS]>,
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
    /// The link is good for nothing any more.
    Spent(Spent),
}

impl Links {
    /// A desk beside `vestibule`, for the links in `store`; `postman` is told of new mail.
    #[must_use]
    pub fn new(vestibule: Vestibule, store: Arc<dyn LinkStore>, postman: Arc<Notify>) -> Self {
        Self { vestibule, store, postman, registration: Registration::default() }
    }

    /// The same desk, which lets in people whom nobody knows yet, or does not.
    #[must_use]
    pub fn with_registration(self, registration: Registration) -> Self {
        Self { registration, ..self }
    }

    /// Has a link sent to `address`, and has the browser wait for it. It is said to be on its way also where it is not
    /// sent, because nobody is known by that address, or it has had enough: nobody learns anything about an address by
    /// asking, nor by the time that it takes. Within [`WINDOW`] a client may ask as often as it may have undecided
    /// confirmations.
    ///
    /// # Errors
    /// [`BeginError`] if a cap was met or it could not be stored: nothing is sent then, and nothing has begun.
    pub async fn request(
        &self,
        address: &Address,
        device: Option<Device>,
        client: Client,
    ) -> Result<Requested, BeginError> {
        let (keys, entropy, now) = (self.vestibule.keys(), self.vestibule.entropy(), self.vestibule.now());
        let (token, code) = (LinkToken::generate(entropy), Code::generate(entropy));
        let (waiting, expires) = (token.waiting(keys), now + LIFETIME);
        let known = self.vestibule.store().user_by_identity(PASSWORD_ISSUER, address.as_str()).await?.is_some();
        let (pending, confirmation) = self.vestibule.wait(&waiting, expires, expires + AFTER, client).await?;
        let admits = self.registration == Registration::Open;
        let mut link = Link::new(keys, entropy, now, address, &token, &code, device);
        (link.waiting, link.admits) = (Some(confirmation), admits);
        let id = MailId::generate(entropy);
        let letter = Letter::Link(LinkLetter { link: token, code, device: link.device.clone() });
        let letter = SealedLetter::seal(keys, entropy, id, &letter);
        let posting = Posting {
            mail: Mail { id, to: address.clone(), letter, failed: 0, due: now, expires },
            known: known || admits,
            client,
            since: now - WINDOW,
            of_address: PER_ADDRESS,
            of_client: self.vestibule.caps.of_client,
            in_all: MAILS,
        };
        if let Err(error) = self.store.post_link(&link, &posting).await {
            // No link will come for it, so it takes nobody's place.
            let _ = self.vestibule.decide(confirmation, &Decision::Rejected(Rejection::Expired)).await;
            return Err(error);
        }
        self.postman.notify_one();
        // Whoever waits for a former link is to be told.
        self.vestibule.wake.notify_one();
        Ok(Requested { token: waiting, pending })
    }

    /// The link for which the browser waits that shows this pending cookie for `token`.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be read.
    pub async fn waited_for(&self, token: &Token, shown: Option<&str>) -> Result<Option<Link>, StoreError> {
        match self.vestibule.begun(token, shown).await? {
            Some(confirmation) => self.store.link_by_waiting(confirmation.id).await,
            None => Ok(None),
        }
    }

    /// Cancels the browser's confirmation; the link that it waits for is worth nothing then.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be stored.
    pub async fn cancel(&self, token: &Token, shown: Option<&str>) -> Result<Report, StoreError> {
        let report = self.vestibule.cancel(token, shown).await?;
        if LinkToken::is_waiting(self.vestibule.keys(), token)
            && let Some(confirmation) = self.vestibule.begun(token, shown).await?
        {
            self.void(confirmation.id).await?;
        }
        Ok(report)
    }

    /// Signs out as [`Vestibule::sign_out`] does; the links for which this browser waits are worth nothing then.
    ///
    /// # Errors
    /// [`StoreError`] if the store could not be used; it is safe to repeat.
    pub async fn sign_out(&self, shown: &Shown, everywhere: bool) -> Result<(), StoreError> {
        self.vestibule.sign_out(shown, everywhere).await?;
        for (_, secret) in &shown.pending {
            if let Some(confirmation) = self.vestibule.store().confirmation_by_secret(&secret.hash()).await? {
                self.void(confirmation.id).await?;
            }
        }
        Ok(())
    }

    /// Ends all sessions of the user but the one that asks, and takes back what links to them are open.
    ///
    /// # Errors
    /// [`StoreError`] if the store could not be used; it is safe to repeat.
    pub async fn end_others(&self, who: &SignedIn) -> Result<(), StoreError> {
        let identity = &who.user.identity;
        if let Some(address) = Address::known_by(&identity.issuer, &identity.subject) {
            self.store.void_links(&address).await?;
            self.vestibule.wake.notify_one();
        }
        self.vestibule.end_others(who).await
    }

    async fn void(&self, waiting: ConfirmationId) -> Result<(), StoreError> {
        self.change(Which::Waiting(waiting), |link| Ok(link.void())).await.map(drop)
    }

    /// Looks at a link. Changes nothing, so scanners may.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be read.
    pub async fn look(&self, link: &LinkToken) -> Result<Result<Opened, Spent>, StoreError> {
        let Some(link) = self.store.link_by_token(&link.hash()).await? else { return Ok(Err(Spent::Expired)) };
        let opened = |link: Link| Opened {
            numbers: link.waiting.map(|_| link.number.among(self.vestibule.keys(), link.id)),
            address: link.address,
            device: link.device,
            asked: link.asked,
        };
        Ok(link.open(self.vestibule.now()).map(|()| opened(link)))
    }

    /// Whom a link signs in, or has.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be read.
    pub async fn address_of(&self, link: &LinkToken) -> Result<Option<Address>, StoreError> {
        Ok(self.store.link_by_token(&link.hash()).await?.map(|link| link.address))
    }

    /// The token with which this browser waits for the link, if it is the one that asked: `shown` gives the pending
    /// cookie that it has for a token.
    #[must_use]
    pub fn asked_here<'c>(&self, link: &LinkToken, shown: impl Fn(&Token) -> Option<&'c str>) -> Option<Token> {
        let keys = self.vestibule.keys();
        let waits = |token: &Token| shown(token).is_some_and(|text| PendingCookie::decode(keys, token, text).is_some());
        link.waiting_each(keys).into_iter().find(waits)
    }

    /// The link was opened elsewhere, and has begun a confirmation of its own there: uses it up.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be stored; a worker does it then.
    pub async fn use_up(&self, link: &LinkToken, token: &Token, shown: Option<&str>) -> Result<(), StoreError> {
        let Some(confirmation) = self.vestibule.begun(token, shown).await? else { return Ok(()) };
        let now = self.vestibule.now();
        let used = self.change(Which::Token(link.hash()), |link| link.use_up(confirmation.id, now)).await?;
        let verdict = match used {
            Ok(link) => link.verdict(self.vestibule.store()).await?,
            Err(spent) => Verdict::Invalid(spent.into()),
        };
        self.vestibule.decide(confirmation.id, &verdict.into()).await.map(drop)
    }

    /// The link was opened in the browser that asked for it: lets it in.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be stored.
    pub async fn open_here(&self, link: &LinkToken) -> Result<Result<(), Spent>, StoreError> {
        let now = self.vestibule.now();
        Ok(self.change(Which::Token(link.hash()), |link| link.approve(now)).await?.map(drop))
    }

    /// Somebody who has opened the link elsewhere picked `number`: the right one lets the waiting browser in, any other
    /// takes the link back, because somebody else may have asked for it.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be stored.
    pub async fn pick(&self, link: &LinkToken, number: Number) -> Result<Result<(), Spent>, StoreError> {
        let now = self.vestibule.now();
        let picked = |link: Link| {
            link.open(now)?;
            if link.number == number { link.approve(now) } else { Ok(link.void()) }
        };
        let ended = self.change(Which::Token(link.hash()), picked).await?;
        Ok(ended.and_then(|link| if link.state == LinkState::Approved { Ok(()) } else { Err(Spent::Expired) }))
    }

    /// Somebody typed `code` into the page that waits.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be stored.
    pub async fn guess(&self, token: &Token, shown: Option<&str>, code: &Code) -> Result<Guessed, StoreError> {
        let Some(confirmation) = self.vestibule.begun(token, shown).await? else {
            return Ok(Guessed::Spent(Spent::Expired));
        };
        let (keys, now) = (self.vestibule.keys(), self.vestibule.now());
        let guess = |link: Link| {
            let right = code.is(keys, link.id, &link.code);
            link.guess(right, now)
        };
        let ended = self.change(Which::Waiting(confirmation.id), guess).await?;
        Ok(match ended {
            Ok(Link { state: LinkState::Approved, .. }) => Guessed::Right,
            Ok(Link { state: LinkState::Open, guesses, .. }) => Guessed::Wrong { left: GUESSES - guesses },
            Ok(_) => Guessed::Spent(Spent::Expired),
            Err(spent) => Guessed::Spent(spent),
        })
    }

    async fn change(
        &self,
        which: Which,
        step: impl Fn(Link) -> Result<Link, Spent>,
    ) -> Result<Result<Link, Spent>, StoreError> {
        let changed = change(&*self.store, which, step).await?;
        let Ok(link) = &changed else { return Ok(changed) };
        let ending = self.decide_waiting(link).await?;
        // Whoever was to be let in has cancelled meanwhile, or is nobody any more.
        let in_vain = link.state == LinkState::Approved && !matches!(ending, Some(Ending::Confirmed(_)));
        Ok(if in_vain { Err(Spent::Expired) } else { changed })
    }

    /// Has the waiting confirmation follow from what has become of its link. Were this process killed before, a worker
    /// would: the confirmation has been due since the link was written.
    async fn decide_waiting(&self, link: &Link) -> Result<Option<Ending>, StoreError> {
        let Some(waiting) = link.waiting else { return Ok(None) };
        match link.verdict_on_waiting(self.vestibule.now(), self.vestibule.store()).await? {
            Some(verdict) => self.vestibule.decide(waiting, &verdict.into()).await,
            None => Ok(None),
        }
    }
}
