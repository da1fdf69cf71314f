//! What each answer of a Pusher server counts as. Whatever comes back, nothing panics.

use super::{
    publish,
    server::{Server, answer},
};
use tokio::net::TcpListener;
use vestibule::publisher::{ConnectError, PusherError};

async fn told(bytes: impl Into<Vec<u8>>) -> Result<(), PusherError> {
    publish(&Server::that_says(bytes).await.host(), None).await
}

#[tokio::test]
async fn a_success_is_one_however_a_server_puts_it() {
    for (status, body) in [
        ("200 OK", "{}"),
        ("200 OK", r#"{"ok":true}"#),
        ("202 Accepted", ""),
        ("204 No Content", ""),
    ] {
        told(answer(status, body)).await.unwrap();
    }
}

#[tokio::test]
async fn a_path_before_the_servers_own_is_part_of_what_is_asked() {
    let mut server = Server::that_says(answer("200 OK", "{}")).await;
    publish(&format!("{}/push", server.host()), None)
        .await
        .unwrap();
    assert!(server.requests()[0].starts_with("POST /push/apps/1/events?auth_key=key&"));
}

#[tokio::test]
async fn a_refusal_carries_what_the_server_said() {
    let refused = told(answer("401 Unauthorized", "Timestamp expired")).await;
    assert_eq!(
        refused,
        Err(PusherError::Refused {
            status: 401,
            said: "Timestamp expired".into()
        })
    );
}

#[tokio::test]
async fn garbage_is_no_success() {
    let endless = "x".repeat(1 << 20);
    for bytes in [
        answer("200 OK", "<h1>It works!</h1>"),
        answer("200 OK", ""),
        b"SSH-2.0-OpenSSH\r\n\r\n".to_vec(),
        answer("200 OK", &format!(r#"{{"a":"{endless}"}}"#)),
    ] {
        let length = bytes.len();
        assert_eq!(
            told(bytes).await,
            Err(PusherError::Broken),
            "{length} bytes"
        );
    }
}

#[tokio::test]
async fn a_server_that_hangs_up_is_no_success() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move { while listener.accept().await.is_ok() {} });
    assert_eq!(publish(&host, None).await, Err(PusherError::Broken));
}

#[tokio::test]
async fn a_refused_connection_is_reported_as_unreachable() {
    let closed = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap()
        .to_string();
    assert_eq!(
        publish(&closed, None).await,
        Err(PusherError::Unreachable(ConnectError::Refused))
    );
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_answers_is_given_up() {
    assert_eq!(told("").await, Err(PusherError::TooSlow));
}
