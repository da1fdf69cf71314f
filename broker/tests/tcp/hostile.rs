//! What a hostile client tries on a real socket. Each attempt ends as the protocol says, and the
//! other clients are not disturbed.

use crate::{
    SocketClient, TestBroker,
    raw::{HANDSHAKE, KEY, PING, PONG, RawConnection, TEXT, frame, header},
};
use serde_json::{Value, json};

const LIMIT: usize = 16 * 1024;
/// First bytes of a frame that is not the last of its message, and of one that continues it.
const UNFINISHED_TEXT: u8 = 0x01;
const CONTINUED: u8 = 0x80;

/// A subscriber to `news`, and the broker it must not lose.
async fn bystander() -> (TestBroker, SocketClient) {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.subscribe("news", &Value::Null).await;
    (broker, client)
}

/// Checks that the bystander still receives events.
async fn still_receives(broker: &TestBroker, bystander: &mut SocketClient, attempt: &str) {
    let publisher = pusher::PusherBuilder::new("app-1", "the-key", "the-secret")
        .host(&broker.api)
        .finalize();
    publisher.trigger("news", "still", attempt).await.unwrap();
    let heard = bystander.receive().await;
    assert_eq!(heard["event"], "still", "{attempt}");
}

#[tokio::test]
async fn frames_that_break_the_rules_are_closed_with_the_code_for_it() {
    let (broker, mut bystander) = bystander().await;
    let mut unmasked = header(TEXT, 2);
    unmasked[1] &= 0x7f;
    for (attempt, bytes, code) in [
        (
            "a frame that says it has a terabyte",
            header(TEXT, 1 << 40),
            1009,
        ),
        (
            "one byte more than a message may have",
            header(TEXT, LIMIT + 1),
            1009,
        ),
        (
            "too much, in pieces",
            [
                frame(UNFINISHED_TEXT, &[b'['; LIMIT / 2 + 1]),
                frame(CONTINUED, &[b'['; LIMIT / 2 + 1]),
            ]
            .concat(),
            1009,
        ),
        ("text that is not UTF-8", frame(TEXT, b"\"\xff\""), 1007),
        (
            "half a character",
            [frame(UNFINISHED_TEXT, b"\xc3"), frame(CONTINUED, b"\"")].concat(),
            1007,
        ),
        ("a binary message", frame(0x82, b"{}"), 1003),
        (
            "compression that was not agreed on",
            frame(TEXT | 0x40, b"\xaa\x56\x4a\x2d\x4b\xcd\x2b\x51\x02\x00"),
            1002,
        ),
        ("a frame without a mask", unmasked, 1002),
        ("a kind of frame that there is not", frame(0x83, b""), 1002),
        (
            "a kind of control frame that there is not",
            frame(0x8b, b""),
            1002,
        ),
        ("the rest of nothing", frame(CONTINUED, b"{}"), 1002),
        (
            "a message in the middle of another",
            [frame(UNFINISHED_TEXT, b"{"), frame(TEXT, b"{}")].concat(),
            1002,
        ),
        ("a ping in pieces", frame(0x09, b""), 1002),
        ("a ping that is too long", frame(PING, &[0; 126]), 1002),
    ] {
        let mut hostile = RawConnection::greeted(&broker).await;
        hostile.send(&bytes).await;
        assert_eq!(hostile.close_code().await, (code, 0), "{attempt}");
        still_receives(&broker, &mut bystander, attempt).await;
    }
}

