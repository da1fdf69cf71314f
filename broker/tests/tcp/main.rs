//! The broker over TCP, with a WebSocket client and the published Pusher library.

mod hostile;
mod raw;

use futures_util::{SinkExt, StreamExt};
use pusher::PusherBuilder;
use serde_json::{Value, json};
use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{WebSocketStream, client_async, tungstenite::Message};
use vestibule_broker::{AppSecret, Broker, BrokerConfig, Snapshot};

/// A broker on two free ports of loopback.
struct TestBroker {
    handle: Broker,
    public: SocketAddr,
    /// Where a library publishes to, as `host:port`.
    api: String,
}

impl TestBroker {
    async fn start() -> Self {
        let handle = Broker::new(BrokerConfig::new(
            "app-1",
            "the-key",
            AppSecret::new("the-secret"),
        ));
        let public = listen(handle.socket_routes()).await;
        let api = listen(handle.api_routes()).await.to_string();
        Self {
            handle,
            public,
            api,
        }
    }

    async fn client(&self) -> SocketClient {
        let stream = TcpStream::connect(self.public).await.unwrap();
        let url = format!(
            "ws://{}/app/the-key?protocol=7&client=test&version=1",
            self.public
        );
        let (socket, _) = client_async(url, stream).await.unwrap();
        let mut client = SocketClient {
            socket,
            id: String::new(),
        };
        let greeting: Value =
            serde_json::from_str(client.receive().await["data"].as_str().unwrap()).unwrap();
        greeting["socket_id"]
            .as_str()
            .unwrap()
            .clone_into(&mut client.id);
        client
    }
}

async fn listen(routes: axum::Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    address
}

struct SocketClient {
    socket: WebSocketStream<TcpStream>,
    id: String,
}

impl SocketClient {
    async fn receive(&mut self) -> Value {
        match self.socket.next().await {
            Some(Ok(Message::Text(text))) => serde_json::from_str(&text).unwrap(),
            other => panic!("expected an event, got {other:?}"),
        }
    }

    async fn subscribe(&mut self, channel: &str, auth: &Value) -> Value {
        let message =
            json!({ "event": "pusher:subscribe", "data": { "channel": channel, "auth": auth } });
        self.socket
            .send(Message::text(message.to_string()))
            .await
            .unwrap();
        self.receive().await
    }
}

/// The signature in the library's response for an authorisation endpoint.
fn auth(reply: Result<String, &str>) -> Value {
    serde_json::from_str::<Value>(&reply.unwrap()).unwrap()["auth"].clone()
}

#[tokio::test]
async fn the_published_library_signs_a_subscription_and_publishes_to_it() {
    let broker = TestBroker::start().await;
    let library = PusherBuilder::new("app-1", "the-key", "the-secret")
        .host(&broker.api)
        .finalize();
    let mut client = broker.client().await;
    let signature = auth(library.authenticate_private_channel("private-confirm-1", &client.id));
    let reply = client.subscribe("private-confirm-1", &signature).await;
    assert_eq!(reply["event"], "pusher_internal:subscription_succeeded");

    let payload = json!({ "outcome": "confirmed", "redirect": "/profile" });
    library
        .trigger("private-confirm-1", "outcome", &payload)
        .await
        .unwrap();
    let event = client.receive().await;
    assert_eq!(
        (&event["event"], &event["channel"]),
        (&json!("outcome"), &json!("private-confirm-1"))
    );
    assert_eq!(
        serde_json::from_str::<Value>(event["data"].as_str().unwrap()).unwrap(),
        payload
    );

    library
        .trigger_exclusive("private-confirm-1", "own", "1", &client.id)
        .await
        .unwrap();
    library
        .trigger_exclusive("private-confirm-1", "others", "2", "0.0")
        .await
        .unwrap();
    assert_eq!(client.receive().await["event"], "others");
}

#[tokio::test]
async fn the_published_library_lists_channels() {
    let broker = TestBroker::start().await;
    let library = PusherBuilder::new("app-1", "the-key", "the-secret")
        .host(&broker.api)
        .finalize();
    broker.client().await.subscribe("gone", &Value::Null).await;
    let mut client = broker.client().await;
    client.subscribe("news-1", &Value::Null).await;
    client.subscribe("other", &Value::Null).await;

    let filter = vec![
        ("filter_by_prefix".to_owned(), "news-".to_owned()),
        ("info".to_owned(), "subscription_count".to_owned()),
    ];
    let list = library.channels_with_options(filter).await.unwrap();
    assert_eq!(list.channels.len(), 1);
    assert_eq!(list.channels["news-1"].subscription_count, Some(1));
    let channel = library.channel("other").await.unwrap();
    assert_eq!(channel.occupied, Some(true));
}

#[tokio::test]
async fn a_library_with_the_wrong_secret_neither_publishes_nor_subscribes() {
    let broker = TestBroker::start().await;
    let library = PusherBuilder::new("app-1", "the-key", "the-secret")
        .host(&broker.api)
        .finalize();
    let forger = PusherBuilder::new("app-1", "the-key", "a-guess")
        .host(&broker.api)
        .finalize();
    let mut client = broker.client().await;
    client.subscribe("news", &Value::Null).await;

    let error = forger.trigger("news", "forged", "{}").await.unwrap_err();
    assert!(error.contains("401"), "{error}");
    let signature = auth(forger.authenticate_private_channel("private-a", &client.id));
    assert_eq!(
        client.subscribe("private-a", &signature).await["event"],
        "pusher:subscription_error"
    );
    let of_another_socket =
        auth(library.authenticate_private_channel("private-a", &broker.client().await.id));
    assert_eq!(
        client.subscribe("private-a", &of_another_socket).await["event"],
        "pusher:subscription_error"
    );
}

#[tokio::test]
async fn closing_reaches_clients_over_tcp_and_leaves_nothing() {
    let broker = TestBroker::start().await;
    let mut client = broker.client().await;
    client.subscribe("news", &Value::Null).await;
    let waiting = tokio::spawn(async move {
        let mut code = None;
        while let Some(Ok(message)) = client.socket.next().await {
            if let Message::Close(Some(frame)) = message {
                code = Some(u16::from(frame.code));
            }
        }
        code
    });
    broker.handle.close().await;
    assert_eq!(waiting.await.unwrap(), Some(4200));
    assert_eq!(broker.handle.snapshot(), Snapshot::default());
}
