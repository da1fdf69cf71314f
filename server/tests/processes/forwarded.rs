//! A proxy that names its client in another header than the one we read.

use crate::support::{Database, Process, Validator, free_port, until};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

async fn forward(port: u16, header: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port))
        .await
        .expect("it listens");
    let head = format!(
        "GET /login HTTP/1.1\r\nHost: sign-in.example\r\nConnection: close\r\n{header}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("it reads");
    let mut page = String::new();
    stream.read_to_string(&mut page).await.expect("it answers");
    page
}

#[tokio::test]
async fn is_named_once() {
    for header in [
        "X-Real-IP: 203.0.113.9",
        "Forwarded: for=203.0.113.9;proto=https",
    ] {
        let database = Database::sqlite();
        let port = free_port();
        let validator = Validator::taking(Duration::ZERO).await;
        let more = [
            ("PUBLIC_URL", "https://sign-in.example"),
            ("TRUSTED_PROXIES", "127.0.0.1"),
        ];
        let server = Process::serving(port, &database, &validator, &more).await;
        let said = || server.said("have the proxy send X-Forwarded-For");
        assert!(
            forward(port, "X-Forwarded-For: 203.0.113.9")
                .await
                .starts_with("HTTP/1.1 200 ")
        );
        assert_eq!(said(), 0);
        for _ in 0..3 {
            assert!(forward(port, header).await.starts_with("HTTP/1.1 200 "));
        }
        until("the header to be named", || async {
            (said() > 0).then_some(())
        })
        .await;
        assert_eq!(said(), 1, "{header}");
        server.kill().await;
    }
}
