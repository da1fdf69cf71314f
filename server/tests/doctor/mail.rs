//! With a mail server, which is greeted and signed in to, and is given no mail.

use crate::{expect_failed, stage::Stage};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpListener,
    task::JoinHandle,
};

/// A mail server that answers these lines, and the commands that it got.
async fn server(answers: &'static [&'static str]) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap().to_string();
    let hearing = tokio::spawn(async move {
        let mut stream = BufReader::new(listener.accept().await.unwrap().0);
        let mut heard = String::new();
        for answer in answers {
            stream
                .write_all(format!("{answer}\r\n").as_bytes())
                .await
                .unwrap();
            stream.read_line(&mut heard).await.unwrap();
        }
        heard
    });
    (place, hearing)
}

async fn examine(url: &str) -> Vec<String> {
    Stage::set(|_| ())
        .await
        .examine(&[("SMTP_URL", url), ("MAIL_FROM", "no-reply@example.com")])
        .await
}

#[tokio::test]
async fn a_mail_server_that_takes_the_login_is_well_and_gets_no_mail() {
    let (place, heard) = server(&[
        "220 hello",
        "250-here\r\n250 AUTH PLAIN",
        "235 welcome",
        "221 bye",
    ])
    .await;
    let lines = examine(&format!("smtp://vestibule:the-secret@{place}")).await;
    expect_failed(&lines, &[]);
    assert!(
        lines.contains(&format!("mail: ok, smtp://{place}")),
        "{lines:#?}"
    );
    let heard = heard.await.unwrap();
    let commands: Vec<&str> = heard.lines().map(|line| &line[..4]).collect();
    assert_eq!(commands, ["EHLO", "AUTH", "QUIT"]);
}

#[tokio::test]
async fn a_login_that_is_refused_is_named() {
    let (place, _heard) =
        server(&["220 hello", "250-here\r\n250 AUTH PLAIN", "535 5.7.8 no"]).await;
    let lines = examine(&format!("smtp://vestibule:the-secret@{place}")).await;
    let problem =
        format!("answered 535 5.7.8: it refuses the login in SMTP_URL (smtp://{place}, SMTP_URL)");
    expect_failed(&lines, &[("mail", &problem)]);
}

#[tokio::test]
async fn a_mail_server_without_the_encryption_that_it_should_have_is_named() {
    let (place, _heard) = server(&["220 hello", "250 here"]).await;
    expect_failed(
        &examine(&format!("smtp://{place}?tls=required")).await,
        &[("mail", "has no STARTTLS")],
    );
    let (place, _heard) = server(&["220 hello"]).await;
    expect_failed(
        &examine(&format!("smtps://{place}")).await,
        &[("mail", "it does not speak TLS")],
    );
}

#[tokio::test]
async fn where_no_mail_server_is_is_named() {
    let closed = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    expect_failed(
        &examine(&format!("smtp://{closed}")).await,
        &[("mail", "nothing listens there")],
    );
}
