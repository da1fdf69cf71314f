//! The embedded broker in the real server: whose sockets it takes, for what, and what an operator
//! sees of it.

#[path = "support/landing.rs"]
mod landing;
mod support;

use futures_util::{SinkExt as _, StreamExt as _};
use pusher::PusherBuilder;
use serde_json::{Value, json};
use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener as Port, TcpStream as Connection},
    time::Duration,
};
use support::{Server, has_status};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    time::{Instant, interval},
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, client::IntoClientRequest as _, http::HeaderValue},
};

const APP: [(&str, &str); 3] = [
    ("PUSHER_APP_ID", "app"),
    ("PUSHER_KEY", "the-key"),
    ("PUSHER_SECRET", "the-secret"),
];

/// A server whose proxy is trusted; a client may have so many undecided sign-ins.
fn server(per_client: &str, more: &[(&str, &str)]) -> Server {
    let settings = [
        ("CONFIRM_PER_CLIENT", per_client),
        ("PUBLIC_URL", "https://sign-in.example"),
        ("TRUSTED_PROXIES", "127.0.0.1"),
        ("VALIDATOR_URL", "http://127.0.0.1:9/"),
        (
            "VESTIBULE_SECRET",
            "Y1ZtJ0vW8n3qkRu5xTgB2yLhPzXo7mEaQ9dKfCs4wUI=",
        ),
    ];
    Server::start(&[&settings[..], &APP, more].concat())
}

struct Socket(WebSocketStream<TcpStream>);

impl Socket {
    /// Opens a socket as our own page does, through the proxy, from this address.
    async fn open(server: &Server, from: &'static str) -> Self {
        Self::open_as(server, from, Some("https://sign-in.example")).await
    }

    async fn open_as(server: &Server, from: &'static str, origin: Option<&'static str>) -> Self {
        let stream = TcpStream::connect(server.addr).await.unwrap();
        Self::open_over(stream, server, from, origin).await
    }

    /// Opens one with room for few unread bytes.
    async fn narrow(server: &Server, from: &'static str) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        let stream = socket.connect(server.addr).await.unwrap();
        Self::open_over(stream, server, from, Some("https://sign-in.example")).await
    }

    async fn open_over(
        stream: TcpStream,
        server: &Server,
        from: &'static str,
        origin: Option<&'static str>,
    ) -> Self {
        let mut request = format!("ws://{}/app/the-key?protocol=7", server.addr)
            .into_client_request()
            .unwrap();
        if let Some(origin) = origin {
            request
                .headers_mut()
                .insert("origin", HeaderValue::from_static(origin));
        }
        request
            .headers_mut()
            .insert("x-forwarded-for", HeaderValue::from_static(from));
        Self(client_async(request, stream).await.unwrap().0)
    }

    /// Subscribes to a channel, signed by the app's library.
    async fn subscribe_signed(&mut self, channel: &str) {
        let greeting = self.hear().await.unwrap();
        let data: Value = serde_json::from_str(greeting["data"].as_str().unwrap()).unwrap();
        let library = PusherBuilder::new("app", "the-key", "the-secret").finalize();
        let signed = library
            .authenticate_private_channel(channel, data["socket_id"].as_str().unwrap())
            .unwrap();
        let signed: Value = serde_json::from_str(&signed).unwrap();
        let reply = self.subscribe(channel, signed["auth"].as_str()).await;
        assert_eq!(reply["event"], "pusher_internal:subscription_succeeded");
    }

    /// The next event, or the code with which the socket is closed.
    async fn hear(&mut self) -> Result<Value, u16> {
        match self.0.next().await.unwrap().unwrap() {
            Message::Text(text) => Ok(serde_json::from_str(&text).unwrap()),
            Message::Close(Some(frame)) => Err(frame.code.into()),
            other => panic!("{other:?}"),
        }
    }

    /// The reply to a subscription.
    async fn subscribe(&mut self, channel: &str, auth: Option<&str>) -> Value {
        let subscription =
            json!({ "event": "pusher:subscribe", "data": { "channel": channel, "auth": auth } });
        self.0
            .send(Message::text(subscription.to_string()))
            .await
            .unwrap();
        self.hear().await.unwrap()
    }
}

