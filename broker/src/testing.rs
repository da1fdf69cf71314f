//! The other side, for tests: a client whose connection is in memory, and an application that
//! signs.
//!
//! Without a real socket in between, a paused clock tells exactly how long the broker waits, and a
//! constant says how many bytes a client that does not read can hold.

use crate::{AppSecret, Broker, BrokerConfig, Limits, QuotaError, SocketPermit, SocketQuota};
use axum::Router;
use futures_util::{SinkExt, StreamExt};
use hmac::{Hmac, Mac};
use hyper::server::conn::http1;
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use serde_json::{Value, json};
use sha2::Sha256;
use std::{
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};
use tokio::{io::DuplexStream, sync::Semaphore};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest, http::HeaderValue},
};

pub(crate) const APP_ID: &str = "app-1";
pub(crate) const KEY: &str = "the-key";
pub(crate) const SECRET: &str = "the-secret";
pub(crate) const ORIGIN: &str = "https://vestibule.example";
/// The broker's time in tests, in seconds since 1970.
pub(crate) const NOW: u64 = 1_800_000_000;

/// The target of an ordinary client's request.
pub(crate) const PATH: &str = "/app/the-key?protocol=7&client=test&version=1";

/// Bytes that a connection buffers before its writer has to wait.
const IN_FLIGHT: usize = 16 * 1024;

pub(crate) fn config() -> BrokerConfig {
    let mut config = BrokerConfig::new(APP_ID, KEY, AppSecret::new(SECRET));
    config.origins = vec![ORIGIN.to_owned()];
    config.clock = || UNIX_EPOCH + Duration::from_secs(NOW);
    config
}

pub(crate) fn broker() -> Broker {
    Broker::new(config())
}

pub(crate) fn broker_with(limits: Limits) -> Broker {
    Broker::new(BrokerConfig { limits, ..config() })
}

/// What an application signs with, in hex.
pub(crate) fn signature(text: &str) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes())
        .unwrap()
        .chain_update(text);
    hex(&mac.finalize().into_bytes())
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

/// The application's signature for one socket and one channel.
pub(crate) fn permission(socket_id: &str, channel: &str) -> String {
    format!("{KEY}:{}", signature(&format!("{socket_id}:{channel}")))
}

/// The quota of a client who has these `places` for sockets.
pub(crate) fn quota(places: &Arc<Semaphore>) -> SocketQuota {
    let places = Arc::clone(places);
    SocketQuota::new(move |_| {
        let permit = Arc::clone(&places).try_acquire_owned();
        permit
            .map(SocketPermit::new)
            .map_err(|_| QuotaError::Client)
    })
}

/// A client's connection.
pub(crate) struct TestClient(pub(crate) WebSocketStream<DuplexStream>);

impl TestClient {
    /// Opens a socket as `routes` serve it.
    pub(crate) async fn connect(
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

    /// A browser that is let in, with its socket id.
    pub(crate) async fn greeted(broker: &Broker) -> (Self, String) {
        let mut client = Self::connect(broker.socket_routes(), PATH, Some(ORIGIN))
            .await
            .unwrap();
        let greeting = client.receive().await;
        assert_eq!(greeting["event"], "pusher:connection_established");
        let data: Value = serde_json::from_str(greeting["data"].as_str().unwrap()).unwrap();
        let id = data["socket_id"].as_str().unwrap().to_owned();
        (client, id)
    }

    /// A browser that is subscribed to a public channel.
    pub(crate) async fn subscribed(broker: &Broker, channel: &str) -> Self {
        let (mut client, _) = Self::greeted(broker).await;
        let reply = client.subscribe(channel, None).await;
        assert_eq!(reply["event"], "pusher_internal:subscription_succeeded");
        client
    }

    pub(crate) async fn send(&mut self, message: Value) {
        self.0
            .send(Message::text(message.to_string()))
            .await
            .unwrap();
    }

    /// The reply to a subscription.
    pub(crate) async fn subscribe(&mut self, channel: &str, auth: Option<&str>) -> Value {
        self.send(
            json!({ "event": "pusher:subscribe", "data": { "channel": channel, "auth": auth } }),
        )
        .await;
        self.receive().await
    }

    /// Checks that the broker still answers, and that it has sent nothing else before.
    pub(crate) async fn ping(&mut self) {
        self.send(json!({ "event": "pusher:ping", "data": {} }))
            .await;
        assert_eq!(self.receive().await["event"], "pusher:pong");
    }

    /// The next event.
    pub(crate) async fn receive(&mut self) -> Value {
        match self.0.next().await {
            Some(Ok(Message::Text(text))) => serde_json::from_str(&text).unwrap(),
            other => panic!("expected an event, got {other:?}"),
        }
    }

    /// The code of the close frame that must come next.
    pub(crate) async fn close_code(&mut self) -> u16 {
        match self.0.next().await {
            Some(Ok(Message::Close(Some(frame)))) => frame.code.into(),
            other => panic!("expected a close frame, got {other:?}"),
        }
    }
}
