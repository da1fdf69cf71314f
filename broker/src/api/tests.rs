//! What a publisher sees, and what an attacker without the secret tries.

use crate::{
    Broker,
    testing::{APP_ID, KEY, NOW, TestClient, broker, hex, signature},
};
use axum::{
    body::{Body, to_bytes},
    http::{Method, Request, StatusCode},
};
use md5::{Digest, Md5};
use serde_json::{Value, json};
use tower::ServiceExt;

async fn send(broker: &Broker, method: Method, target: &str, body: &str) -> (StatusCode, String) {
    let request = Request::builder()
        .method(method)
        .uri(target)
        .body(Body::from(body.to_owned()))
        .unwrap();
    let response = broker.api_routes().oneshot(request).await.unwrap();
    let status = response.status();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

/// A signed target; `extra` goes between the names that begin with `auth` and with `s`, so the
/// query is sorted.
fn signed(method: &str, path: &str, extra: &[(&str, &str)], body: &str, timestamp: u64) -> String {
    let mut query = format!("auth_key={KEY}&auth_timestamp={timestamp}&auth_version=1.0");
    if !body.is_empty() {
        query.extend(["&body_md5=", &hex(&Md5::digest(body))]);
    }
    for (name, value) in extra {
        query.extend(["&", name, "=", value]);
    }
    let signature = signature(&format!("{method}\n{path}\n{query}"));
    format!(
        "{path}?{}&auth_signature={signature}",
        query.replace(',', "%2C")
    )
}

async fn post(broker: &Broker, resource: &str, body: &str) -> (StatusCode, String) {
    let path = format!("/apps/{APP_ID}/{resource}");
    send(
        broker,
        Method::POST,
        &signed("POST", &path, &[], body, NOW),
        body,
    )
    .await
}

async fn trigger(broker: &Broker, event: Value) -> (StatusCode, String) {
    post(broker, "events", &event.to_string()).await
}

async fn ask(broker: &Broker, resource: &str, query: &[(&str, &str)]) -> (StatusCode, Value) {
    let path = format!("/apps/{APP_ID}/{resource}");
    let (status, body) = send(
        broker,
        Method::GET,
        &signed("GET", &path, query, "", NOW),
        "",
    )
    .await;
    (
        status,
        serde_json::from_str(&body).unwrap_or(Value::String(body)),
    )
}

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

#[tokio::test(start_paused = true)]
async fn occupied_channels_can_be_listed_and_looked_at() {
    let broker = broker();
    let _clients = [
        TestClient::subscribed(&broker, "news-a").await,
        TestClient::subscribed(&broker, "news-a").await,
        TestClient::subscribed(&broker, "other").await,
    ];
    let (_, all) = ask(&broker, "channels", &[]).await;
    assert_eq!(all, json!({ "channels": { "news-a": {}, "other": {} } }));
    let (_, some) = ask(
        &broker,
        "channels",
        &[
            ("filter_by_prefix", "news-"),
            ("info", "subscription_count"),
        ],
    )
    .await;
    assert_eq!(
        some,
        json!({ "channels": { "news-a": { "subscription_count": 2 } } })
    );

    let (_, one) = ask(
        &broker,
        "channels/news-a",
        &[("info", "subscription_count")],
    )
    .await;
    assert_eq!(one, json!({ "occupied": true, "subscription_count": 2 }));
    let (_, none) = ask(&broker, "channels/private-nobody", &[]).await;
    assert_eq!(none, json!({ "occupied": false }));

    for info in ["user_count", "subscription_count,user_count"] {
        assert_eq!(
            ask(&broker, "channels/news-a", &[("info", info)]).await.0,
            StatusCode::BAD_REQUEST,
            "{info}"
        );
    }
    assert_eq!(
        ask(&broker, "channels/presence-a", &[]).await.0,
        StatusCode::BAD_REQUEST
    );
    let (status, why) = ask(&broker, "channels/news-a/users", &[]).await;
    assert_eq!(
        (status, why.as_str().unwrap()),
        (
            StatusCode::BAD_REQUEST,
            "only presence channels know their users, and there are none here"
        )
    );
}

#[tokio::test(start_paused = true)]
async fn a_publisher_may_ask_how_many_subscribers_there_are() {
    let broker = broker();
    let _client = TestClient::subscribed(&broker, "a").await;
    let event = |channels: Value, info: &str| json!({ "name": "n", "data": "", "channels": channels, "info": info });
    let (_, told) = trigger(&broker, event(json!(["a", "b"]), "subscription_count")).await;
    let expected = json!({ "channels": { "a": { "subscription_count": 1 }, "b": { "subscription_count": 0 } } });
    assert_eq!(serde_json::from_str::<Value>(&told).unwrap(), expected);
    assert_eq!(
        trigger(&broker, event(json!(["a"]), "user_count")).await.0,
        StatusCode::BAD_REQUEST
    );

    let batch =
        json!({ "batch": [event(json!(["a"]), "subscription_count"), event(json!(["b"]), "")] });
    let (_, told) = post(&broker, "batch_events", &batch.to_string()).await;
    let expected = json!({ "batch": [{ "subscription_count": 1 }, {}] });
    assert_eq!(serde_json::from_str::<Value>(&told).unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn without_the_secret_nothing_is_published() {
    let broker = broker();
    let mut client = TestClient::subscribed(&broker, "a").await;
    let path = format!("/apps/{APP_ID}/events");
    let body = json!({ "name": "news", "channel": "a", "data": "forged" }).to_string();
    let other_body = json!({ "name": "news", "channel": "a", "data": "signed!" }).to_string();
    let good = signed("POST", &path, &[], &other_body, NOW);
    for (attempt, target) in [
        ("no query", path.clone()),
        ("a signature for another body", good.clone()),
        (
            "a signature for another path",
            signed("POST", "/apps/app-1/batch_events", &[], &body, NOW).replace("batch_", ""),
        ),
        (
            "a signature for another method",
            signed("GET", &path, &[], &body, NOW),
        ),
        (
            "a body that is not signed",
            signed("POST", &path, &[], "", NOW),
        ),
        (
            "a stale request",
            signed("POST", &path, &[], &body, NOW - 601),
        ),
        (
            "a request from the future",
            signed("POST", &path, &[], &body, NOW + 601),
        ),
        (
            "another key",
            signed("POST", &path, &[], &body, NOW).replace(KEY, "other"),
        ),
        (
            "a changed timestamp",
            signed("POST", &path, &[], &body, NOW - 601)
                .replace(&(NOW - 601).to_string(), &NOW.to_string()),
        ),
        (
            "a second, unsigned parameter",
            format!("{}&info=x", signed("POST", &path, &[], &body, NOW)),
        ),
    ] {
        let (status, text) = send(&broker, Method::POST, &target, &body).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{attempt}");
        assert!(!text.is_empty(), "{attempt}");
    }
    client.ping().await;
    assert_eq!(
        send(&broker, Method::POST, &good, &other_body).await.0,
        StatusCode::OK
    );
    assert_eq!(client.receive().await["data"], "signed!");
}

#[tokio::test]
async fn a_valid_signature_for_another_application_is_answered_with_404() {
    let target = signed("GET", "/apps/app-2/channels", &[], "", NOW);
    let (status, text) = send(&broker(), Method::GET, &target, "").await;
    assert_eq!(
        (status, text.as_str()),
        (StatusCode::NOT_FOUND, "unknown application")
    );
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
