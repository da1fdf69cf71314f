//! What a hostile client sends.

use crate::{
    Limits,
    testing::{TestClient, broker},
};
use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::frame::{
        Frame,
        coding::{Data, OpCode},
    },
};

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
