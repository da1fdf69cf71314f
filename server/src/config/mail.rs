//! Whether mail is sent, through which server, and who may be sent a link.

use super::{
    RawSettings, SettingError,
    setting::{MAIL_FROM, REGISTRATION, REGISTRATION_PER_HOUR, SMTP_URL},
};
use lettre::{message::Mailbox, transport::smtp::authentication::Credentials};
use percent_encoding::percent_decode_str;
use std::{fmt, net::IpAddr};
use url::Url;
use vestibule::link::{Registration, STRANGERS};

/// How mail is sent.
#[derive(Clone, Debug)]
pub struct MailConfig {
    /// Through which server.
    pub server: SmtpServer,
    /// The sender.
    pub from: Mailbox,
}

/// An SMTP server. Its login is a secret: `Debug` and `Display` leave it out.
#[derive(Clone)]
pub struct SmtpServer {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted.
    pub encryption: Encryption,
    /// The login.
    pub login: Option<Credentials>,
}

/// How the connection to a mail server is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encryption {
    /// Not at all.
    Plain,
    /// The server is asked for TLS; without it, nothing is sent (RFC 3207).
    StartTls,
    /// TLS from the first byte (RFC 8314).
    Tls,
}

impl MailConfig {
    /// Reads the settings of mail.
    pub fn read(given: &RawSettings) -> Result<Option<Self>, SettingError> {
        let server = given.read(&SMTP_URL, SmtpServer::parse)?;
        let from = given.read(&MAIL_FROM, sender)?;
        match (server, from) {
            (Some(server), Some(from)) => Ok(Some(Self { server, from })),
            (Some(_), None) => Err(MAIL_FROM.wrong("missing; mail needs a sender")),
            (None, Some(_)) => Err(MAIL_FROM.wrong("of no use without SMTP_URL")),
            (None, None) => Ok(None),
        }
    }
}

/// Who may sign in by a link: in practice mode everyone, unless configured otherwise.
pub fn registration(given: &RawSettings, practice: bool) -> Result<Registration, SettingError> {
    let registration = given.read(&REGISTRATION, |text| match text {
        "closed" => Ok(Registration::Closed),
        "open" => Ok(Registration::Open),
        _ => Err("neither closed nor open"),
    })?;
    Ok(registration.unwrap_or(if practice {
        Registration::Open
    } else {
        Registration::Closed
    }))
}

/// How many links an hour are sent to addresses of no known user.
pub fn strangers(given: &RawSettings) -> Result<u32, SettingError> {
    let read = |text: &str| {
        text.parse()
            .ok()
            .filter(|count| *count > 0)
            .ok_or("not a number from 1 to 4294967295")
    };
    Ok(given
        .read(&REGISTRATION_PER_HOUR, read)?
        .unwrap_or(STRANGERS))
}

impl SmtpServer {
    /// A login never goes over plain SMTP to another machine, nor does anything else that was not
    /// asked for.
    fn parse(text: &str) -> Result<Self, &'static str> {
        const NONE: &str = "not an address that begins with smtp:// or smtps://; in a password, write %40 for @ and so on";
        let url = Url::parse(text).map_err(|_| NONE)?;
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(NONE)?;
        let host = host.trim_matches(['[', ']']).to_ascii_lowercase();
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(
                "it has more than a login, host, port and tls; in a password, write %2F for / and %23 for #",
            );
        }
        let loopback = host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
        let (encryption, port) = match (url.scheme(), url.query()) {
            ("smtps", None) => (Encryption::Tls, 465),
            ("smtps", Some(_)) => {
                return Err("smtps:// is TLS already; leave out what follows the ?");
            }
            ("smtp", None) if loopback => (Encryption::Plain, 25),
            ("smtp", Some("tls=none")) => (Encryption::Plain, 25),
            ("smtp", None | Some("tls=required")) => (Encryption::StartTls, 587),
            ("smtp", Some(_)) => return Err("after the ? is neither tls=required nor tls=none"),
            _ => return Err(NONE),
        };
        let login = login(&url)?;
        if login.is_some() && encryption == Encryption::Plain && !loopback {
            return Err(
                "it would send the password unencrypted; leave out ?tls=none, or leave out the login",
            );
        }
        Ok(Self {
            host,
            port: url.port().unwrap_or(port),
            encryption,
            login,
        })
    }
}

fn login(url: &Url) -> Result<Option<Credentials>, &'static str> {
    let decoded = |part| {
        percent_decode_str(part)
            .decode_utf8()
            .map_err(|_| "the login is not UTF-8")
    };
    match (url.username(), url.password()) {
        ("", None) => Ok(None),
        ("", Some(_)) => Err("a password without a user"),
        (_, None) => Err("a user without a password"),
        (user, Some(password)) => {
            let user = decoded(user)?;
            let password = decoded(password)?;
            Ok(Some(Credentials::new(
                user.into_owned(),
                password.into_owned(),
            )))
        }
    }
}

/// Reads `Name <address>`, or the address alone.
fn sender(text: &str) -> Result<Mailbox, &'static str> {
    if text.chars().any(char::is_control) {
        return Err("it is more than one line");
    }
    let (name, address) = match text
        .trim()
        .strip_suffix('>')
        .and_then(|text| text.rsplit_once('<'))
    {
        Some((name, address)) => (name.trim().trim_matches('"'), address),
        None => ("", text.trim()),
    };
    let address: lettre::Address = address
        .parse()
        .map_err(|_| "neither an e-mail address nor Name <address>")?;
    if !address.to_string().is_ascii() {
        return Err("the address has letters that not every mail server takes");
    }
    Ok(Mailbox::new(
        Some(name.to_owned()).filter(|name| !name.is_empty()),
        address,
    ))
}

