//! The identity that a validator vouches for.

use crate::invisible::{is_invisible, is_joiner};
use std::fmt;

/// Who a validator says that a token belongs to.
///
/// Users are matched by (issuer, subject) alone: an e-mail address can change hands, and two
/// issuers may both claim it.
#[derive(Clone, PartialEq, Eq)]
pub struct Identity {
    /// Who vouches for the subject: 1 to 255 characters.
    pub issuer: String,
    /// The issuer's own, unchanging name for the person: 1 to 255 characters.
    pub subject: String,
    /// What to call the person.
    pub name: Option<String>,
    /// Where to write to.
    pub email: Option<String>,
}

/// A validator's words are no identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIdentity {
    /// The issuer or the subject is empty or too long.
    #[error("issuer and subject have 1 to 255 characters")]
    Key,
    /// The name or the e-mail address is too long.
    #[error("name and e-mail have at most 255 characters")]
    Long,
    /// Something holds a control character, or another one that is not seen or turns the direction
    /// of the text.
    #[error("an identity has no control characters and nothing invisible")]
    Control,
}

impl Identity {
    /// The identity of a person of whom nothing else is known.
    pub fn new(issuer: impl Into<String>, subject: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            subject: subject.into(),
            name: None,
            email: None,
        }
    }

    /// The same, of a person who is called `name`.
    #[must_use]
    pub fn with_name(self, name: impl Into<String>) -> Self {
        Self {
            name: Some(name.into()),
            ..self
        }
    }

    /// The same, of a person who is written to at `email`.
    #[must_use]
    pub fn with_email(self, email: impl Into<String>) -> Self {
        Self {
            email: Some(email.into()),
            ..self
        }
    }

    /// Checks what a validator said.
    ///
    /// # Errors
    /// [`InvalidIdentity`] if a part is empty, too long or holds what is not seen. A joiner may be
    /// in a name and nowhere else.
    pub fn checked(self) -> Result<Self, InvalidIdentity> {
        let length = |text: &str| text.chars().count();
        let extras = [self.name.as_deref(), self.email.as_deref()];
        if [&self.issuer, &self.subject]
            .into_iter()
            .any(|key| !(1..=255).contains(&length(key)))
        {
            return Err(InvalidIdentity::Key);
        }
        if extras.into_iter().flatten().any(|text| length(text) > 255) {
            return Err(InvalidIdentity::Long);
        }
        let keys = [Some(&self.issuer), Some(&self.subject), self.email.as_ref()];
        let all = keys.into_iter().chain([self.name.as_ref()]).flatten();
        if all.into_iter().any(|text| text.chars().any(is_invisible))
            || keys
                .into_iter()
                .flatten()
                .any(|key| key.chars().any(is_joiner))
        {
            return Err(InvalidIdentity::Control);
        }
        Ok(self)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(…)")
    }
}
