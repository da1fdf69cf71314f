use super::*;
use crate::config::{Encryption, SmtpServer, origin::Origin};
use lettre::transport::smtp::authentication::Credentials;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpListener,
    task::JoinHandle,
};
use vestibule::{
    clock::Timestamp, device::Device, link::LinkToken, mail::LinkMail, path::Base, secret::Keys,
    testing::ManualClock,
};

/// A mail server that greets with the first line and answers each command with the next one, and
/// what it heard.
async fn server(answers: &'static [&'static str]) -> (u16, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let hearing = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut stream = BufReader::new(stream);
        let mut heard = String::new();
        for answer in answers {
            stream
                .write_all(format!("{answer}\r\n").as_bytes())
                .await
                .unwrap();
            let data = answer.starts_with("354");
            let before = heard.len();
            while stream.read_line(&mut heard).await.unwrap() > 0 {
                if !data || heard[before..].ends_with("\r\n.\r\n") {
                    break;
                }
            }
        }
        heard
    });
    (port, hearing)
}

fn smtp(port: u16, encryption: Encryption, login: Option<Credentials>) -> Smtp {
    let server = SmtpServer {
        host: "127.0.0.1".into(),
        port,
        encryption,
        login,
    };
    let from = Mailbox::new(
        Some("Vestibule".into()),
        "no-reply@example.com".parse().unwrap(),
    );
    let origin = Origin::parse("https://sign-in.example").unwrap();
    let urls = UrlBuilder {
        origin,
        base: Base::default(),
        keys: Arc::new(Keys::from_secret(&[1; 32])),
    };
    let clock = Arc::new(ManualClock::at(Timestamp::from_millis(1_700_000_000_000)));
    Smtp::new(MailConfig { server, from }, urls, clock).unwrap()
}

fn letter() -> MailBody {
    MailBody::Link(LinkMail {
        link: LinkToken::from_bytes([7; 32]),
        code: Some("012345".parse().unwrap()),
        device: Device::new("Firefox on Linux"),
    })
}

async fn send(smtp: &Smtp) -> Result<(), MailError> {
    smtp.send(
        MailId::from_bytes([5; 16]),
        &"ada@example.com".parse().unwrap(),
        &letter(),
    )
    .await
}

#[tokio::test]
async fn a_mail_names_its_sender_its_id_and_that_a_program_wrote_it() {
    let answers = &[
        "220 hello",
        "250-mail.example\r\n250 8BITMIME",
        "250 ok",
        "250 ok",
        "354 go on",
        "250 taken",
        "221 bye",
    ];
    let (port, heard) = server(answers).await;
    assert_eq!(send(&smtp(port, Encryption::Plain, None)).await, Ok(()));
    let heard = heard.await.unwrap();
    for line in [
        "EHLO sign-in.example",
        "MAIL FROM:<no-reply@example.com>",
        "RCPT TO:<ada@example.com>",
        "From: Vestibule <no-reply@example.com>",
        "To: ada@example.com",
        "Subject: Your link to sign in",
        "Date: Tue, 14 Nov 2023 22:13:20 +0000",
        "Message-ID: <05050505050505050505050505050505@sign-in.example>",
        "Auto-Submitted: auto-generated",
        "QUIT",
    ] {
        assert!(
            heard.lines().any(|heard| heard == line),
            "{line} in {heard}"
        );
    }
    assert!(!heard.contains("List-") && heard.is_ascii());
    let token = LinkToken::from_bytes([7; 32]).token(&Keys::from_secret(&[1; 32]));
    let link = format!("https://sign-in.example/confirm/{}", token.expose());
    assert!(
        heard.lines().any(|line| line == link),
        "the link on a line of its own in {heard}"
    );
    assert!(heard.contains(&format!("href=\"{link}\"")), "{heard}");
    assert!(
        !heard.contains("quoted-printable") && !heard.contains("base64") && !heard.contains("=3D"),
        "{heard}"
    );
}

