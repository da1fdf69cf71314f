//! What has happened to accounts and who was refused: one line of the log each, under the target
//! [`TARGET`], for a later investigation (OWASP ASVS 5.0, 16.2 and 16.3). `docs/SECURITY.md` lists
//! them.
//!
//! A line has the kind of the event, its outcome, the user's id where one is known, and by what
//! means. It never holds an address, a name, a token, a code or a password. The server adds a keyed
//! hash of the client by a span around each request.

use crate::{
    clock::Timestamp,
    confirmation::{Confirmation, Ending},
    user::UserId,
};
use std::fmt;
use tracing::field::display;

/// The target of all these lines.
pub const TARGET: &str = "vestibule::audit";

/// How a user proves who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// A password.
    Password,
    /// A token that the validator has judged, or a link that was opened.
    Confirmation,
    /// The code in a mail.
    Code,
    /// The number that another page shows.
    Number,
}

impl fmt::Display for Means {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Password => "password",
            Self::Confirmation => "confirmation",
            Self::Code => "code",
            Self::Number => "number",
        })
    }
}

/// What has happened.
#[derive(Clone, Copy, Debug)]
pub enum Event {
    /// A browser has got a session of the user.
    SignedIn {
        /// Whose.
        user: UserId,
        /// By what.
        means: Means,
    },
    /// A sign-in was refused.
    SignInRefused {
        /// Who would have been signed in, if known.
        user: Option<UserId>,
        /// By what.
        means: Means,
        /// Why not: a word.
        why: &'static str,
    },
    /// A code, a number or a link lets a browser in that waits for it.
    LetIn {
        /// By what.
        means: Means,
    },
    /// The user has signed out.
    SignedOut {
        /// Who.
        user: UserId,
        /// In every browser.
        everywhere: bool,
    },
    /// The user has ended sessions in other browsers.
    SessionsEnded {
        /// Who.
        user: UserId,
    },
    /// The user has another password.
    PasswordSet {
        /// Who.
        user: UserId,
        /// By an operator.
        by_operator: bool,
    },
    /// The user has asked to be known by another address.
    AddressAsked {
        /// Who.
        user: UserId,
    },
    /// The user is known by another address.
    AddressChanged {
        /// Who.
        user: UserId,
    },
    /// An operator has added, disabled, enabled or removed a user, made a link for one, rotated
    /// keys, or done something about a confirmation.
    Operated {
        /// What was done: a word such as `user_disabled`.
        event: &'static str,
        /// The user that it was done to, if known.
        user: Option<UserId>,
    },
    /// Something was asked for too often, or by too many at once.
    TooOften {
        /// What: a word.
        what: &'static str,
        /// Who is signed in.
        user: Option<UserId>,
    },
    /// A request did not come from a page of ours, or asked for what is another browser's.
    Forged {
        /// What gave it away: a word.
        what: &'static str,
    },
}

/// Records what `confirmation` has come to at `now`.
pub(crate) fn settled(confirmation: &Confirmation, ending: Ending, now: Timestamp) {
    let waited = now.since(confirmation.created_at);
    tracing::info!(target: "vestibule", confirmation = %confirmation.id, ?ending, ?waited, "settled");
    if let Ending::Rejected(reason) = ending {
        Event::SignInRefused {
            user: None,
            means: Means::Confirmation,
            why: reason.as_str(),
        }
        .record();
    }
}

/// A line.
struct AuditLine {
    event: &'static str,
    refused: bool,
    user: Option<UserId>,
    means: Option<Means>,
    detail: Option<&'static str>,
}

impl AuditLine {
    const fn allowed(event: &'static str, user: UserId) -> Self {
        Self {
            event,
            refused: false,
            user: Some(user),
            means: None,
            detail: None,
        }
    }

    const fn refused(event: &'static str, user: Option<UserId>, detail: &'static str) -> Self {
        Self {
            event,
            refused: true,
            user,
            means: None,
            detail: Some(detail),
        }
    }
}

impl Event {
    /// Writes the line: what was refused as a warning.
    pub fn record(self) {
        let AuditLine {
            event,
            refused,
            user,
            means,
            detail,
        } = self.line();
        let user = user.map(display);
        let means = means.map(display);
        if refused {
            tracing::warn!(target: TARGET, event, outcome = "refused", user, means, detail);
        } else {
            tracing::info!(target: TARGET, event, outcome = "done", user, means, detail);
        }
    }

    const fn line(self) -> AuditLine {
        match self {
            Self::SignedIn { user, means } => AuditLine {
                means: Some(means),
                ..AuditLine::allowed("sign_in", user)
            },
            Self::SignInRefused { user, means, why } => AuditLine {
                means: Some(means),
                ..AuditLine::refused("sign_in", user, why)
            },
            Self::LetIn { means } => AuditLine {
                event: "let_in",
                refused: false,
                user: None,
                means: Some(means),
                detail: None,
            },
            Self::SignedOut { user, everywhere } => AuditLine {
                detail: if everywhere { Some("everywhere") } else { None },
                ..AuditLine::allowed("sign_out", user)
            },
            Self::SessionsEnded { user } => AuditLine::allowed("sessions_ended", user),
            Self::PasswordSet { user, by_operator } => AuditLine {
                detail: if by_operator {
                    Some("by_operator")
                } else {
                    None
                },
                ..AuditLine::allowed("password_set", user)
            },
            Self::AddressAsked { user } => AuditLine::allowed("address_asked", user),
            Self::AddressChanged { user } => AuditLine::allowed("address_changed", user),
            Self::Operated { event, user } => AuditLine {
                event,
                refused: false,
                user,
                means: None,
                detail: Some("by_operator"),
            },
            Self::TooOften { what, user } => AuditLine::refused("too_often", user, what),
            Self::Forged { what } => AuditLine::refused("forged", None, what),
        }
    }
}
