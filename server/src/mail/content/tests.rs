use super::*;
use crate::config::origin::Origin;
use std::sync::Arc;
use vestibule::{
    clock::Timestamp, device::Device, link::LinkToken, path::Base, secret::Keys, session::SessionId,
};

const LINK: LinkToken = LinkToken::from_bytes([7; 32]);

fn words_of(letter: &MailBody) -> EmailContent {
    let origin = Origin::parse("https://sign-in.example").unwrap();
    EmailContent::of(
        letter,
        &UrlBuilder {
            origin,
            base: Base::default(),
            keys: Arc::new(Keys::from_secret(&[1; 32])),
        },
    )
}

fn words(device: &str) -> EmailContent {
    let code = "012345".parse().unwrap();
    words_of(&MailBody::Link(LinkMail {
        link: LINK,
        code: Some(code),
        device: Device::new(device),
    }))
}

/// One of each kind.
fn all() -> Vec<EmailContent> {
    let device = Device::new("Firefox on Linux");
    let at = Timestamp::from_millis(1_700_000_000_000);
    let notice = |notice| {
        words_of(&MailBody::AccountNotice(NoticeMail {
            notice,
            device: device.clone(),
            at,
        }))
    };
    let from = "ada@example.com".parse().unwrap();
    let to = "king@example.com".parse().unwrap();
    vec![
        words("Firefox on Linux"),
        words_of(&MailBody::Address(AddressMail {
            ticket: "ticket".into(),
            device: device.clone(),
        })),
        notice(AccountNotice::Browser),
        notice(AccountNotice::WrongCodes { off: false }),
        notice(AccountNotice::WrongCodes { off: true }),
        notice(AccountNotice::Password),
        notice(AccountNotice::Moved { from, to }),
        words_of(&MailBody::Confirmed(ConfirmedMail {
            token: "their-link".parse().unwrap(),
            session: SessionId::from_bytes([1; 16]),
        })),
    ]
}

#[test]
fn both_say_the_same() {
    let text = words("Firefox on Linux").text();
    let html = words("Firefox on Linux").html();
    let link = format!(
        "https://sign-in.example/confirm/{}",
        LINK.token(&Keys::from_secret(&[1; 32])).expose()
    );
    for part in [
        "Sign in at sign-in.example",
        &link,
        "012345",
        "Firefox on Linux",
        "within 10 minutes",
        "ignore it",
    ] {
        assert!(
            text.contains(part) && html.contains(part),
            "{part} in {text} and {html}"
        );
    }
    for words in all() {
        let text = words.text();
        let html = words.html();
        let action = words.action.as_ref().unwrap();
        for part in [&words.heading, &words.lead, &action.url, &words.end] {
            assert!(
                text.contains(part) && html.contains(part),
                "{part} in {text} and {html}"
            );
        }
        assert!(
            text.contains(action.sentence)
                && html.contains(action.label)
                && html.contains(words.subject)
        );
    }
}

#[test]
fn news_say_from_where_and_when_and_lead_to_the_profile() {
    for words in &all()[2..7] {
        let text = words.text();
        for part in [
            "Firefox on Linux",
            "2023-11-14, 22:13 UTC",
            "https://sign-in.example/profile",
            "If it was not you",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}

#[test]
fn the_code_is_in_no_preview_of_a_locked_phone() {
    let words = words("Chrome on Mac");
    let text = words.text();
    let html = words.html();
    assert!(!words.subject.contains(char::is_numeric));
    assert!(text.find("012345").unwrap() > 200, "{text}");
    let seen = html
        .split_once("<main")
        .unwrap()
        .1
        .split('<')
        .filter_map(|part| Some(part.split_once('>')?.1));
    assert!(
        seen.collect::<String>().find("012345").unwrap() > 150,
        "{html}"
    );
}

#[test]
fn html_fetches_nothing_and_what_it_quotes_cannot_leave_its_place() {
    let html = words("<img src=\"x\"> & co.").html();
    assert!(
        html.contains("&lt;img src=&quot;x&quot;&gt; &amp; co."),
        "{html}"
    );
    for forbidden in ["<img", "<script", "<style", "<link", "url(", "src="] {
        assert!(
            !html.replace("&lt;img src=&quot;", "").contains(forbidden),
            "{forbidden}"
        );
    }
    for words in all() {
        assert_eq!(
            words.html().matches("http").count(),
            1,
            "the link alone: {}",
            words.html()
        );
    }
}

#[test]
fn each_colour_is_a_token_of_the_pages() {
    let tokens = include_str!("../../../../style/tokens.css");
    let html = words("").html();
    let colours: Vec<_> = html
        .split('#')
        .skip(1)
        .map(|rest| rest.split([';', '"']).next().unwrap().to_owned())
        .collect();
    assert_eq!(colours.len(), 4);
    for colour in colours {
        assert!(tokens.contains(&format!("#{colour};")), "{colour}");
    }
}

#[test]
fn every_mail_server_takes_what_is_said() {
    for words in all() {
        let text = words.text();
        let html = words.html();
        assert!(text.is_ascii() && html.is_ascii());
        assert!(
            text.lines()
                .chain(html.lines())
                .all(|line| line.len() < 998),
            "RFC 5321, section 4.5.3.1.6"
        );
    }
}

#[test]
fn where_codes_are_off_a_mail_has_none_and_says_why() {
    let letter = LinkMail {
        link: LINK,
        code: None,
        device: Device::new("Firefox on Linux"),
    };
    let words = words_of(&MailBody::Link(letter));
    assert!(
        words
            .text()
            .contains("It comes without a code, because wrong codes were typed"),
        "{}",
        words.text()
    );
    assert!(!words.text().contains("type this code") && !words.html().contains("type this code"));
}

#[test]
fn wrong_codes_are_told_with_how_many_there_were_and_for_how_long_there_are_none() {
    let voided = &all()[3].text();
    let off = &all()[4].text();
    assert!(
        voided.contains("typed 5 wrong codes") && !voided.contains("have no code"),
        "{voided}"
    );
    assert!(
        off.contains("typed 10 wrong codes") && off.contains("For 7 days, mails with links"),
        "{off}"
    );
}

#[test]
fn a_check_that_is_done_leads_back_to_the_same_link() {
    let words = words_of(&MailBody::Confirmed(ConfirmedMail {
        token: "their-link.1".parse().unwrap(),
        session: SessionId::from_bytes([1; 16]),
    }));
    let action = words.action.unwrap();
    assert_eq!(action.url, "https://sign-in.example/confirm/their-link.1");
}
