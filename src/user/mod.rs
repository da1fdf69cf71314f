//! Users, and the identities that a validator knows them by.

mod identity;

pub use crate::id::UserId;
pub use identity::{Identity, InvalidIdentity};

use crate::{
    clock::Timestamp,
    id::SessionId,
    invisible::{is_invisible, is_joiner},
};
use std::fmt;

/// A person who can be signed in.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// The user's id.
    pub id: UserId,
    /// Who the user is, in the words of the validator's last verdict.
    pub identity: Identity,
    /// When the user was first seen.
    pub created_at: Timestamp,
    /// Whether an operator keeps the user out. Nothing signs them in then.
    pub disabled: bool,
    /// Sessions that began before this sign no one in: since then the user signs in in another way,
    /// has signed out everywhere, or was disabled. Each such moment is later than the one before,
    /// however the clock is set.
    pub valid_from: Timestamp,
    /// Browsers that were known to have signed in before are strangers again, because some were
    /// thrown out then.
    pub known_from: Timestamp,
    /// How often it was revoked what the user's sessions may do. See [`Authority`].
    pub revision: u64,
}

/// By whose leave an account is changed: a session that signs its user in. A store changes the
/// account in the statement that finds it so: the user is not disabled, nothing was revoked since
/// `revision` was read, and where sessions are in the same database, the session is there. So what
/// was allowed to a session ends with the session, however long ago its request has begun (CWE-367;
/// OWASP ASVS 5.0, 7.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authority {
    /// Whose account it is.
    pub user: UserId,
    /// The session.
    pub session: SessionId,
    /// The user's [`revision`](User::revision), read before the session was.
    pub revision: u64,
}

impl User {
    /// A new user.
    #[must_use]
    pub const fn new(id: UserId, identity: Identity, created_at: Timestamp) -> Self {
        let start = Timestamp::from_millis(0);
        Self {
            id,
            identity,
            created_at,
            disabled: false,
            valid_from: start,
            known_from: start,
            revision: 0,
        }
    }

    /// Whether a session that began at `since` may sign the user in at `now`. While a clock that
    /// was set back has not come to [`valid_from`](Self::valid_from) again, it keeps no one out:
    /// earlier sessions have been deleted as well.
    #[must_use]
    pub fn may_sign_in(&self, since: Timestamp, now: Timestamp) -> bool {
        !self.disabled && (since >= self.valid_from || now < self.valid_from)
    }

    /// What tells the user from others of the same name: the e-mail address, and how another issuer
    /// knows them.
    #[must_use]
    pub fn description(&self) -> String {
        let Identity {
            issuer,
            subject,
            email,
            ..
        } = &self.identity;
        match email {
            Some(email) if issuer == PASSWORD_ISSUER => email.clone(),
            Some(email) => format!("{email} ({issuer}: {subject})"),
            None if issuer == PASSWORD_ISSUER => subject.clone(),
            None => format!("{issuer}: {subject}"),
        }
    }

    /// What to call the user: the name, or else the e-mail address, or else the subject.
    #[must_use]
    pub fn display_name(&self) -> &str {
        let words = |text: &'_ Option<String>| {
            text.as_deref()
                .is_some_and(|text| text.chars().any(is_seen))
        };
        match &self.identity {
            Identity {
                name: Some(name), ..
            } if words(&self.identity.name) => name,
            Identity {
                email: Some(email), ..
            } if words(&self.identity.email) => email,
            Identity { subject, .. } => subject,
        }
    }
}

fn is_seen(char: char) -> bool {
    !char.is_whitespace() && !is_invisible(char) && !is_joiner(char)
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "User({})", self.id)
    }
}

/// The issuer of users who sign in with a password here; their subject is their e-mail address in
/// lower case.
pub const PASSWORD_ISSUER: &str = "vestibule";

/// The subject of practice mode's own user, who has a public password.
pub const PRACTICE_SUBJECT: &str = "practice@example.com";

/// The identity that practice mode's validator vouches for: issuer and subject.
pub const PRACTICE_IDENTITY: (&str, &str) = ("practice", "ada");

/// The result of changing a user's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moved {
    /// They are, and are valid from this moment on.
    Done(Timestamp),
    /// Another user has that address.
    Taken,
    /// They are not known by the former address: they have moved on, or were removed.
    Gone,
    /// The authority is no longer valid.
    Revoked,
}

/// Where the users after `after` begin, in the order of issuer and subject. Neither is ever empty.
pub(crate) fn key_after(after: Option<&User>) -> (String, String) {
    let key = |user: &User| (user.identity.issuer.clone(), user.identity.subject.clone());
    after.map(key).unwrap_or_default()
}

#[cfg(test)]
mod tests;
