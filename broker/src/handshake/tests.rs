//! Who is refused, why, and what is held for a socket.

use super::*;
use crate::{
    Broker, Limits,
    testing::{ORIGIN, PATH, TestClient, broker, broker_with, config, quota},
};
use futures_util::StreamExt;
use std::sync::{Arc, Weak};
use tokio::sync::Semaphore;

async fn answer(broker: &Broker, path: &str, origin: Option<&str>) -> u16 {
    TestClient::connect(broker.socket_routes(), path, origin)
        .await
        .unwrap()
        .close_code()
        .await
}

#[tokio::test(start_paused = true)]
async fn a_refused_client_learns_whether_to_reconnect() {
    let broker = broker();
    for (path, code) in [
        ("/app/other?protocol=7", 4001),
        ("/app/other", 4001),
        ("/app/the-key", 4008),
        ("/app/the-key?protocol=6", 4007),
        ("/app/the-key?protocol=seven", 4007),
        ("/app/the-key?protocol=", 4007),
    ] {
        assert_eq!(answer(&broker, path, Some(ORIGIN)).await, code, "{path}");
    }
    assert_eq!(broker.snapshot().connections, 0);
}

#[tokio::test(start_paused = true)]
async fn only_our_own_pages_open_sockets() {
    let broker = broker();
    for origin in [
        "https://evil.example",
        "null",
        "http://vestibule.example",
        "https://vestibule.example.evil.example",
    ] {
        assert_eq!(answer(&broker, PATH, Some(origin)).await, 4009, "{origin}");
    }
    let mut ours = TestClient::connect(broker.socket_routes(), PATH, Some(ORIGIN))
        .await
        .unwrap();
    assert_eq!(
        ours.receive().await["event"],
        "pusher:connection_established"
    );
}

#[tokio::test(start_paused = true)]
async fn a_program_without_an_origin_is_let_in_unless_configured_otherwise() {
    let mut config = config();
    let mut program = TestClient::connect(Broker::new(config.clone()).socket_routes(), PATH, None)
        .await
        .unwrap();
    assert_eq!(
        program.receive().await["event"],
        "pusher:connection_established"
    );
    config.require_origin = true;
    assert_eq!(answer(&Broker::new(config), PATH, None).await, 4009);
}

#[tokio::test(start_paused = true)]
async fn over_capacity_a_client_is_told_to_reconnect_later() {
    let broker = broker_with(Limits {
        max_connections: 1,
        ..Limits::default()
    });
    let (mut first, _) = TestClient::greeted(&broker).await;
    assert_eq!(answer(&broker, PATH, Some(ORIGIN)).await, 4100);
    first.ping().await;
    first.0.close(None).await.unwrap();
    while let Some(Ok(_)) = first.0.next().await {}
    TestClient::greeted(&broker).await;
}

#[tokio::test(start_paused = true)]
async fn one_client_cannot_keep_everyone_else_out() {
    let broker = broker();
    let clients = [2, 2].map(|places| Arc::new(Semaphore::new(places)));
    let of = |client: usize| {
        broker
            .socket_routes()
            .layer(Extension(quota(&clients[client])))
    };
    let mut greedy = [
        TestClient::connect(of(1), PATH, Some(ORIGIN))
            .await
            .unwrap(),
        TestClient::connect(of(1), PATH, Some(ORIGIN))
            .await
            .unwrap(),
    ];
    for client in &mut greedy {
        client.receive().await;
    }
    assert_eq!(
        TestClient::connect(of(1), PATH, Some(ORIGIN))
            .await
            .unwrap()
            .close_code()
            .await,
        4100
    );
    let mut other = TestClient::connect(of(0), PATH, Some(ORIGIN))
        .await
        .unwrap();
    assert_eq!(
        other.receive().await["event"],
        "pusher:connection_established"
    );
}

#[tokio::test(start_paused = true)]
async fn a_closed_broker_accepts_no_connection() {
    let broker = broker();
    broker.close().await;
    assert_eq!(answer(&broker, PATH, Some(ORIGIN)).await, 4100);
}

#[tokio::test(start_paused = true)]
async fn a_permit_is_kept_for_as_long_as_the_socket() {
    let broker = broker();
    let place = Arc::new(());
    let held: Weak<()> = Arc::downgrade(&place);
    let routes = broker
        .socket_routes()
        .layer(Extension(SocketPermit::new(place)));
    let mut client = TestClient::connect(routes, PATH, Some(ORIGIN))
        .await
        .unwrap();
    client.receive().await;
    assert!(held.upgrade().is_some());
    drop(client);
    broker.close().await;
    assert!(held.upgrade().is_none());
}
