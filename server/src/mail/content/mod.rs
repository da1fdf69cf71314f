//! What a mail says, in plain text and in HTML.
//!
//! The HTML is for programs that know little: styles stand with their elements, ground and ink are
//! left to the reader's program, light or dark; what has a colour has both of its pair, from
//! style/tokens.css, and can be read on either ground. Nothing is fetched: no picture says when a
//! mail was opened. A code comes late, so that a locked phone's preview does not show it, and is in
//! no subject.

use super::UrlBuilder;
use crate::accounts::{time_format::utc, user_agent};
use vestibule::{
    link::{CODES_OFF, Code, GUESSES, LIFETIME, WRONG_CODES},
    mail::{AccountNotice, AddressMail, ConfirmedMail, LinkMail, MailBody, NoticeMail},
    ticket,
};

/// What a mail says, part by part.
#[derive(Clone, Debug)]
pub struct EmailContent {
    /// The subject.
    pub subject: &'static str,
    /// What it is about.
    pub heading: String,
    /// What has happened, or will.
    pub lead: String,
    /// What can be done: where, in words for a button, and in a sentence for plain text.
    pub action: Option<Action>,
    /// What can be typed in place of it.
    pub code: Option<String>,
    /// What to do if it was not meant.
    pub end: String,
}

/// Something that can be done about a mail.
#[derive(Clone, Debug)]
pub struct Action {
    /// Where.
    pub url: String,
    /// On a button.
    pub label: &'static str,
    /// Before the address, in plain text.
    pub sentence: &'static str,
}

impl EmailContent {
    /// What `body` says, with links to `urls`.
    #[must_use]
    pub fn of(body: &MailBody, urls: &UrlBuilder) -> Self {
        match body {
            MailBody::Link(body) => Self::link(body, urls),
            MailBody::Address(body) => Self::address(body, urls),
            MailBody::AccountNotice(body) => Self::notice(body, urls),
            MailBody::Confirmed(body) => Self::confirmed(body, urls),
        }
    }

    fn link(body: &LinkMail, urls: &UrlBuilder) -> Self {
        let device = user_agent::words(body.device.as_ref());
        let minutes = LIFETIME.as_secs() / 60;
        let sentence = "Open this link to sign in:";
        Self {
            subject: "Your link to sign in",
            heading: format!("Sign in at {}", urls.origin.host()),
            lead: if body.code.is_some() {
                format!(
                    "Asked for from {device}. The link and the code are good for one sign-in, within {minutes} minutes."
                )
            } else {
                format!(
                    "Asked for from {device}. The link is good for one sign-in, within {minutes} minutes. It comes \
                     without a code, because wrong codes were typed for this address."
                )
            },
            action: Some(Action {
                url: urls.url(&body.link),
                label: "Sign in",
                sentence,
            }),
            code: body.code.as_ref().map(Code::digits),
            end: "If you did not ask for this, ignore it: nothing happens.".to_owned(),
        }
    }

    fn address(body: &AddressMail, urls: &UrlBuilder) -> Self {
        let device = user_agent::words(body.device.as_ref());
        let minutes = ticket::LIFETIME.as_secs() / 60;
        let url = urls.profile(&format!("/address/{}", body.ticket));
        let sentence = "Open this link there:";
        Self {
            subject: "Is this your address?",
            heading: format!("Sign in at {} with this address", urls.origin.host()),
            lead: format!(
                "A user who is signed in there, in {device}, wants to sign in with this address from now on. If that is \
                 you, open the link in that browser within {minutes} minutes."
            ),
            action: Some(Action {
                url,
                label: "Use this address",
                sentence,
            }),
            code: None,
            end: "If that is not you, ignore it: nothing happens.".to_owned(),
        }
    }

