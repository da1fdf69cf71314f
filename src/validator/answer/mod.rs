//! What a validator says, as JSON: in its answer, or by calling back. `docs/PROTOCOL.md` is the
//! contract.

use super::{Reason, Verdict};
use crate::{
    confirmation::{ConfirmationId, Stage},
    path::LocalPath,
    user::{Identity, PASSWORD_ISSUER},
};
use serde::Deserialize;
use serde_json::Value;

/// What a validator says of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// What it has decided.
    Verdict(Verdict),
    /// It has not decided yet; how far its check has come, if it says so.
    Pending(Option<Stage>),
}

/// A callback: what a validator says, and of which confirmation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackBody {
    /// The confirmation.
    pub confirmation: ConfirmationId,
    /// What it says of it.
    pub answer: Answer,
}

/// It is not of the protocol. Says why, for the validator's maker; never what was said.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidAnswer(pub String);

#[derive(Deserialize)]
struct Body {
    confirmation: Option<String>,
    verdict: Option<String>,
    identity: Option<IdentityBody>,
    reason: Option<String>,
    redirect: Option<Value>,
    step: Option<Value>,
}

#[derive(Deserialize)]
struct IdentityBody {
    issuer: String,
    subject: String,
    name: Option<String>,
    email: Option<String>,
}

impl Answer {
    /// Reads the body of an answer.
    ///
    /// # Errors
    /// [`InvalidAnswer`] if it is not JSON of the protocol.
    pub fn read(json: &[u8]) -> Result<Self, InvalidAnswer> {
        Body::read(json)?.answer()
    }
}

impl CallbackBody {
    /// Reads the body of a callback.
    ///
    /// # Errors
    /// [`InvalidAnswer`] if it is not JSON of the protocol.
    pub fn read(json: &[u8]) -> Result<Self, InvalidAnswer> {
        let body = Body::read(json)?;
        let missing = || InvalidAnswer("confirmation is missing".into());
        let confirmation = body.confirmation.as_deref().ok_or_else(missing)?;
        let confirmation = confirmation.parse().map_err(|_| {
            InvalidAnswer("confirmation is not the 32 hexadecimal digits of the question".into())
        })?;
        Ok(Self {
            confirmation,
            answer: body.answer()?,
        })
    }
}

impl Body {
    fn read(json: &[u8]) -> Result<Self, InvalidAnswer> {
        serde_json::from_slice(json).map_err(|error| InvalidAnswer(problem(&error)))
    }

    fn answer(self) -> Result<Answer, InvalidAnswer> {
        let missing = |what: &str| InvalidAnswer(format!("{what} is missing"));
        match self.verdict.as_deref() {
            Some("valid") => {
                let identity = self
                    .identity
                    .ok_or_else(|| missing("identity"))?
                    .checked()?;
                let next = self.redirect.as_ref().and_then(next);
                Ok(Answer::Verdict(Verdict::Valid(identity, next)))
            }
            Some("invalid") => {
                let reason = self.reason.ok_or_else(|| missing("reason"))?;
                let reason = Reason::from_name(&reason);
                let wrong = || InvalidAnswer("reason is not invalid, expired or used".into());
                Ok(Answer::Verdict(Verdict::Invalid(reason.ok_or_else(wrong)?)))
            }
            Some("pending") => {
                let name = self.step.as_ref().and_then(Value::as_str);
                Ok(Answer::Pending(name.and_then(Stage::from_name)))
            }
            Some(_) => Err(InvalidAnswer(
                "verdict is not valid, invalid or pending".into(),
            )),
            None => Err(missing("verdict")),
        }
    }
}

impl IdentityBody {
    fn checked(self) -> Result<Identity, InvalidAnswer> {
        let identity = Identity {
            issuer: self.issuer,
            subject: self.subject,
            name: self.name,
            email: self.email,
        };
        let identity = identity
            .checked()
            .map_err(|error| InvalidAnswer(error.to_string()))?;
        if identity.issuer == PASSWORD_ISSUER {
            // Its subjects are addresses: a validator could name any user who has a password here.
            return Err(InvalidAnswer("the issuer vestibule is reserved".into()));
        }
        Ok(identity)
    }
}

/// Where a sign-in leads. What is no path is passed over: the verdict counts all the same.
fn next(redirect: &Value) -> Option<LocalPath> {
    let path = redirect.as_str().and_then(|path| path.parse().ok());
    if path.is_none() {
        tracing::warn!(
            "the validator says where a sign-in leads, and that is no path on this host"
        );
    }
    path
}

/// What is wrong with a JSON text. The parser's own words repeat what they could not read, which
/// may be a name or an address.
fn problem(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Data => {
            "a field is missing, is there twice, or has another type"
        }
        _ => "it is not JSON",
    };
    format!("{what} (line {}, column {})", error.line(), error.column())
}

#[cfg(test)]
mod tests;