#[tokio::test]
async fn mail_goes_where_it_was_typed() {
    for (typed, envelope) in [
        ("Ada.King@Example.com", "Ada.King@example.com"),
        ("a..b@docomo.ne.jp", "\"a..b\"@docomo.ne.jp"),
        (".a@docomo.ne.jp", "\".a\"@docomo.ne.jp"),
        ("a.@docomo.ne.jp", "\"a.\"@docomo.ne.jp"),
        ("joe@bücher.example", "joe@xn--bcher-kva.example"),
    ] {
        let answers = &[
            "220 hello",
            "250 mail.example",
            "250 ok",
            "250 ok",
            "354 go on",
            "250 taken",
            "221 bye",
        ];
        let (port, heard) = server(answers).await;
        let smtp = smtp(port, Encryption::Plain, None);
        let to = typed.parse().unwrap();
        assert_eq!(
            smtp.send(MailId::from_bytes([5; 16]), &to, &letter()).await,
            Ok(()),
            "{typed}"
        );
        let heard = heard.await.unwrap();
        for line in [format!("RCPT TO:<{envelope}>"), format!("To: {envelope}")] {
            assert!(
                heard.lines().any(|heard| heard == line),
                "{line} in {heard}"
            );
        }
    }
}

#[test]
fn what_needs_an_encoding_has_one() {
    for text in ["träumen\n".to_owned(), "x".repeat(999)] {
        let part = part(ContentType::TEXT_PLAIN, text).formatted();
        assert!(
            String::from_utf8(part)
                .unwrap()
                .contains("quoted-printable")
        );
    }
}

#[tokio::test]
async fn without_starttls_neither_password_nor_mail_is_sent() {
    let (port, heard) = server(&["220 hello", "250-mail.example\r\n250 AUTH PLAIN"]).await;
    let login = Credentials::new("vestibule".into(), "hush".into());
    let sent = send(&smtp(port, Encryption::StartTls, Some(login))).await;
    assert_eq!(
        sent,
        Err(MailError::Temporary(
            "the mail server has no STARTTLS, so nothing was sent".into()
        ))
    );
    assert_eq!(heard.await.unwrap(), "EHLO sign-in.example\r\n");
}

#[tokio::test]
async fn a_refused_login_is_told_without_it() {
    let (port, heard) = server(&[
        "220 hello",
        "250-mail.example\r\n250 AUTH PLAIN",
        "535 5.7.8 hush is wrong",
    ])
    .await;
    let login = Credentials::new("vestibule".into(), "hush".into());
    let tried = smtp(port, Encryption::Plain, Some(login))
        .relay
        .try_out()
        .await;
    assert_eq!(
        tried.unwrap_err().to_string(),
        "the mail server answered 535 5.7.8: it refuses the login in SMTP_URL"
    );
    assert!(heard.await.unwrap().contains("AUTH PLAIN "));
}

#[tokio::test]
async fn a_server_that_takes_no_login_gets_no_mail() {
    let (port, heard) = server(&["220 hello", "250 mail.example"]).await;
    let login = Credentials::new("vestibule".into(), "hush".into());
    let sent = send(&smtp(port, Encryption::Plain, Some(login))).await;
    assert!(matches!(sent, Err(MailError::Temporary(what)) if what.contains("takes no login")));
    assert_eq!(heard.await.unwrap(), "EHLO sign-in.example\r\n");
}

#[tokio::test]
async fn a_mailbox_the_server_does_not_know_is_neither_retried_nor_named() {
    let answers = &[
        "220 hello",
        "250 mail.example",
        "250 ok",
        "550 5.1.1 <ada@example.com>: unknown",
        "221 bye",
    ];
    let (port, _heard) = server(answers).await;
    let what =
        "the mail server answered 550 5.1.1: it does not deliver to this mailbox, or not now";
    assert_eq!(
        send(&smtp(port, Encryption::Plain, None)).await,
        Err(MailError::Permanent(what.into()))
    );
}

#[tokio::test]
async fn what_is_no_mail_server_or_is_not_there_is_tried_again() {
    let (port, _heard) = server(&["HTTP/1.1 400 ada@example.com"]).await;
    let what = "the connection to the mail server broke, or it does not speak SMTP";
    assert_eq!(
        send(&smtp(port, Encryption::Plain, None)).await,
        Err(MailError::Temporary(what.into()))
    );
    let closed = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let what = "the mail server cannot be reached: nothing listens there";
    assert_eq!(
        send(&smtp(closed, Encryption::Plain, None)).await,
        Err(MailError::Temporary(what.into()))
    );
    let (port, _heard) = server(&["220 hello"]).await;
    let what = "the mail server cannot be reached: it does not speak TLS; if it is meant to ask for it first, say smtp://";
    assert_eq!(
        send(&smtp(port, Encryption::Tls, None)).await,
        Err(MailError::Temporary(what.into()))
    );
}