#[tokio::test]
async fn a_client_has_two_sockets_for_each_sign_in_that_it_may_have_undecided() {
    let server = server("1", &[]);
    let mut greedy = [
        Socket::open(&server, "203.0.113.1").await,
        Socket::open(&server, "203.0.113.1").await,
    ];
    for socket in &mut greedy {
        assert_eq!(
            socket.hear().await.unwrap()["event"],
            "pusher:connection_established"
        );
    }
    assert_eq!(
        Socket::open(&server, "203.0.113.1").await.hear().await,
        Err(4100)
    );
    assert!(
        Socket::open(&server, "203.0.113.2")
            .await
            .hear()
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn only_our_own_pages_have_sockets() {
    let server = server("9", &[]);
    for origin in [
        None,
        Some("null"),
        Some("https://evil.example"),
        Some("http://sign-in.example"),
    ] {
        let mut foreign = Socket::open_as(&server, "203.0.113.1", origin).await;
        assert_eq!(foreign.hear().await, Err(4009), "{origin:?}");
    }
}

#[tokio::test]
async fn without_a_signature_there_is_nothing_to_hear() {
    let server = server("1", &[]);
    let mut socket = Socket::open(&server, "203.0.113.1").await;
    socket.hear().await.unwrap();
    for channel in ["news", "private-confirm-0", "presence-x"] {
        let reply = socket.subscribe(channel, None).await;
        assert_eq!(
            (&reply["event"], &reply["channel"]),
            (&json!("pusher:subscription_error"), &json!(channel))
        );
    }
}

#[tokio::test]
async fn a_page_hears_its_own_channel() {
    let server = server("1", &[]);
    let mut socket = Socket::open(&server, "203.0.113.1").await;
    let greeting: Value =
        serde_json::from_str(socket.hear().await.unwrap()["data"].as_str().unwrap()).unwrap();
    let (begun, cookies) = landing::call_begin(&server, "down");
    let channel = json_of(&begun)["channel"].as_str().unwrap().to_owned();
    let asked = format!(
        "token=down&channel_name={channel}&socket_id={}",
        greeting["socket_id"].as_str().unwrap()
    );
    let signed = json_of(&server.post("/pusher/auth", &[&cookies], &asked));
    let reply = socket.subscribe(&channel, signed["auth"].as_str()).await;
    assert_eq!(reply["event"], "pusher_internal:subscription_succeeded");
}

fn json_of(response: &str) -> Value {
    serde_json::from_str(response.split_once("\r\n\r\n").unwrap().1).unwrap()
}

#[tokio::test]
async fn an_operator_sees_the_sockets_where_the_public_does_not_look() {
    let broker = free_port();
    let server = server("1", &[("BROKER_ADDR", &broker.to_string())]);
    let mut socket = Socket::open(&server, "203.0.113.1").await;
    socket.hear().await.unwrap();
    let metrics = get(broker, "/metrics");
    assert!(
        has_status(&metrics, 200) && metrics.contains("\nvestibule_broker_sockets 1\n"),
        "{metrics}"
    );
    assert!(has_status(&server.get("/metrics", &[]), 404));
}

#[tokio::test]
async fn a_reader_that_stops_is_told_to_reconnect_and_delays_no_one() {
    let broker = free_port();
    let server = server("1", &[("BROKER_ADDR", &broker.to_string())]);
    let mut bystander = Socket::open(&server, "203.0.113.1").await;
    bystander.subscribe_signed("private-news").await;
    let mut slow = Socket::narrow(&server, "203.0.113.2").await;
    slow.subscribe_signed("private-large").await;

    let publisher = PusherBuilder::new("app", "the-key", "the-secret")
        .host(&broker.to_string())
        .finalize();
    let data = "x".repeat(10_000);
    while get(broker, "/metrics").contains("\nvestibule_broker_dropped_total 0\n") {
        publisher
            .trigger("private-large", "event", &data)
            .await
            .unwrap();
    }
    publisher
        .trigger("private-news", "still", "there")
        .await
        .unwrap();
    assert_eq!(bystander.hear().await.unwrap()["event"], "still");
    assert!(get(broker, "/metrics").contains("\nvestibule_broker_sockets 1\n"));
    let code = loop {
        if let Err(code) = slow.hear().await {
            break code;
        }
    };
    assert_eq!(code, 4100);
}

/// It takes as long as the listener waits for the head of a request: ten seconds.
#[tokio::test]
async fn a_handshake_that_takes_for_ever_is_given_up() {
    let broker = free_port();
    let server = server("9", &[("BROKER_ADDR", &broker.to_string())]);
    let mut bystander = Socket::open(&server, "203.0.113.1").await;
    bystander.subscribe_signed("private-news").await;
    let start = Instant::now();
    let silent = async {
        let mut silent = begin_handshake(server.addr).await;
        silent.read_to_end(&mut Vec::new()).await
    };
    let dripping = async {
        let mut dripping = begin_handshake(server.addr).await;
        let mut tick = interval(Duration::from_millis(200));
        while dripping.write_all(b"X").await.is_ok() {
            tick.tick().await;
        }
    };
    let (_, ()) = tokio::join!(silent, dripping);
    assert!(
        (9..25).contains(&start.elapsed().as_secs()),
        "{:?}",
        start.elapsed()
    );
    let ping = json!({ "event": "pusher:ping", "data": {} });
    bystander
        .0
        .send(Message::text(ping.to_string()))
        .await
        .unwrap();
    assert_eq!(bystander.hear().await.unwrap()["event"], "pusher:pong");
    assert!(get(broker, "/metrics").contains("\nvestibule_broker_sockets 1\n"));
}

/// A connection with a handshake whose head does not end.
async fn begin_handshake(addr: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let head = format!(
        "GET /app/the-key?protocol=7 HTTP/1.1\r\nHost: {addr}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

/// Where nothing listens now; no other process asks for this very port.
fn free_port() -> SocketAddr {
    Port::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn get(addr: SocketAddr, path: &str) -> String {
    let mut stream = Connection::connect(addr).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {addr}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    response
}
