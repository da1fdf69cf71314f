//! Judging tokens. Only a validator can, but for [links of our own](crate::link); Vestibule waits
//! for it outside of every request and every transaction.

mod answer;
#[cfg(feature = "http")]
mod http;

pub use answer::{Answer, CallbackBody, InvalidAnswer};

#[cfg(feature = "http")]
pub use http::{HttpValidator, InvalidEndpoint};

use crate::{
    clock::Timestamp,
    confirmation::{ConfirmationId, Decision, Rejection, Stage},
    path::LocalPath,
    token::Token,
    user::{Identity, UserId},
};
use async_trait::async_trait;
use std::time::Duration;

/// What a validator says of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is good and this identity's; the sign-in leads to this page, if there is one.
    Valid(Identity, Option<LocalPath>),
    /// The same, and this user's, who is known here: if they have gone meanwhile, it has expired.
    Known(UserId, Option<LocalPath>),
    /// It is not.
    Invalid(Reason),
}

/// Why a token is not good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// There is no such token.
    Invalid,
    /// It was good once.
    Expired,
    /// It has been used.
    Used,
}

impl Reason {
    /// The reason with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "invalid" => Some(Self::Invalid),
            "expired" => Some(Self::Expired),
            "used" => Some(Self::Used),
            _ => None,
        }
    }
}

impl From<Verdict> for Decision {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Valid(identity, next) => Self::Valid(identity, next),
            Verdict::Known(user, next) => Self::Known(user, next),
            Verdict::Invalid(reason) => Self::Rejected(reason.into()),
        }
    }
}

impl From<Reason> for Rejection {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Invalid => Self::Invalid,
            Reason::Expired => Self::Expired,
            Reason::Used => Self::Used,
        }
    }
}

/// The validator gave no verdict. That never counts as "invalid".
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValidationError {
    /// Asking again may help.
    #[error("{what}")]
    Temporary {
        /// What went wrong, for the operator; never the token.
        what: String,
        /// How long the validator asked to be left alone.
        retry_after: Option<Duration>,
    },
    /// It is asked too often on behalf of this confirmation's client. Asking again later may help;
    /// it says nothing about other clients.
    #[error("it is asked too often")]
    Throttled {
        /// How long the validator asked to be left alone about this one.
        retry_after: Option<Duration>,
    },
    /// It has understood, and answers later: the same question, asked again, gets the verdict,
    /// unless it calls back before. It is no failure.
    #[error("it answers later")]
    Later {
        /// After how long it is to be asked again.
        ask_again: Duration,
        /// How far its check has come, if it says so.
        stage: Option<Stage>,
    },
    /// Asking again cannot help; an operator must do something.
    #[error("{what}")]
    Permanent {
        /// What went wrong, for the operator; never the token.
        what: String,
    },
}

impl ValidationError {
    /// A temporary error without a wish for a pause.
    #[must_use]
    pub fn temporary(what: impl Into<String>) -> Self {
        Self::Temporary {
            what: what.into(),
            retry_after: None,
        }
    }
}

/// Judges tokens.
#[async_trait]
pub trait Validator: Send + Sync + 'static {
    /// Judges `token` for the confirmation `id`, which has to be decided by `deadline`.
    ///
    /// The same confirmation may be asked for more than once: after a crash, or after an answer
    /// that was lost. `id` is the idempotency key; a validator whose tokens are good once must give
    /// the same confirmation the same verdict. The worker bounds the time; an implementation need
    /// not.
    async fn validate(
        &self,
        id: ConfirmationId,
        token: &Token,
        deadline: Timestamp,
    ) -> Result<Verdict, ValidationError>;
}

/// An `async fn(Token) -> Result<Verdict, ValidationError>` judges tokens as well, where nothing but
/// the token matters.
#[async_trait]
impl<F, V> Validator for F
where
    F: Fn(Token) -> V + Send + Sync + 'static,
    V: Future<Output = Result<Verdict, ValidationError>> + Send + 'static,
{
    async fn validate(
        &self,
        _: ConfirmationId,
        token: &Token,
        _: Timestamp,
    ) -> Result<Verdict, ValidationError> {
        self(token.clone()).await
    }
}
