//! Why a mail was not sent, in words for the operator. Its recipient must not be logged, and mail
//! servers like to repeat it: of their replies only the numbers are shown.

use lettre::transport::smtp::Error;
use std::{error::Error as _, fmt};
use vestibule::{mail::MailError, publisher::ConnectError};

/// Why a mail was not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SmtpError {
    /// There is no connection.
    Unreachable(ConnectError),
    /// The server has no STARTTLS, or an attacker in between has removed it.
    NoStartTls,
    /// The server takes no password, or none in a way that is known here.
    NoLogin,
    /// The connection broke, or what came back is not SMTP.
    Broken,
    /// The server says no.
    Refused {
        /// Its answer's code.
        code: u16,
        /// Its enhanced status code (RFC 3463), such as 5.1.1, if it gives one.
        status: Option<String>,
    },
    /// No mail can be made of it.
    Unsendable,
}

impl SmtpError {
    /// Sorts an error of the library.
    #[must_use]
    pub fn of(error: &Error) -> Self {
        if let Some(code) = error.status() {
            let said = error.source().map(ToString::to_string).unwrap_or_default();
            return Self::Refused {
                code: code.into(),
                status: enhanced(&said),
            };
        }
        if error.is_response() || error.is_client() {
            return Self::Broken;
        }
        Self::Unreachable(ConnectError::of(error))
    }

    /// Whether trying again can help (RFC 5321, section 4.2.1). A refusal of this server, and not
    /// of the mailbox, is something that an operator can fix.
    fn may_pass(&self) -> bool {
        match self {
            Self::Unreachable(_) | Self::NoStartTls | Self::NoLogin | Self::Broken => true,
            Self::Refused { code, status } => {
                *code < 500
                    || matches!(
                        FailedStep::of(*code, status.as_deref()),
                        Some(FailedStep::Login | FailedStep::Sender | FailedStep::Policy)
                    )
            }
            Self::Unsendable => false,
        }
    }
}

/// The first word, if it is an enhanced status code.
fn enhanced(said: &str) -> Option<String> {
    let word = said.split_whitespace().next()?;
    let number = |part: &str| {
        (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    (word.split('.').count() == 3 && word.split('.').all(number)).then(|| word.to_owned())
}

/// What a refusal is about, as its numbers tell (RFC 4954, section 6; RFC 3463, section 3).
#[derive(Clone, Copy)]
enum FailedStep {
    Login,
    Sender,
    Mailbox,
    Policy,
}

impl FailedStep {
    fn of(code: u16, status: Option<&str>) -> Option<Self> {
        match (
            code,
            status
                .and_then(|status| status.split_once('.'))
                .map(|(_, rest)| rest),
        ) {
            (530 | 534 | 535 | 538, _) => Some(Self::Login),
            (_, Some("1.7" | "1.8")) => Some(Self::Sender),
            (_, Some(rest)) if rest.starts_with("1.") || rest.starts_with("2.") => {
                Some(Self::Mailbox)
            }
            (_, Some(rest)) if rest.starts_with("7.") => Some(Self::Policy),
            _ => None,
        }
    }

    /// In words that tell the operator where to look.
    const fn words(self) -> &'static str {
        match self {
            Self::Login => ": it refuses the login in SMTP_URL",
            Self::Sender => ": it refuses MAIL_FROM",
            Self::Mailbox => ": it does not deliver to this mailbox, or not now",
            Self::Policy => ": it has a rule against this mail or its sender",
        }
    }
}

impl fmt::Display for SmtpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreachable(why @ ConnectError::NoTls) => {
                write!(
                    f,
                    "the mail server cannot be reached: {why}; if it is meant to ask for it first, say smtp://"
                )
            }
            Self::Unreachable(why) => write!(f, "the mail server cannot be reached: {why}"),
            Self::NoStartTls => f.write_str("the mail server has no STARTTLS, so nothing was sent"),
            Self::NoLogin => {
                f.write_str("the mail server takes no login by PLAIN or LOGIN, so nothing was sent")
            }
            Self::Broken => {
                f.write_str("the connection to the mail server broke, or it does not speak SMTP")
            }
            Self::Refused { code, status } => {
                let meaning =
                    FailedStep::of(*code, status.as_deref()).map_or("", FailedStep::words);
                match status {
                    Some(status) => write!(f, "the mail server answered {code} {status}{meaning}"),
                    None => write!(f, "the mail server answered {code}{meaning}"),
                }
            }
            Self::Unsendable => f.write_str("no mail can be made of it"),
        }
    }
}

impl From<SmtpError> for MailError {
    fn from(problem: SmtpError) -> Self {
        let what = problem.to_string();
        if problem.may_pass() {
            Self::Temporary(what)
        } else {
            Self::Permanent(what)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_what_a_server_says_the_numbers_alone_are_told() {
        assert_eq!(
            enhanced("5.1.1 <ada@example.com>: no such user"),
            Some("5.1.1".into())
        );
        for said in [
            "",
            "ada@example.com is unknown",
            "192.0.2.70 x",
            "5.1 x",
            "5.1.1.1 x",
            "5.1.1234 x",
            "5..1",
        ] {
            assert_eq!(enhanced(said), None, "{said}");
        }
    }

    #[test]
    fn refusals_are_sorted_by_whether_trying_again_can_help() {
        let refused = |code, status: &str| {
            MailError::from(SmtpError::Refused {
                code,
                status: enhanced(status),
            })
        };
        let told = |error: MailError| match error {
            MailError::Temporary(what) => format!("later: {what}"),
            MailError::Permanent(what) => format!("never: {what}"),
        };
        for (code, status, expected) in [
            (
                450,
                "4.2.0",
                "later: the mail server answered 450 4.2.0: it does not deliver to this mailbox, or not now",
            ),
            (421, "", "later: the mail server answered 421"),
            (550, "", "never: the mail server answered 550"),
            (
                550,
                "5.1.1",
                "never: the mail server answered 550 5.1.1: it does not deliver to this mailbox, or not now",
            ),
            (
                535,
                "5.7.8",
                "later: the mail server answered 535 5.7.8: it refuses the login in SMTP_URL",
            ),
            (
                553,
                "5.1.8",
                "later: the mail server answered 553 5.1.8: it refuses MAIL_FROM",
            ),
            (
                554,
                "5.7.1",
                "later: the mail server answered 554 5.7.1: it has a rule against this mail or its sender",
            ),
        ] {
            assert_eq!(told(refused(code, status)), expected);
        }
    }
}
