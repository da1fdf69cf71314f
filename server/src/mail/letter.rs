//! What a mail says, in plain text and in HTML: the two templates beside this file.
//!
//! Mail programs know little of CSS, so each style is on its element. Ground and ink are left to the reader's program,
//! light or dark; what has a colour has both of its pair, from style/tokens.css, and can be read on either ground. Nothing
//! is fetched: no picture says when a mail was opened. The code comes late, so a locked phone's preview does not show it.

use super::Landing;
use crate::device;
use vestibule::{link::LIFETIME, mail::Letter};

/// The subject. A locked phone shows it to everybody, so there is no code in it.
pub const SUBJECT: &str = "Your link to sign in";

/// What a mail says.
pub struct Words {
    /// In plain text.
    pub text: String,
    /// In HTML.
    pub html: String,
}

impl Words {
    /// What `letter` says, with a link to `landing`.
    #[must_use]
    pub fn of(letter: &Letter, landing: &Landing) -> Self {
        let (host, link) = (landing.origin.host(), landing.url(&letter.link));
        let device = device::words(letter.device.as_ref());
        let (code, minutes, subject) = (letter.code.digits(), LIFETIME.as_secs() / 60, SUBJECT);
        let text = format!(
            include_str!("letter.txt"),
            host = host,
            device = device,
            minutes = minutes,
            link = link,
            code = code
        );
        let [host, link, device] = [host, &link, device].map(escape);
        let html = format!(
            include_str!("letter.html"),
            subject = subject,
            host = host,
            device = device,
            minutes = minutes,
            link = link,
            code = code,
        );
        Self { text, html }
    }
}

/// Text as HTML has it, in an element or in an attribute.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::origin::Origin;
    use std::sync::Arc;
    use vestibule::{device::Device, link::LinkToken, secret::Keys};

    const LINK: LinkToken = LinkToken::from_bytes([7; 32]);

    fn words(device: &str) -> Words {
        let origin = Origin::parse("https://sign-in.example").unwrap();
        let landing = Landing { origin, keys: Arc::new(Keys::from_secret(&[1; 32])) };
        Words::of(&Letter { link: LINK, code: "012345".parse().unwrap(), device: Device::new(device) }, &landing)
    }

    #[test]
    fn both_say_the_same() {
        let Words { text, html } = words("Firefox on Linux");
        let link = format!("https://sign-in.example/confirm/{}", LINK.token(&Keys::from_secret(&[1; 32])).expose());
        for part in
            ["Sign in at sign-in.example", &link, "012345", "Firefox on Linux", "within 15 minutes", "ignore it"]
        {
            assert!(text.contains(part) && html.contains(part), "{part} in {text} and {html}");
        }
    }

    #[test]
    fn the_code_is_in_no_preview_of_a_locked_phone() {
        assert!(!SUBJECT.contains(char::is_numeric));
        let Words { text, html } = words("Chrome on Mac");
        assert!(text.find("012345").unwrap() > 200, "{text}");
        let seen = html.split_once("<main").unwrap().1.split('<').filter_map(|part| Some(part.split_once('>')?.1));
        assert!(seen.collect::<String>().find("012345").unwrap() > 150, "{html}");
    }

    #[test]
    fn html_fetches_nothing_and_what_it_quotes_cannot_leave_its_place() {
        let Words { html, .. } = words("<img src=\"x\"> & co.");
        assert!(html.contains("&lt;img src=&quot;x&quot;&gt; &amp; co."), "{html}");
        for forbidden in ["<img", "<script", "<style", "<link", "url(", "src="] {
            assert!(!html.replace("&lt;img src=&quot;", "").contains(forbidden), "{forbidden}");
        }
        assert_eq!(html.matches("http").count(), 1, "the link alone: {html}");
    }

    #[test]
    fn each_colour_is_a_token_of_the_pages() {
        let tokens = include_str!("../../../style/tokens.css");
        let colours = words("")
            .html
            .split('#')
            .skip(1)
            .map(|rest| rest.split([';', '"']).next().unwrap().to_owned())
            .collect::<Vec<_>>();
        assert_eq!(colours.len(), 4);
        for colour in colours {
            assert!(tokens.contains(&format!("#{colour};")), "{colour}");
        }
    }

    #[test]
    fn every_mail_server_takes_what_is_said() {
        let Words { text, html } = words("Firefox on Linux");
        assert!(text.is_ascii() && html.is_ascii());
        assert!(text.lines().chain(html.lines()).all(|line| line.len() < 998), "RFC 5321, section 4.5.3.1.6");
    }
}
