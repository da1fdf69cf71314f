//! The user who sent a request of the application's, as its handlers know them.

use std::{fmt, time::SystemTime};
use vestibule::{
    clock::Timestamp,
    entry::{self, Method},
    user::UserId,
};

/// The user who sent a request: the same facts that an assertion states.
///
/// As an argument of a handler it lets no one else in: a browser is led to sign in, and back;
/// another request is answered with 401. Take an `Option<SignedIn>` for a page that also others
/// see. Either needs [`Vestibule::layer`](super::Vestibule::layer), or one of the others, around
/// its route; without it, the answer is 500 and says so.
///
/// It is only ever a session that is established: extracting exchanges nothing. In a Leptos server
/// function, `leptos_axum::extract::<SignedIn>()` gives it.
#[derive(Clone)]
pub struct SignedIn {
    who: entry::SignedIn,
    is_fresh: bool,
}

impl SignedIn {
    pub(super) fn new(who: entry::SignedIn, now: Timestamp) -> Self {
        Self {
            is_fresh: who.is_fresh(now),
            who,
        }
    }

    /// The user's id, which never changes and is never another user's: **know your users by this**.
    /// It is written as 32 hexadecimal digits.
    #[must_use]
    pub fn id(&self) -> UserId {
        self.who.user.id
    }

    /// Who vouches for the user: what your validator says, or Vestibule's own passwords and links.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.who.user.identity.issuer
    }

    /// By which name the issuer knows the user. Only both together name a person.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.who.user.identity.subject
    }

    /// The user's name, if it is known. It can change.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.who.user.identity.name.as_deref()
    }

    /// The user's address, if it is known. It can change, and be another user's later.
    #[must_use]
    pub fn email(&self) -> Option<&str> {
        self.who.user.identity.email.as_deref()
    }

    /// What to call the user: the name, or else the address, or else the subject.
    #[must_use]
    pub fn display_name(&self) -> &str {
        self.who.user.display_name()
    }

    /// When the user proved who they are.
    #[must_use]
    pub fn since(&self) -> SystemTime {
        self.who.since.into()
    }

    /// Whether that was less than 20 minutes before this request.
    #[must_use]
    pub const fn is_fresh(&self) -> bool {
        self.is_fresh
    }

    /// How the user proved who they are.
    #[must_use]
    pub fn method(&self) -> Method {
        self.who.method()
    }

    /// What the application may call the session: another one after each sign-in.
    #[must_use]
    pub fn session(&self) -> String {
        self.who.sid()
    }
}

impl fmt::Debug for SignedIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The session's own id never leaves the server, not for a log either.
        f.debug_struct("SignedIn")
            .field("id", &self.id())
            .finish_non_exhaustive()
    }
}
