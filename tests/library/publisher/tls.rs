//! With TLS, it speaks only to a server that it trusts under the configured name.

use super::{
    certificates::Authority,
    publish,
    server::{Server, answer},
};
use crate::support::soon;
use tokio::net::TcpListener;
use vestibule::publisher::{ConnectError, PusherError, Trust, TrustError};

/// The result of publishing to `server` while trusting this authority.
async fn fails(mut server: Server, trust: Trust) -> ConnectError {
    let trouble = publish(&format!("localhost:{}", server.port), Some(trust))
        .await
        .unwrap_err();
    assert!(server.requests().is_empty(), "it was told something");
    match trouble {
        PusherError::Unreachable(why) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn whose_authority_is_trusted_is_spoken_to() {
    let authority = Authority::called("one");
    for name in ["localhost", "127.0.0.1"] {
        let mut server = Server::with_tls(authority.server(name)).await;
        let trust = Trust::with(authority.pem().as_bytes()).unwrap();
        publish(&format!("{name}:{}", server.port), Some(trust))
            .await
            .unwrap();
        let requests = server.requests();
        assert!(
            requests[0].starts_with("POST /apps/1/events?auth_key=key&"),
            "{requests:?}"
        );
    }
}

#[tokio::test]
async fn a_server_with_an_unknown_authority_is_sent_nothing() {
    let authority = Authority::called("one");
    let other = Authority::called("another");
    for trust in [
        Trust::of_machine().unwrap(),
        Trust::with(other.pem().as_bytes()).unwrap(),
    ] {
        let why = fails(Server::with_tls(authority.server("localhost")).await, trust).await;
        assert_eq!(
            why,
            ConnectError::Certificate(
                "it is signed by no authority that this machine trusts".into()
            )
        );
    }
}

#[tokio::test]
async fn an_authority_with_the_name_of_a_trusted_one_is_not_that_one() {
    let authority = Authority::called("one");
    let namesake = Authority::called("one");
    let trust = Trust::with(authority.pem().as_bytes()).unwrap();
    let why = fails(Server::with_tls(namesake.server("localhost")).await, trust).await;
    assert_eq!(
        why,
        ConnectError::Certificate("its signature is false".into())
    );
}

#[tokio::test]
async fn a_good_certificate_for_another_name_is_none() {
    let authority = Authority::called("one");
    let trust = Trust::with(authority.pem().as_bytes()).unwrap();
    let why = fails(
        Server::with_tls(authority.server("push.example")).await,
        trust,
    )
    .await;
    assert_eq!(
        why,
        ConnectError::Certificate("it is for another name".into())
    );
}

#[tokio::test]
async fn a_certificate_that_has_expired_is_none() {
    let authority = Authority::called("one");
    let trust = Trust::with(authority.pem().as_bytes()).unwrap();
    let why = fails(
        Server::with_tls(authority.expired("localhost")).await,
        trust,
    )
    .await;
    assert_eq!(why, ConnectError::Certificate("it has expired".into()));
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_told_nothing() {
    let why = fails(
        Server::that_says(answer("200 OK", "{}")).await,
        Trust::of_machine().unwrap(),
    )
    .await;
    assert_eq!(why, ConnectError::NoTls);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_only_listens_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let trouble = soon(
        "it to be given up",
        publish(&host, Some(Trust::of_machine().unwrap())),
    )
    .await;
    assert_eq!(
        trouble,
        Err(PusherError::Unreachable(ConnectError::TooSlow))
    );
}

#[test]
fn what_is_no_certificate_of_an_authority_is_not_taken_for_one() {
    let cut = Authority::called("one")
        .pem()
        .replace("-----END CERTIFICATE-----", "");
    for pem in [
        "",
        "authority",
        cut.as_str(),
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        assert_eq!(
            Trust::with(pem.as_bytes()).err(),
            Some(TrustError::Unreadable),
            "{pem}"
        );
    }
}
