//! What is published, and to which sockets.

use super::{post, trigger};
use crate::testing::{TestClient, broker};
use axum::http::StatusCode;
use serde_json::json;

#[tokio::test(start_paused = true)]
async fn an_event_goes_to_all_its_channels_once() {
    let broker = broker();
    let mut a = TestClient::subscribed(&broker, "a").await;
    let mut b = TestClient::subscribed(&broker, "b").await;
    let event = json!({ "name": "news", "channels": ["a", "b", "b"], "channel": "a", "data": "{\"n\":1}", "socket_id": null });

    assert_eq!(
        trigger(&broker, event).await,
        (StatusCode::OK, "{}".to_owned())
    );

    for (client, channel) in [(&mut a, "a"), (&mut b, "b")] {
        assert_eq!(
            client.receive().await,
            json!({ "event": "news", "channel": channel, "data": "{\"n\":1}" })
        );
        client.ping().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_publisher_can_exclude_its_own_socket() {
    let broker = broker();
    let (mut sender, id) = TestClient::greeted(&broker).await;
    sender.subscribe("a", None).await;
    let mut other = TestClient::subscribed(&broker, "a").await;

    trigger(
        &broker,
        json!({ "name": "news", "channel": "a", "data": "1", "socket_id": id }),
    )
    .await;
    // What clients that always send an id send to exclude no socket.
    trigger(
        &broker,
        json!({ "name": "news", "channel": "a", "data": "2", "socket_id": "0.0" }),
    )
    .await;

    assert_eq!(sender.receive().await["data"], "2");
    assert_eq!(other.receive().await["data"], "1");
    assert_eq!(other.receive().await["data"], "2");
}

#[tokio::test(start_paused = true)]
async fn a_batch_is_published_whole_or_not_at_all() {
    let broker = broker();
    let mut client = TestClient::subscribed(&broker, "a").await;
    let event = |data: &str| json!({ "name": "news", "channel": "a", "data": data });
    let bad = json!({ "batch": [event("lost"), { "name": "news", "channel": "presence-a", "data": "" }] });
    assert_eq!(
        post(&broker, "batch_events", &bad.to_string()).await.0,
        StatusCode::BAD_REQUEST
    );

    let good = json!({ "batch": [event("1"), event("2")] });
    assert_eq!(
        post(&broker, "batch_events", &good.to_string()).await,
        (StatusCode::OK, "{}".to_owned())
    );
    assert_eq!(client.receive().await["data"], "1");
    assert_eq!(client.receive().await["data"], "2");

    for size in [0, 11] {
        let batch = json!({ "batch": vec![event("lost"); size] });
        assert_eq!(
            post(&broker, "batch_events", &batch.to_string()).await.0,
            StatusCode::BAD_REQUEST,
            "{size}"
        );
    }
    client.ping().await;
}

#[tokio::test]
async fn an_invalid_event_is_refused() {
    let broker = broker();
    let too_many: Vec<String> = (0..101).map(|n| format!("c{n}")).collect();
    for (event, status) in [
        (
            json!({ "name": "n", "channel": "a", "data": "x".repeat(10 * 1024 + 1) }),
            StatusCode::PAYLOAD_TOO_LARGE,
        ),
        (
            json!({ "name": "n", "channel": "a", "data": "", "padding": "x".repeat(256 * 1024) }),
            StatusCode::PAYLOAD_TOO_LARGE,
        ),
        (
            json!({ "name": "n", "channel": "a", "data": { "not": "a string" } }),
            StatusCode::BAD_REQUEST,
        ),
        (
            json!({ "name": "n", "channel": "a" }),
            StatusCode::BAD_REQUEST,
        ),
        (json!({ "name": "n", "data": "" }), StatusCode::BAD_REQUEST),
        (
            json!({ "name": "n", "data": "", "channels": [] }),
            StatusCode::BAD_REQUEST,
        ),
        (
            json!({ "name": "n", "data": "", "channels": too_many }),
            StatusCode::BAD_REQUEST,
        ),
        (
            json!({ "name": "n", "data": "", "channel": "a b" }),
            StatusCode::BAD_REQUEST,
        ),
        (
            json!({ "name": "n", "data": "", "channel": "a", "socket_id": "1.1:private-a" }),
            StatusCode::BAD_REQUEST,
        ),
        (
            json!({ "name": "", "data": "", "channel": "a" }),
            StatusCode::BAD_REQUEST,
        ),
        (
            json!({ "name": "x".repeat(201), "data": "", "channel": "a" }),
            StatusCode::BAD_REQUEST,
        ),
        (
            json!({ "name": "pusher:error", "data": "", "channel": "a" }),
            StatusCode::BAD_REQUEST,
        ),
        (
            json!({ "name": "pusher_internal:subscription_succeeded", "data": "", "channel": "a" }),
            StatusCode::BAD_REQUEST,
        ),
        (json!("not an event"), StatusCode::BAD_REQUEST),
    ] {
        assert_eq!(
            trigger(&broker, event.clone()).await.0,
            status,
            "{:.60}",
            event.to_string()
        );
    }
    let largest = json!({ "name": "x".repeat(200), "channels": &too_many[..100], "data": "\u{1}".repeat(10 * 1024) });
    assert_eq!(trigger(&broker, largest).await.0, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn the_largest_event_reaches_a_subscriber() {
    let broker = broker();
    let mut client = TestClient::subscribed(&broker, "a").await;
    let data = "\u{1}".repeat(10 * 1024);
    trigger(
        &broker,
        json!({ "name": "x".repeat(200), "channel": "a", "data": data }),
    )
    .await;
    assert_eq!(client.receive().await["data"], data);
}

#[tokio::test(start_paused = true)]
async fn what_a_publisher_leaves_out_may_be_null() {
    let broker = broker();
    let mut client = TestClient::subscribed(&broker, "a").await;
    for event in [
        json!({ "name": "n", "data": "1", "channel": "a", "channels": null }),
        json!({ "name": "n", "data": "1", "channel": null, "channels": ["a"] }),
        json!({ "name": "n", "data": "1", "channel": "a", "channels": null, "socket_id": null, "info": null }),
    ] {
        assert_eq!(
            trigger(&broker, event.clone()).await.0,
            StatusCode::OK,
            "{event}"
        );
        assert_eq!(client.receive().await["event"], "n");
        let batch = json!({ "batch": [event] }).to_string();
        assert_eq!(
            post(&broker, "batch_events", &batch).await.0,
            StatusCode::OK
        );
        assert_eq!(client.receive().await["event"], "n");
    }
    for event in [
        json!({ "name": "n", "data": "1", "channel": null, "channels": null }),
        json!({ "name": "n", "data": "1", "channels": [null] }),
        json!({ "name": null, "data": "1", "channel": "a" }),
        json!({ "name": "n", "data": null, "channel": "a" }),
    ] {
        assert_eq!(
            trigger(&broker, event.clone()).await.0,
            StatusCode::BAD_REQUEST,
            "{event}"
        );
    }
}
