//! Who hears what.

use super::publish;
use crate::{
    Broker, BrokerConfig, Limits, Snapshot,
    testing::{KEY, TestClient, broker, broker_with, config, permission, signature},
};
use serde_json::{Value, json};
use tokio::time::Instant;

#[tokio::test(start_paused = true)]
async fn a_socket_is_greeted_with_an_id_and_the_time_it_may_be_silent() {
    let broker = broker();
    let (_client, id) = TestClient::greeted(&broker).await;
    let (left, right) = id.split_once('.').unwrap();
    assert!(
        [left, right].iter().all(|part| part.parse::<u64>().is_ok()),
        "{id}"
    );
    assert_eq!(broker.snapshot().connections, 1);
}

#[tokio::test(start_paused = true)]
async fn an_event_reaches_a_subscriber_until_it_unsubscribes() {
    let broker = broker();
    let mut client = TestClient::subscribed(&broker, "news").await;

    publish(&broker, "news", r#"{"n":1}"#);
    assert_eq!(
        client.receive().await,
        json!({ "event": "news", "channel": "news", "data": r#"{"n":1}"# })
    );

    client
        .send(json!({ "event": "pusher:unsubscribe", "data": { "channel": "news" } }))
        .await;
    client.ping().await;
    publish(&broker, "news", "2");
    client.ping().await;
    assert_eq!(
        broker.snapshot(),
        Snapshot {
            connections: 1,
            published: 2,
            delivered: 1,
            ..Snapshot::default()
        }
    );
}

#[tokio::test(start_paused = true)]
async fn a_private_channel_opens_to_the_applications_signature() {
    let broker = broker();
    let (mut client, id) = TestClient::greeted(&broker).await;
    let reply = client
        .subscribe("private-a", Some(&permission(&id, "private-a")))
        .await;
    let expected = json!({ "event": "pusher_internal:subscription_succeeded", "channel": "private-a", "data": "{}" });
    assert_eq!(reply, expected);
    publish(&broker, "private-a", "{}");
    assert_eq!(client.receive().await["channel"], "private-a");
}

#[tokio::test(start_paused = true)]
async fn a_private_channel_opens_to_nothing_else() {
    let broker = broker();
    let (_other, other_id) = TestClient::greeted(&broker).await;
    let (mut client, id) = TestClient::greeted(&broker).await;
    let good = permission(&id, "private-a");
    let attempts = [
        ("no signature", None),
        ("an empty one", Some(String::new())),
        ("the key alone", Some(KEY.to_owned())),
        (
            "one for another channel",
            Some(permission(&id, "private-b")),
        ),
        ("another socket's", Some(permission(&other_id, "private-a"))),
        (
            "one for a made-up socket",
            Some(permission("1.1", "private-a")),
        ),
        (
            "one that moves the border",
            Some(permission(&format!("{id}:private-a"), "")),
        ),
        (
            "another key's",
            Some(format!(
                "other-key:{}",
                signature(&format!("{id}:private-a"))
            )),
        ),
        (
            "one without its key",
            Some(signature(&format!("{id}:private-a"))),
        ),
        ("a shortened one", Some(good[..good.len() - 2].to_owned())),
        (
            "one with a changed digit",
            Some(format!(
                "{}{}",
                &good[..good.len() - 1],
                u8::from(good.ends_with('0'))
            )),
        ),
        (
            "one of a request to the HTTP API",
            Some(format!("{KEY}:{}", signature("POST\n/apps/app-1/events\n"))),
        ),
    ];
    for (attempt, auth) in attempts {
        let reply = client.subscribe("private-a", auth.as_deref()).await;
        assert_eq!(reply["event"], "pusher:subscription_error", "{attempt}");
        assert_eq!(reply["channel"], "private-a", "{attempt}");
        assert_eq!(
            (&reply["data"]["type"], &reply["data"]["status"]),
            (&json!("AuthError"), &json!(401)),
            "{attempt}"
        );
    }
    publish(&broker, "private-a", "secret");
    client.ping().await;
    assert_eq!(broker.snapshot().subscriptions, 0);
}

#[tokio::test(start_paused = true)]
async fn what_the_broker_does_not_support_is_refused_and_the_socket_stays_open() {
    let broker = broker();
    let (mut client, id) = TestClient::greeted(&broker).await;
    for channel in [
        "presence-room",
        "private-encrypted-room",
        "private-cache-news",
        "cache-news",
    ] {
        let reply = client
            .subscribe(channel, Some(&permission(&id, channel)))
            .await;
        assert_eq!(
            (&reply["event"], &reply["channel"]),
            (&json!("pusher:subscription_error"), &json!(channel))
        );
        assert_eq!(
            (&reply["data"]["type"], &reply["data"]["status"]),
            (&json!("NotSupported"), &json!(501))
        );
    }
    for channel in ["", "a b", "#server-to-user-1"] {
        let reply = client
            .subscribe(channel, Some(&permission(&id, channel)))
            .await;
        assert_eq!(
            (&reply["event"], &reply["data"]["code"]),
            (&json!("pusher:error"), &Value::Null),
            "{channel}"
        );
    }
    for (message, code) in [
        (
            json!({ "event": "client-typing", "channel": "private-a", "data": {} }),
            json!(4301),
        ),
        (json!({ "event": "pusher:signin", "data": {} }), Value::Null),
        (
            json!({ "event": "pusher_internal:subscription_succeeded", "channel": "private-a" }),
            Value::Null,
        ),
        (
            json!({ "event": "pusher:subscribe", "data": "private-a" }),
            Value::Null,
        ),
        (json!("pusher:ping"), Value::Null),
    ] {
        client.send(message).await;
        let reply = client.receive().await;
        assert_eq!(
            (&reply["event"], &reply["data"]["code"]),
            (&json!("pusher:error"), &code)
        );
        assert!(reply["data"]["message"].is_string());
    }
    client.ping().await;
    assert_eq!(broker.snapshot().subscriptions, 0);
}

#[tokio::test(start_paused = true)]
async fn one_socket_cannot_take_more_subscriptions_than_its_share() {
    let broker = broker_with(Limits {
        max_subscriptions: 2,
        ..Limits::default()
    });
    let mut client = TestClient::subscribed(&broker, "a").await;
    client.subscribe("b", None).await;
    let reply = client.subscribe("c", None).await;
    assert_eq!(
        (&reply["channel"], &reply["data"]["type"]),
        (&json!("c"), &json!("LimitReached"))
    );
    assert_eq!(broker.snapshot().subscriptions, 2);
}

#[tokio::test(start_paused = true)]
async fn without_public_channels_no_client_stays_without_a_signature() {
    let broker = Broker::new(BrokerConfig {
        public_channels: false,
        ..config()
    });
    let start = Instant::now();
    let (mut client, _) = TestClient::greeted(&broker).await;
    let reply = client.subscribe("news", None).await;
    assert_eq!(
        (&reply["event"], &reply["channel"]),
        (&json!("pusher:subscription_error"), &json!("news"))
    );
    assert_eq!(
        (&reply["data"]["type"], &reply["data"]["status"]),
        (&json!("AuthError"), &json!(403))
    );
    let (mut signed, id) = TestClient::greeted(&broker).await;
    let reply = signed
        .subscribe("private-a", Some(&permission(&id, "private-a")))
        .await;
    assert_eq!(reply["event"], "pusher_internal:subscription_succeeded");
    assert_eq!(client.close_code().await, 4009);
    assert_eq!(start.elapsed().as_secs(), 30);
    signed.ping().await;
}
