//! What the confirm page says, in one sentence. The page that works without JavaScript says the
//! same.

use vestibule_protocol::{Stage, Step};

/// Nothing has begun.
pub const READY: &str = "Continue to sign in with this link.";
/// No worker has taken the confirmation yet.
pub const QUEUED: &str = "Your link is waiting to be checked.";
/// A link is on its way by mail and has not been opened yet.
pub const MAILED: &str = "Open the link in the e-mail. This page then continues by itself.";
/// The validator is being asked.
pub const CONTACTING: &str = "We are checking your link.";
/// The server could not be reached; the page tries again by itself.
pub const INTERRUPTED: &str = "Connection lost. Trying again.";
/// The server asked the page to wait; it tries again by itself.
pub const BUSY: &str = "The server is busy. Trying again soon.";
/// The server asked this network to wait; the page tries again by itself.
pub const TOO_MANY: &str =
    "Too many links are open on your network. Trying again in about a minute.";
/// The token was good.
pub const CONFIRMED: &str = "Your link is valid. Signing you in.";
/// The token was not good.
pub const REJECTED: &str = "This link cannot be used. Taking you to the login page.";
/// The token could not be checked in time.
pub const UNAVAILABLE: &str = "Your link could not be checked in time. It may still work.";
/// This browser cancelled before.
pub const CANCELLED: &str = "You cancelled this sign-in.";

/// The browser has not kept the cookie that the page has set. Nothing has begun.
pub const NO_COOKIES: &str = "Your browser does not accept cookies for this site. Allow them and open the link again; it still works.";

/// The validator could not answer and is asked again.
pub fn retrying(attempt: u32) -> String {
    [
        "The checking service did not answer. Trying again, attempt ",
        &attempt.to_string(),
        ".",
    ]
    .concat()
}

/// The validator answers later, and may have said how far its check has come.
pub fn later(stage: Option<Stage>) -> String {
    let says = match stage {
        None => "This check can take several minutes.",
        Some(Stage::Received) => {
            "Your request has been received. The check can take several minutes."
        }
        Some(Stage::Reviewing) => "Your request is being reviewed. This can take several minutes.",
        Some(Stage::Almost) => "The check is almost done.",
    };
    [
        says,
        " You can close this page: open the link again in this browser to go on.",
    ]
    .concat()
}

/// One of the sentences above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sentence {
    /// A constant one.
    Fixed(&'static str),
    /// The one of this step.
    Waiting(Step),
}

impl Sentence {
    /// The sentence itself.
    pub fn text(self) -> String {
        match self {
            Self::Fixed(text) => text.to_owned(),
            Self::Waiting(Step::Queued) => QUEUED.to_owned(),
            Self::Waiting(Step::Contacting) => CONTACTING.to_owned(),
            Self::Waiting(Step::Retrying { attempt }) => retrying(attempt),
            Self::Waiting(Step::Later { stage }) => later(stage),
        }
    }
}

/// How long the page has waited, once that is worth saying: after five seconds.
pub fn elapsed(seconds: u32) -> String {
    let (number, unit) = match seconds {
        0..5 => return String::new(),
        5..120 => (seconds, " seconds so far."),
        _ => (seconds / 60, " minutes so far."),
    };
    number.to_string() + unit
}

/// What to say beside [`elapsed`] once the wait is unusual: after ten seconds, unless `sentence`
/// says it.
pub fn longer(sentence: Sentence, seconds: u32) -> &'static str {
    if seconds < 10 || matches!(sentence, Sentence::Waiting(Step::Later { .. })) {
        ""
    } else {
        "This is taking longer than usual. You can keep this page open."
    }
}

#[cfg(test)]
mod tests {
    use super::{Sentence, elapsed, longer};
    use vestibule_protocol::Step;

    #[test]
    fn a_retry_names_its_attempt() {
        assert_eq!(
            Sentence::Waiting(Step::Retrying { attempt: 12 }).text(),
            "The checking service did not answer. Trying again, attempt 12."
        );
    }

    #[test]
    fn the_wait_is_told_once_it_is_long_enough_to_wonder() {
        assert_eq!(
            [4, 5, 119, 120, 185].map(elapsed),
            [
                "",
                "5 seconds so far.",
                "119 seconds so far.",
                "2 minutes so far.",
                "3 minutes so far."
            ]
        );
        let contacting = Sentence::Waiting(Step::Contacting);
        assert_eq!(longer(contacting, 9), "");
        assert!(longer(contacting, 10).starts_with("This is taking longer than usual."));
        assert_eq!(
            longer(Sentence::Waiting(Step::Later { stage: None }), 10),
            ""
        );
    }
}
