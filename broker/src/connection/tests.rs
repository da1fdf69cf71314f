//! What a client sees, and what a hostile one tries.

use crate::{
    Broker, BrokerConfig, Limits, Snapshot,
    name::ChannelName,
    server_event,
    testing::{KEY, TestClient, broker, broker_with, config, permission, signature},
};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    },
};

fn publish(broker: &Broker, channel: &str, data: &str) {
    let channel = ChannelName::parse(channel).unwrap();
    broker.state.registry.publish(
        &channel,
        &server_event::channel_event("news", &channel, data),
        None,
    );
}

/// Lets the sockets' tasks do what they have been given to do.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

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

#[tokio::test(start_paused = true)]
async fn a_socket_that_sends_too_much_is_told_to_reconnect_later() {
    let limits = Limits::default();
    for flood in [
        Message::Ping(Vec::new().into()),
        Message::text(r#"{"event":"pusher:ping","data":{}}"#),
    ] {
        let broker = broker();
        let mut bystander = TestClient::subscribed(&broker, "news").await;
        let (mut client, _) = TestClient::greeted(&broker).await;
        for _ in 0..limits.messages {
            client.0.send(flood.clone()).await.unwrap();
            assert!(matches!(
                client.0.next().await,
                Some(Ok(Message::Pong(_) | Message::Text(_)))
            ));
        }
        tokio::time::advance(limits.message_every).await;
        client.0.send(flood.clone()).await.unwrap();
        assert!(matches!(
            client.0.next().await,
            Some(Ok(Message::Pong(_) | Message::Text(_)))
        ));
        client.0.send(flood).await.unwrap();
        assert_eq!(client.close_code().await, 4100);
        bystander.ping().await;
    }
}

#[tokio::test(start_paused = true)]
async fn frames_that_break_the_rules_end_the_socket_and_nothing_else() {
    let text =
        |payload: Vec<u8>| Message::Frame(Frame::message(payload, OpCode::Data(Data::Text), true));
    let unfinished =
        |payload: Vec<u8>| Message::Frame(Frame::message(payload, OpCode::Data(Data::Text), false));
    let broker = broker();
    let mut bystander = TestClient::subscribed(&broker, "news").await;
    for (attack, message, code) in [
        ("text that is not UTF-8", text(vec![b'"', 0xff, b'"']), 1007),
        ("a binary message", Message::binary(vec![1, 2, 3]), 1003),
        (
            "a message in pieces, interrupted by a second",
            unfinished(vec![b'['; 9]),
            1002,
        ),
    ] {
        let (mut client, _) = TestClient::greeted(&broker).await;
        client.0.send(message.clone()).await.unwrap();
        if code == 1002 {
            client.0.send(message).await.unwrap();
        }
        assert_eq!(client.close_code().await, code, "{attack}");
    }
    bystander.ping().await;
    assert_eq!(broker.snapshot().connections, 1);
}

#[tokio::test(start_paused = true)]
async fn a_giant_message_ends_the_socket_before_it_is_read() {
    let limit = Limits::default().max_message;
    let broker = broker();

    let (mut whole, _) = TestClient::greeted(&broker).await;
    let sent = whole.0.send(Message::text("[".repeat(100 * limit))).await;
    assert!(sent.is_err(), "the broker hung up at the frame's header");

    let (mut pieces, _) = TestClient::greeted(&broker).await;
    for (kind, last) in [
        (Data::Text, false),
        (Data::Continue, false),
        (Data::Continue, true),
    ] {
        let piece = Frame::message(vec![b'['; limit / 2], OpCode::Data(kind), last);
        pieces.0.send(Message::Frame(piece)).await.unwrap();
    }
    assert_eq!(pieces.close_code().await, 1009);

    let (mut largest, _) = TestClient::greeted(&broker).await;
    largest
        .0
        .send(Message::text("[".repeat(limit)))
        .await
        .unwrap();
    assert_eq!(largest.receive().await["event"], "pusher:error");
    assert_eq!(broker.snapshot().connections, 1);
}

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
