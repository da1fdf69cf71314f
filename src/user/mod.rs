//! Users, and the identities that a validator knows them by.

pub use crate::ids::UserId;

use crate::{
    clock::Timestamp,
    ids::SessionId,
    invisible::{is_invisible, is_joiner},
};
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
mod tests {
    use super::*;

    fn identity(issuer: &str, name: Option<&str>) -> Identity {
        Identity {
            issuer: issuer.into(),
            subject: "s".into(),
            name: name.map(Into::into),
            email: None,
        }
    }

    #[test]
    fn an_identity_is_bounded_and_has_no_control_characters() {
        assert!(identity("i", Some("Ada")).checked().is_ok());
        assert_eq!(identity("", None).checked(), Err(InvalidIdentity::Key));
        assert_eq!(
            identity(&"i".repeat(256), None).checked(),
            Err(InvalidIdentity::Key)
        );
        assert_eq!(
            identity("i", Some(&"n".repeat(256))).checked(),
            Err(InvalidIdentity::Long)
        );
        assert_eq!(
            identity("i", Some("Ada\r\nBcc: x")).checked(),
            Err(InvalidIdentity::Control)
        );
    }

    #[test]
    fn no_identity_looks_like_another_by_what_is_not_seen() {
        for hidden in "\u{ad}\u{34f}\u{61c}\u{180e}\u{200b}\u{200e}\u{200f}\u{2028}\u{2029}\u{202a}\u{202e}\u{2060}\u{2066}\u{2069}\u{206f}\u{3164}\u{feff}\u{fffb}\u{e0001}\u{e0061}\u{e007f}".chars() {
            let text = format!("Ada{hidden}");
            let ada = identity("i", None);
            for identity in [
                identity("i", Some(&text)),
                Identity { issuer: text.clone(), ..ada.clone() },
                Identity { subject: text.clone(), ..ada.clone() },
                Identity { email: Some(text.clone()), ..ada },
            ] {
                assert_eq!(identity.checked(), Err(InvalidIdentity::Control), "{hidden:?}");
            }
        }
        for name in [
            "\u{915}\u{94d}\u{200d}\u{937}",
            "\u{645}\u{6cc}\u{200c}\u{62e}",
            "\u{5d0}\u{5d3}\u{5d4}",
            "Zo\u{eb}",
        ] {
            assert!(identity("i", Some(name)).checked().is_ok(), "{name}");
            let key = Identity {
                subject: format!("{name}\u{200d}"),
                ..identity("i", None)
            };
            assert_eq!(
                key.checked(),
                Err(InvalidIdentity::Control),
                "a joiner is for names alone"
            );
        }
    }

    #[test]
    fn two_of_one_name_are_told_apart_by_who_knows_them_and_how() {
        let user = |issuer: &str, email: Option<&str>| {
            let identity = Identity {
                email: email.map(Into::into),
                ..identity(issuer, Some("Ada"))
            };
            User::new(
                UserId::from_bytes([0; 16]),
                identity,
                Timestamp::from_millis(0),
            )
            .description()
        };
        assert_eq!(
            user(PASSWORD_ISSUER, Some("ada@example.com")),
            "ada@example.com"
        );
        assert_eq!(
            user("school", Some("ada@example.com")),
            "ada@example.com (school: s)"
        );
        assert_eq!(user("school", None), "school: s");
    }

    #[test]
    fn a_user_who_changed_their_sign_in_is_not_locked_out_by_a_clock_set_back() {
        let at = Timestamp::from_millis;
        let user = User::new(UserId::from_bytes([0; 16]), identity("i", None), at(0));
        let changed = User {
            valid_from: at(50),
            ..user
        };
        for (since, now, welcome) in [
            (49, 60, false),
            (50, 60, true),
            (40, 40, true),
            (40, 50, false),
        ] {
            assert_eq!(
                changed.may_sign_in(at(since), at(now)),
                welcome,
                "{since} at {now}"
            );
        }
        assert!(
            !User {
                disabled: true,
                ..changed
            }
            .may_sign_in(at(40), at(40))
        );
    }

    #[test]
    fn a_user_without_a_name_is_called_by_what_is_known() {
        let user = |identity| {
            User::new(
                UserId::from_bytes([0; 16]),
                identity,
                Timestamp::from_millis(0),
            )
        };
        assert_eq!(user(identity("i", Some("Ada"))).display_name(), "Ada");
        for unseen in ["  ", "\u{200d}", "\u{200b}\u{a0}"] {
            assert_eq!(
                user(identity("i", Some(unseen))).display_name(),
                "s",
                "{unseen:?}"
            );
        }
    }
}