#[tokio::test]
async fn messages_that_mean_nothing_are_answered_and_the_socket_stays() {
    let (broker, mut bystander) = bystander().await;
    let mut hostile = RawConnection::greeted(&broker).await;
    let deep = "[".repeat(LIMIT);
    let deep_inside = format!(
        r#"{{"event":"pusher:subscribe","data":{}{}}}"#,
        "[".repeat(7_000),
        "]".repeat(7_000)
    );
    for text in [
        &deep,
        &deep_inside,
        "{\"event\":1e999}",
        "",
        "\0",
        r#"{"event":"pusher:subscribe","data":[]}"#,
    ] {
        hostile.send(&frame(TEXT, text.as_bytes())).await;
        assert_eq!(hostile.event().await["event"], "pusher:error", "{text:.20}");
    }
    let pieces = [
        frame(UNFINISHED_TEXT, br#"{"event":"#),
        frame(PING, b"meanwhile"),
        frame(0x00, b""),
        frame(CONTINUED, br#""pusher:ping"}"#),
    ];
    hostile.send(&pieces.concat()).await;
    assert_eq!(
        hostile.frame().await.unwrap(),
        (PONG, b"meanwhile".to_vec())
    );
    assert_eq!(hostile.event().await["event"], "pusher:pong");
    still_receives(&broker, &mut bystander, "after messages that mean nothing").await;
}

#[tokio::test]
async fn a_flood_is_ended_soon() {
    let (broker, mut bystander) = bystander().await;
    for (attempt, one) in [
        ("pings", frame(PING, b"")),
        ("pongs", frame(PONG, b"")),
        (
            "the protocol's pings",
            frame(TEXT, br#"{"event":"pusher:ping","data":{}}"#),
        ),
        ("garbage", frame(TEXT, b"x")),
    ] {
        let mut hostile = RawConnection::greeted(&broker).await;
        hostile.send(&one.repeat(2_000)).await;
        let (code, answers) = hostile.close_code().await;
        assert_eq!(code, 4100, "{attempt}");
        assert!(answers < 200, "{answers} answers to {attempt}");
        still_receives(&broker, &mut bystander, attempt).await;
    }
}

#[tokio::test]
async fn a_reader_that_stops_is_told_to_reconnect_and_delays_no_one() {
    let (broker, mut bystander) = bystander().await;
    let mut slow = RawConnection::narrow(&broker).await;
    let subscription = json!({ "event": "pusher:subscribe", "data": { "channel": "large" } });
    slow.send(&frame(TEXT, subscription.to_string().as_bytes()))
        .await;
    assert_eq!(
        slow.event().await["event"],
        "pusher_internal:subscription_succeeded"
    );

    let publisher = pusher::PusherBuilder::new("app-1", "the-key", "the-secret")
        .host(&broker.api)
        .finalize();
    let data = "x".repeat(10_000);
    while broker.handle.snapshot().dropped == 0 {
        publisher.trigger("large", "event", &data).await.unwrap();
    }
    still_receives(&broker, &mut bystander, "while a reader is stuck").await;
    assert_eq!(broker.handle.snapshot().connections, 1);
    let (code, before) = slow.close_code().await;
    let queued = broker.handle.snapshot().delivered - 1;
    assert_eq!(code, 4100);
    assert!(
        (before as u64) < queued,
        "what was queued is not sent to a client that does not read"
    );
}

#[tokio::test]
async fn an_invalid_handshake_opens_no_socket() {
    let (broker, mut bystander) = bystander().await;
    let many = "X-More: x\r\n".repeat(200);
    for (attempt, head, status) in [
        (
            "no WebSocket",
            "GET /app/the-key?protocol=7 HTTP/1.1\r\nHost: broker\r\n\r\n".to_owned(),
            400,
        ),
        (
            "another version",
            HANDSHAKE.replace("Version: 13", "Version: 8") + "\r\n",
            426,
        ),
        (
            "a later version",
            HANDSHAKE.replace("Version: 13", "Version: 14") + "\r\n",
            426,
        ),
        (
            "no version",
            HANDSHAKE.replace("Sec-WebSocket-Version: 13\r\n", "") + "\r\n",
            426,
        ),
        ("a short key", HANDSHAKE.replace(KEY, "abc") + "\r\n", 400),
        (
            "a key of 15 bytes",
            HANDSHAKE.replace(KEY, "dGhlIHNhbXBsZSBub25j") + "\r\n",
            400,
        ),
        (
            "a key of 17 bytes",
            HANDSHAKE.replace(KEY, "dGhlIHNhbXBsZSBub25jZSE=") + "\r\n",
            400,
        ),
        (
            "a key that is no base64",
            HANDSHAKE.replace(KEY, "dGhlIHNhbXBsZSBub25jZ!==") + "\r\n",
            400,
        ),
        ("an empty key", HANDSHAKE.replace(KEY, "") + "\r\n", 400),
        (
            "two keys",
            format!("{HANDSHAKE}Sec-WebSocket-Key: {KEY}\r\n\r\n"),
            400,
        ),
        (
            "no key",
            HANDSHAKE.replace("Sec-WebSocket-Key", "Sec-WebSocket-Lock") + "\r\n",
            400,
        ),
        (
            "another upgrade",
            HANDSHAKE.replace("Upgrade: websocket", "Upgrade: h2c") + "\r\n",
            400,
        ),
        (
            "no upgrade after all",
            HANDSHAKE.replace("Connection: Upgrade", "Connection: close") + "\r\n",
            400,
        ),
        (
            "another method",
            HANDSHAKE.replace("GET", "POST") + "\r\n",
            405,
        ),
        (
            "a head without end",
            HANDSHAKE.to_owned() + &many + "\r\n",
            431,
        ),
        ("a head that is none", "\0\0\0\0\r\n\r\n".to_owned(), 400),
    ] {
        let answer = RawConnection::connect(broker.public).await.ask(&head).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{attempt}: {answer}"
        );
        still_receives(&broker, &mut bystander, attempt).await;
    }
    let head = HANDSHAKE.replace("Version: 13", "Version: 8") + "\r\n";
    let answer = RawConnection::connect(broker.public)
        .await
        .ask(&head)
        .await
        .to_lowercase();
    assert!(
        answer.contains("\r\nsec-websocket-version: 13\r\n"),
        "{answer}"
    );
    let offer = format!("{HANDSHAKE}Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n");
    let answer = RawConnection::connect(broker.public)
        .await
        .ask(&offer)
        .await
        .to_lowercase();
    assert!(
        answer.starts_with("http/1.1 101 ") && !answer.contains("extensions"),
        "{answer}"
    );
}
