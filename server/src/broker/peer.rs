//! The other side, for tests: a client on a connection in memory, and an application that signs.
//!
//! Without a real socket in the way a paused clock tells exactly how long the broker waits for
//! what, and how much a peer that does not read can hold is a number in the test.

use super::{Broker, BrokerConfig, Limits};
use axum::Router;
use futures_util::{SinkExt, StreamExt};
use hmac::{Hmac, Mac};
use hyper::server::conn::http1;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use serde_json::{Value, json};
use sha2::Sha256;
use std::sync::Arc;
use tokio::io::DuplexStream;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest, http::HeaderValue},
};
use vestibule::{
    clock::{Clock, Timestamp},
    publisher::PusherSecret,
    testing::ManualClock,
};

pub(super) const APP_ID: &str = "app-1";
pub(super) const KEY: &str = "the-key";
pub(super) const SECRET: &str = "the-secret";
pub(super) const ORIGIN: &str = "https://vestibule.example";
/// The broker's idea of the time in tests, in seconds since 1970.
pub(super) const NOW: i64 = 1_800_000_000;

/// The target of an ordinary client's request.
pub(super) const PATH: &str = "/app/the-key?protocol=7&client=test&version=1";

/// Bytes that a connection takes before its writer has to wait.
const IN_FLIGHT: usize = 16 * 1024;

pub(super) fn config() -> BrokerConfig {
    let mut config = BrokerConfig::new(APP_ID, KEY, PusherSecret::new(SECRET));
    config.origins = vec![ORIGIN.to_owned()];
    config.clock = clock_at(NOW);
    config
}

/// A clock that stands at so many seconds since 1970.
pub(super) fn clock_at(seconds: i64) -> Arc<dyn Clock> {
    Arc::new(ManualClock::at(Timestamp::from_millis(seconds * 1000)))
}

pub(super) fn broker() -> Broker {
    Broker::new(config())
}

pub(super) fn broker_with(limits: Limits) -> Broker {
    Broker::new(BrokerConfig { limits, ..config() })
}

/// What an application signs with, in hex.
pub(super) fn signature(text: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes())
        .unwrap()
        .chain_update(text);
    hex(&mac.finalize().into_bytes())
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// The application's permission for one socket and one channel.
pub(super) fn permission(socket_id: &str, channel: &str) -> String {
    format!("{KEY}:{}", signature(&format!("{socket_id}:{channel}")))
}

/// A client's connection.
pub(super) struct Peer(pub(super) WebSocketStream<DuplexStream>);

impl Peer {
    /// Opens a socket as `routes` serve it.
    pub(super) async fn connect(
        routes: Router,
        path: &str,
        origin: Option<&str>,
    ) -> Result<Self, Error> {
        let (ours, theirs) = tokio::io::duplex(IN_FLIGHT);
        let service = TowerToHyperService::new(routes);
        tokio::spawn(
            http1::Builder::new()
                .serve_connection(TokioIo::new(theirs), service)
                .with_upgrades(),
        );

        let mut request = format!("ws://broker{path}").into_client_request()?;
        if let Some(origin) = origin {
            request
                .headers_mut()
                .insert("origin", HeaderValue::from_str(origin)?);
        }
        client_async(request, ours)
            .await
            .map(|(socket, _)| Self(socket))
    }

    /// A browser that may come in, with the socket id it was given.
    pub(super) async fn greeted(broker: &Broker) -> (Self, String) {
        let mut peer = Self::connect(broker.socket_routes(), PATH, Some(ORIGIN))
            .await
            .unwrap();
        let greeting = peer.receive().await;
        assert_eq!(greeting["event"], "pusher:connection_established");
        let data: Value = serde_json::from_str(greeting["data"].as_str().unwrap()).unwrap();
        let id = data["socket_id"].as_str().unwrap().to_owned();
        (peer, id)
    }

    /// A browser that is subscribed to a public channel.
    pub(super) async fn subscribed(broker: &Broker, channel: &str) -> Self {
        let (mut peer, _) = Self::greeted(broker).await;
        let reply = peer.subscribe(channel, None).await;
        assert_eq!(reply["event"], "pusher_internal:subscription_succeeded");
        peer
    }

    pub(super) async fn send(&mut self, message: Value) {
        self.0
            .send(Message::text(message.to_string()))
            .await
            .unwrap();
    }

    /// The reply to a subscription.
    pub(super) async fn subscribe(&mut self, channel: &str, auth: Option<&str>) -> Value {
        self.send(
            json!({ "event": "pusher:subscribe", "data": { "channel": channel, "auth": auth } }),
        )
        .await;
        self.receive().await
    }

    /// Proves that the broker still listens, and that nothing else came first.
    pub(super) async fn ping(&mut self) {
        self.send(json!({ "event": "pusher:ping", "data": {} }))
            .await;
        assert_eq!(self.receive().await["event"], "pusher:pong");
    }

    /// The next event.
    pub(super) async fn receive(&mut self) -> Value {
        match self.0.next().await {
            Some(Ok(Message::Text(text))) => serde_json::from_str(&text).unwrap(),
            other => panic!("expected an event, got {other:?}"),
        }
    }

    /// The code of the close frame that must come next.
    pub(super) async fn close_code(&mut self) -> u16 {
        match self.0.next().await {
            Some(Ok(Message::Close(Some(frame)))) => frame.code.into(),
            other => panic!("expected a close frame, got {other:?}"),
        }
    }
}
