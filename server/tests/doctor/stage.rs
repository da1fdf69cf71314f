//! An embedded broker on two ports of loopback, and a doctor for it.

use axum::Router;
use std::net::SocketAddr;
use tempfile::TempDir;
use tokio::net::TcpListener;
use vestibule_broker::{AppSecret, Broker, BrokerConfig};
use vestibule_server::{
    RawSettings,
    internals::{Config, doctor},
};

/// Where the pages are from.
pub const ORIGIN: &str = "http://127.0.0.1:3999";

/// A broker.
pub struct Stage {
    /// Its HTTP API, as host and port.
    pub api: String,
    /// Its sockets, likewise.
    pub sockets: String,
}

impl Stage {
    /// A broker that is well, but for what `change` does to it.
    pub async fn set(change: impl FnOnce(&mut BrokerConfig)) -> Self {
        let mut config = BrokerConfig::new("4711", "the-key", AppSecret::new("the-secret"));
        config.origins = vec![ORIGIN.to_owned()];
        change(&mut config);
        let broker = Broker::new(config);
        Self {
            api: serve(broker.api_routes()).await.to_string(),
            sockets: serve(broker.socket_routes()).await.to_string(),
        }
    }

    /// What the doctor says, with these settings over those that are right.
    pub async fn examine(&self, settings: &[(&str, &str)]) -> Vec<String> {
        examine(&self.api, &self.sockets, settings).await
    }
}

/// What the doctor says of a server at these two places.
pub async fn examine(api: &str, sockets: &str, settings: &[(&str, &str)]) -> Vec<String> {
    let data = TempDir::new().unwrap();
    let ((host, port), (public_host, public_port)) = (
        api.split_once(':').unwrap(),
        sockets.split_once(':').unwrap(),
    );
    let usual = [
        ("PRACTICE", "on"),
        ("VESTIBULE_DATA", data.path().to_str().unwrap()),
        ("LEPTOS_SITE_ADDR", ORIGIN.trim_start_matches("http://")),
        ("PUSHER_APP_ID", "4711"),
        ("PUSHER_KEY", "the-key"),
        ("PUSHER_SECRET", "the-secret"),
        ("PUSHER_SCHEME", "http"),
        ("PUSHER_HOST", host),
        ("PUSHER_PORT", port),
        ("PUSHER_PUBLIC_HOST", public_host),
        ("PUSHER_PUBLIC_PORT", public_port),
    ];
    let given = RawSettings::from_lookup(|setting| {
        let value = settings
            .iter()
            .chain(&usual)
            .find(|(key, _)| *key == setting.key);
        value.map(|(_, value)| (*value).to_owned())
    });
    let mut lines = Vec::new();
    let failed = doctor(Config::read(&given).unwrap(), None, |line| lines.push(line)).await;
    assert_eq!(
        failed,
        lines.iter().filter(|line| line.contains("FAILED")).count()
    );
    lines
}

/// Serves `routes` on a free port of loopback.
pub async fn serve(routes: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, routes).await });
    addr
}