impl fmt::Display for SmtpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.encryption == Encryption::Tls {
            "smtps"
        } else {
            "smtp"
        };
        let bracketed = if self.host.contains(':') {
            ("[", "]")
        } else {
            ("", "")
        };
        write!(
            f,
            "{scheme}://{}{}{}:{}",
            bracketed.0, self.host, bracketed.1, self.port
        )
    }
}

impl fmt::Debug for SmtpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(given: &[(&str, &str)]) -> Result<Option<MailConfig>, String> {
        let find = |setting: &super::super::Setting| {
            given
                .iter()
                .find(|(key, _)| *key == setting.key)
                .map(|(_, value)| (*value).to_owned())
        };
        MailConfig::read(&RawSettings::from_lookup(find)).map_err(|error| error.to_string())
    }

    fn server(url: &str) -> SmtpServer {
        read(&[("SMTP_URL", url), ("MAIL_FROM", "no-reply@example.com")])
            .unwrap()
            .unwrap()
            .server
    }

    #[test]
    fn to_another_machine_nothing_goes_unencrypted_unless_asked_for() {
        for (url, encryption, place) in [
            (
                "smtp://mail.example",
                Encryption::StartTls,
                "smtp://mail.example:587",
            ),
            (
                "smtp://u:p@mail.example:2525",
                Encryption::StartTls,
                "smtp://mail.example:2525",
            ),
            (
                "smtp://u:p@MAIL.example?tls=required",
                Encryption::StartTls,
                "smtp://mail.example:587",
            ),
            (
                "smtps://u:p@mail.example/",
                Encryption::Tls,
                "smtps://mail.example:465",
            ),
            (
                "smtp://relay.internal?tls=none",
                Encryption::Plain,
                "smtp://relay.internal:25",
            ),
            (
                "smtp://127.0.0.1:1025",
                Encryption::Plain,
                "smtp://127.0.0.1:1025",
            ),
            (
                "smtp://u:p@localhost:1025",
                Encryption::Plain,
                "smtp://localhost:1025",
            ),
            ("smtp://[::1]:1025", Encryption::Plain, "smtp://[::1]:1025"),
            (
                "smtp://localhost:1025?tls=required",
                Encryption::StartTls,
                "smtp://localhost:1025",
            ),
        ] {
            let server = server(url);
            assert_eq!(
                (server.encryption, server.to_string().as_str()),
                (encryption, place),
                "{url}"
            );
        }
    }

    #[test]
    fn a_wrong_address_is_one_line_that_never_has_the_password() {
        for url in [
            "mail.example:587",
            "http://u:hush@mail.example",
            "smtp://u:hush@",
            "smtp://u:hush@mail.example?tls=none",
            "smtp://u:hush@127.0.0.1.example?tls=none",
            "smtp://u:hush@mail.example?tls=opportunistic",
            "smtp://u:hush@localhost?tls=no",
            "smtps://u:hush@mail.example?tls=none",
            "smtp://u:hush/hush@mail.example",
            "smtp://u:hush#hush@mail.example",
            "smtp://u:hush@mail.example/hush",
            "smtp://u:%ffhush@mail.example",
            "smtp://hush@mail.example",
            "smtp://:hush@mail.example",
        ] {
            let line =
                read(&[("SMTP_URL", url), ("MAIL_FROM", "no-reply@example.com")]).unwrap_err();
            assert!(
                line.starts_with("SMTP_URL: ") && !line.contains('\n') && !line.contains("hush"),
                "{url}: {line}"
            );
        }
    }

    #[test]
    fn a_login_is_read_as_it_was_before_it_was_written_into_an_address_and_is_not_printed() {
        let server = server("smtps://vestibule%40example.com:hu%2Fsh%23@mail.example");
        assert_eq!(
            server.login,
            Some(Credentials::new(
                "vestibule@example.com".into(),
                "hu/sh#".into()
            ))
        );
        assert!(!format!("{server:?} {server}").contains("vestibule"));
        assert!(
            !format!("{:?}", server.login).contains("hu"),
            "{:?}",
            server.login
        );
    }

    #[test]
    fn a_sender_is_one_address_with_a_name_or_without() {
        let from = |text| {
            let read = read(&[("SMTP_URL", "smtp://localhost"), ("MAIL_FROM", text)]);
            read.map(|config| config.unwrap().from.to_string())
        };
        assert_eq!(
            from("no-reply@example.com").unwrap(),
            "no-reply@example.com"
        );
        assert_eq!(
            from("Vestibule <no-reply@example.com>").unwrap(),
            "Vestibule <no-reply@example.com>"
        );
        assert_eq!(
            from("\"Ada, Inc.\" <a@example.com>").unwrap(),
            "\"Ada, Inc.\" <a@example.com>"
        );
        for bad in [
            "Vestibule",
            "a@example.com, b@example.com",
            "A <a@example.com> B",
            "a@example.com\r\nBcc: b@example.com",
            "A\r\nBcc: b@example.com <a@example.com>",
            "аda@example.com",
        ] {
            assert!(from(bad).unwrap_err().starts_with("MAIL_FROM: "), "{bad}");
        }
    }

    #[test]
    fn a_server_and_a_sender_belong_together() {
        assert!(read(&[]).unwrap().is_none());
        assert!(
            read(&[("SMTP_URL", "smtp://localhost")])
                .unwrap_err()
                .starts_with("MAIL_FROM: missing")
        );
        assert!(
            read(&[("MAIL_FROM", "a@example.com")])
                .unwrap_err()
                .starts_with("MAIL_FROM: of no use")
        );
    }
}
