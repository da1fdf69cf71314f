//! A server without a worker has a worker elsewhere send the mails that are asked of it.

use crate::support::{Browser, Database, Process, Validator, free_port, soon, until};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpListener,
    task::JoinHandle,
};

/// A mail server on loopback, and the first mail that it takes.
async fn mail_server() -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("smtp://{}", listener.local_addr().expect("an address"));
    let taking = tokio::spawn(async move {
        let mut stream = BufReader::new(listener.accept().await.expect("a client").0);
        let mut heard = String::new();
        for answer in ["220 hello", "250 here", "250 ok", "250 ok", "354 go on"] {
            stream
                .write_all(format!("{answer}\r\n").as_bytes())
                .await
                .expect("the client reads");
            stream
                .read_line(&mut heard)
                .await
                .expect("the client writes");
        }
        while !heard.ends_with("\r\n.\r\n") {
            assert_ne!(
                stream
                    .read_line(&mut heard)
                    .await
                    .expect("the client writes"),
                0
            );
        }
        stream
            .write_all(b"250 taken\r\n")
            .await
            .expect("the client reads");
        heard
    });
    (url, taking)
}

#[tokio::test]
async fn what_is_asked_of_a_server_without_a_worker_is_sent_by_a_worker() {
    let Some(database) = Database::postgres(false).await else {
        return;
    };
    let validator = Validator::taking(std::time::Duration::ZERO).await;
    let (url, mail) = mail_server().await;
    let settings = [
        ("PUBLIC_URL", "https://sign-in.example"),
        ("SMTP_URL", &url),
        ("MAIL_FROM", "Vestibule <no-reply@example.com>"),
        ("REGISTRATION", "open"),
    ];
    let port = free_port();
    let addr = format!("127.0.0.1:{port}");
    let serving = [&settings[..], &[("LEPTOS_SITE_ADDR", &addr)]].concat();
    let _server = Process::start(&["serve", "--no-worker"], &database, &validator, &serving).await;
    let _worker = Process::start(&["worker"], &database, &validator, &settings).await;
    let browser = Browser::knowing(port, "sign-in.example");
    until("the login page", || browser.get("/login")).await;
    let waiting = browser.ask_for_link("ada@example.com").await;
    assert!(waiting.starts_with("/login/wait/"), "{waiting}");
    let mail = soon("the mail", mail).await.expect("it is taken");
    assert!(
        mail.contains("RCPT TO:<ada@example.com>")
            && mail.contains("https://sign-in.example/confirm/"),
        "{mail}"
    );
}
