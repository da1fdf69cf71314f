//! What the application learns about channels.

use super::{ask, post, trigger};
use crate::testing::{TestClient, broker};
use axum::http::StatusCode;
use serde_json::{Value, json};

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
    let (_, none) = ask(&broker, "channels/private-unknown", &[]).await;
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
