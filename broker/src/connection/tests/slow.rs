//! Clients that are silent, do not subscribe, or do not read.

use super::{publish, settle};
use crate::{
    Limits, Snapshot,
    testing::{TestClient, broker, broker_with},
};
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use std::time::Duration;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test(start_paused = true)]
async fn a_silent_socket_is_pinged_and_closed_if_it_does_not_answer() {
    let broker = broker();
    let start = Instant::now();
    let mut client = TestClient::subscribed(&broker, "news").await;

    assert_eq!(client.receive().await["event"], "pusher:ping");
    assert_eq!(start.elapsed().as_secs(), 120);
    client
        .send(json!({ "event": "pusher:pong", "data": {} }))
        .await;

    assert_eq!(client.receive().await["event"], "pusher:ping");
    assert_eq!(start.elapsed().as_secs(), 240);
    client
        .0
        .send(Message::Ping(Vec::new().into()))
        .await
        .unwrap();
    assert!(matches!(client.0.next().await, Some(Ok(Message::Pong(_)))));

    assert_eq!(client.receive().await["event"], "pusher:ping");
    assert_eq!(client.close_code().await, 4201);
    assert_eq!(start.elapsed().as_secs(), 390);
    assert!(client.0.next().await.is_none());
    assert_eq!(broker.snapshot(), Snapshot::default());
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_never_subscribes_is_closed_however_much_it_talks() {
    let broker = broker();
    let start = Instant::now();
    let (mut client, _) = TestClient::greeted(&broker).await;
    for _ in 0..29 {
        tokio::time::advance(Duration::from_secs(1)).await;
        client.ping().await;
        assert_eq!(
            client.subscribe("private-a", None).await["event"],
            "pusher:subscription_error"
        );
    }
    assert_eq!(client.close_code().await, 4009);
    assert_eq!(start.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn a_reader_too_slow_for_its_queue_is_told_to_reconnect_and_gets_no_more() {
    let broker = broker_with(Limits {
        queue: 8,
        ..Limits::default()
    });
    let mut slow = TestClient::subscribed(&broker, "news").await;
    let mut quick = TestClient::subscribed(&broker, "other").await;
    let data = "x".repeat(10 * 1024);

    for _ in 0..50 {
        publish(&broker, "news", &data);
        settle().await;
    }

    let snapshot = broker.snapshot();
    assert_eq!((snapshot.connections, snapshot.dropped), (1, 1));
    assert!(
        snapshot.delivered <= 8 + 3,
        "the queue, and what is on its way: {snapshot:?}"
    );
    let on_its_way = snapshot.delivered - 8;
    for _ in 0..on_its_way {
        assert_eq!(slow.receive().await["event"], "news");
    }
    assert_eq!(slow.close_code().await, 4100);
    quick.ping().await;
}

#[tokio::test(start_paused = true)]
async fn a_client_that_stops_reading_is_closed_after_a_while() {
    let broker = broker();
    let _stuck = TestClient::subscribed(&broker, "news").await;
    for _ in 0..4 {
        publish(&broker, "news", &"x".repeat(10 * 1024));
    }
    settle().await;
    assert_eq!(broker.snapshot().connections, 1);
    let limits = Limits::default();
    tokio::time::sleep(limits.write_within + limits.close_within + Duration::from_millis(1)).await;
    assert_eq!(
        broker.snapshot(),
        Snapshot {
            published: 4,
            delivered: 4,
            ..Snapshot::default()
        }
    );
}
