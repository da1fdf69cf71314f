//! Our own links: sign-in by mail, for anyone who can read it.
//!
//! A user types their address. Their browser begins a confirmation at once, with a token that no
//! one else knows: the *waiting* one. The link goes to the address. To let the waiting browser in,
//! the user opens the link in it, types its number elsewhere, or types the code: this *approves*
//! the link. Only then is the waiting confirmation due. The worker judges it itself, and asks no
//! validator.
//!
//! The user may also open the link elsewhere to sign in there: that is a confirmation of its own,
//! with the link's token, which uses the link up. Only the first of these counts, so one link never
//! lets two browsers in.

mod asker;
mod change;
mod code;
mod create;
mod digit;
mod judge;
mod magic_links;
mod sweep;
mod terms;
mod token;
mod tries;

pub use crate::secret::LinkToken;
pub use asker::{Asker, Browser, BrowserTag};
use change::{LinkKey, change};
pub use code::{Code, InvalidNumber, Number};
pub use create::create;
pub(crate) use judge::judge;
pub use magic_links::{
    Ask, Guess, Guessed, MagicLinks, OpenedLink, Registration, Requested, STRANGERS, WINDOW,
};
pub use sweep::sweep;
pub(crate) use terms::Mailing;
pub use terms::{Counts, PER_ADDRESS, Terms};
pub use tries::{Alarm, CODES_OFF, Tries, WRONG_CODES, WrongCode};

use crate::{
    clock::Timestamp,
    confirmation::ConfirmationId,
    device::Device,
    email_address::Address,
    id::id,
    path::LocalPath,
    secret::{Mac, SecretHash},
    store::StoreError,
    validator::Reason,
};
use std::time::Duration;

id! {
    /// The id of a link.
    LinkId
}

/// How long a link works (OWASP ASVS 5.0, 6.5.5: at most 10 minutes).
pub const LIFETIME: Duration = Duration::from_mins(10);
/// How long a user waits before they may have a new link sent in place of theirs: mail takes a
/// moment.
pub const RESEND_AFTER: Duration = Duration::from_secs(30);
/// How often a code may be guessed (OWASP ASVS 5.0, 6.6.3: a short code is good for few attempts).
pub const GUESSES: u32 = 5;

/// A sign-in link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The link's id.
    pub id: LinkId,
    /// Counts the writes to this link; a store replaces a link only if it has not been written
    /// since it was read.
    pub revision: u64,
    /// The hash of its token.
    pub token: SecretHash,
    /// The confirmation of the browser that has asked for it; none where an operator has made it.
    pub waiting: Option<ConfirmationId>,
    /// The address of the user that it signs in.
    pub address: Address,
    /// Whether it also signs in a new user, if no user has that address.
    pub allows_new_user: bool,
    /// The MAC of the code that may be typed in its place.
    pub code: Mac,
    /// Whether it was mailed. The code of a link that was not mailed never works.
    pub mailed: bool,
    /// Whether it was asked for in a browser that has signed in to the address before.
    pub known: bool,
    /// How often the code has been guessed wrong.
    pub guesses: u32,
    /// What the waiting browser shows, to be typed elsewhere.
    pub number: Number,
    /// The device that asked for it, if known.
    pub device: Option<Device>,
    /// Where the sign-in by it leads, in any browser, if not to the default.
    pub next: Option<LocalPath>,
    /// When it was asked for.
    pub requested_at: Timestamp,
    /// When it expires.
    pub expires_at: Timestamp,
    /// What has become of it.
    pub state: LinkState,
}

/// What has become of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// Nothing yet.
    Open,
    /// It lets the waiting browser in.
    Approved,
    /// It has signed another browser in, by this confirmation.
    Used {
        /// Which one.
        by: ConfirmationId,
    },
    /// It no longer works: a newer one was mailed, its code was guessed wrong too often, a wrong
    /// number was typed, the waiting browser has cancelled, or its user has changed how they sign
    /// in, or was disabled or removed.
    Revoked,
}

/// Why a link cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLink {
    /// Its time has passed, or it was [revoked](LinkState::Revoked).
    #[error("the link has expired")]
    Expired,
    /// It has signed a user in.
    #[error("the link has been used")]
    Used,
}

/// A link was not used.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// It cannot be used.
    #[error(transparent)]
    Invalid(#[from] InvalidLink),
    /// The store could not do its work.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<InvalidLink> for Reason {
    fn from(why: InvalidLink) -> Self {
        match why {
            InvalidLink::Expired => Self::Expired,
            InvalidLink::Used => Self::Used,
        }
    }
}

impl Link {
    /// Whether it can be used now.
    ///
    /// # Errors
    /// [`InvalidLink`] says why not.
    pub fn open(&self, now: Timestamp) -> Result<(), InvalidLink> {
        match self.state {
            LinkState::Open if now < self.expires_at => Ok(()),
            LinkState::Open | LinkState::Revoked => Err(InvalidLink::Expired),
            LinkState::Approved | LinkState::Used { .. } => Err(InvalidLink::Used),
        }
    }

    /// Lets the waiting browser in.
    ///
    /// # Errors
    /// [`InvalidLink`] if it cannot be used any more; to approve twice is no error.
    pub fn approve(self, now: Timestamp) -> Result<Self, InvalidLink> {
        match self.state {
            LinkState::Approved => Ok(self),
            _ => self
                .open(now)
                .map(|()| self.into_state(LinkState::Approved)),
        }
    }

    /// Signs another browser in, by its confirmation `by`.
    ///
    /// # Errors
    /// [`InvalidLink`] if it cannot be used any more; for the same confirmation to use it twice is
    /// no error.
    pub fn use_up(self, by: ConfirmationId, now: Timestamp) -> Result<Self, InvalidLink> {
        match self.state {
            LinkState::Used { by: before } if before == by => Ok(self),
            _ => self
                .open(now)
                .map(|()| self.into_state(LinkState::Used { by })),
        }
    }

    /// Revokes an open link; what any other has come to stays.
    #[must_use]
    pub fn revoke(self) -> Self {
        match self.state {
            LinkState::Open => self.into_state(LinkState::Revoked),
            _ => self,
        }
    }

    /// How long it is until another one may be sent in its place.
    #[must_use]
    pub fn resend_in(&self, now: Timestamp) -> Duration {
        (self.requested_at + RESEND_AFTER)
            .since(now)
            .min(RESEND_AFTER)
    }

    /// Takes a typed code: the right one of a link that was mailed approves, the last wrong one
    /// revokes.
    ///
    /// # Errors
    /// [`InvalidLink`] if it cannot be used any more.
    pub fn guess(mut self, right: bool, now: Timestamp) -> Result<Self, InvalidLink> {
        self.open(now)?;
        if right && self.mailed {
            return self.approve(now);
        }
        self.guesses += 1;
        let state = if self.guesses < GUESSES {
            LinkState::Open
        } else {
            LinkState::Revoked
        };
        Ok(self.into_state(state))
    }

    fn into_state(self, state: LinkState) -> Self {
        Self {
            state,
            revision: self.revision + 1,
            ..self
        }
    }
}

#[cfg(test)]
mod tests;
