//! How connections end, one by one or all together.

use super::publish;
use crate::{
    Snapshot,
    testing::{TestClient, broker},
};
use futures_util::StreamExt;
use std::time::Duration;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;

#[tokio::test(start_paused = true)]
async fn closing_the_broker_delivers_what_is_queued_and_asks_every_client_to_reconnect() {
    let broker = broker();
    let mut subscriber = TestClient::subscribed(&broker, "news").await;
    let (mut newcomer, _) = TestClient::greeted(&broker).await;
    publish(&broker, "news", "last words");

    let closing = tokio::spawn({
        let broker = broker.clone();
        async move { broker.close().await }
    });
    assert_eq!(subscriber.receive().await["data"], "last words");
    assert_eq!(subscriber.close_code().await, 4200);
    assert_eq!(newcomer.close_code().await, 4200);
    closing.await.unwrap();
    assert_eq!(
        broker.snapshot(),
        Snapshot {
            published: 1,
            delivered: 1,
            ..Snapshot::default()
        }
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_cannot_hold_up_a_shutdown() {
    let broker = broker();
    let _stuck = TestClient::subscribed(&broker, "news").await;
    for _ in 0..20 {
        publish(&broker, "news", &"x".repeat(10 * 1024));
    }
    let start = Instant::now();
    broker.close().await;
    assert_eq!(start.elapsed().as_secs(), 10);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_just_often_enough_cannot_hold_up_a_shutdown() {
    let broker = broker();
    let mut trickling = TestClient::subscribed(&broker, "news").await;
    for _ in 0..20 {
        publish(&broker, "news", &"x".repeat(10 * 1024));
    }
    let start = Instant::now();
    let reading = tokio::spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(4)).await;
            trickling.receive().await;
        }
    });
    broker.close().await;
    assert_eq!(start.elapsed().as_secs(), 10);
    reading.abort();
}

#[tokio::test(start_paused = true)]
async fn a_client_that_closes_properly_is_answered_and_one_that_vanishes_is_forgotten() {
    let broker = broker();
    let mut polite = TestClient::subscribed(&broker, "news").await;
    polite.0.close(None).await.unwrap();
    assert!(matches!(polite.0.next().await, Some(Ok(Message::Close(_)))));
    assert!(polite.0.next().await.is_none());
    drop(TestClient::subscribed(&broker, "news").await);
    broker.close().await;
    assert_eq!(broker.snapshot(), Snapshot::default());
}
