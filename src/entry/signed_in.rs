//! A user who is signed in, and how they have proved who they are.

use crate::{
    clock::Timestamp,
    pending::TokenTag,
    session::SessionId,
    user::{PASSWORD_ISSUER, User},
};
use sha2::{Digest as _, Sha256};
use std::time::Duration;

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