    fn confirmed(body: &ConfirmedMail, urls: &UrlBuilder) -> Self {
        Self {
            subject: "You can sign in now",
            heading: format!("You can sign in at {} now", urls.origin.host()),
            lead: "The check of your link is done. To go on, open the link again in the browser \
                   that you used before."
                .to_owned(),
            action: Some(Action {
                url: urls.confirm(&body.token),
                label: "Go on",
                sentence: "Open this link in that browser:",
            }),
            code: None,
            end:
                "If you did not open a link to sign in, tell the site's operator: someone else has \
                  opened one that is yours."
                    .to_owned(),
        }
    }

    fn notice(body: &NoticeMail, urls: &UrlBuilder) -> Self {
        let device = user_agent::words(body.device.as_ref());
        let at = utc(body.at);
        let host = urls.origin.host();
        let sentence = "Your profile says where you are signed in:";
        let action = Some(Action {
            url: urls.profile(""),
            label: "Open your profile",
            sentence,
        });
        let words = |subject, heading, lead, end: &str| Self {
            subject,
            heading,
            lead,
            action: action.clone(),
            code: None,
            end: end.to_owned(),
        };
        match &body.notice {
            AccountNotice::Browser => words(
                "A new browser has signed in",
                format!("A new browser has signed in at {host}"),
                format!("It was {device}, on {at}. If that was you, there is nothing to do."),
                "If it was not you, sign out all others on your profile. If you have a password here, set a new one.",
            ),
            AccountNotice::WrongCodes { off } => {
                let count = if *off { WRONG_CODES } else { GUESSES };
                let days = CODES_OFF.as_secs() / 86_400;
                let sentence =
                    format!(" For {days} days, mails with links to sign in have no code.");
                let off = if *off { sentence.as_str() } else { "" };
                words(
                    "Wrong codes were typed for your address",
                    format!("Wrong codes were typed at {host}"),
                    format!(
                        "Someone asked for links to sign in with your address, and typed {count} wrong codes in a \
                         row: the last one in {device}, on {at}. None of them has signed anybody in.{off}"
                    ),
                    "If it was not you, there is nothing to do: no one gets in without a link or code that was sent to you.",
                )
            }
            AccountNotice::Password => words(
                "Your password was set",
                format!("Your password at {host} was set"),
                format!("It was {device}, on {at}. All other browsers were signed out."),
                "If it was not you, have a link sent to sign in, and set a new password at once.",
            ),
            AccountNotice::Moved { from, to } => words(
                "Your address was changed",
                format!("Your address at {host} was changed"),
                format!(
                    "You sign in with {} now, and no longer with {}: changed from {device}, on {at}.",
                    to.typed(),
                    from.typed()
                ),
                "If it was not you, tell the site's operator at once.",
            ),
        }
    }

    /// In plain text.
    pub fn text(&self) -> String {
        let Self {
            heading, lead, end, ..
        } = self;
        let action = self
            .action
            .as_ref()
            .map(|Action { url, sentence, .. }| format!("{sentence}\n\n{url}\n\n"));
        let code = self.code.as_ref().map(|code| {
            format!("Or type this code into the page that waits for it:\n\n    {code}\n\n")
        });
        format!(
            "{heading}\n\n{lead}\n\n{}{}{end}\n",
            action.unwrap_or_default(),
            code.unwrap_or_default()
        )
    }

    /// In HTML.
    pub fn html(&self) -> String {
        let button = self.action.as_ref().map(|Action { url, label, .. }| {
            format!(
                include_str!("button.html"),
                url = escape(url),
                label = label
            )
        });
        let code = self
            .code
            .as_ref()
            .map(|code| format!(include_str!("code.html"), code = code));
        format!(
            include_str!("frame.html"),
            subject = self.subject,
            heading = escape(&self.heading),
            lead = escape(&self.lead),
            button = button.unwrap_or_default(),
            code = code.unwrap_or_default(),
            end = escape(&self.end),
        )
    }
}

/// Text as HTML has it, in an element or in an attribute.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests;
