//! A server of ours on loopback, for one measurement.

use axum::Router;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use vestibule_server::{
    RawSettings, ServerHandle,
    internals::{self, Config},
    listener,
};

/// Any free port.
const ANYWHERE: SocketAddr = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0));

/// A listening server and all that it needs.
pub struct Place {
    pub addr: SocketAddr,
    pub data: TempDir,
    running: Option<ServerHandle>,
    serving: JoinHandle<()>,
    stop: CancellationToken,
}

impl Place {
    /// A server in practice mode, with `more` settings.
    pub async fn open(more: &[(&str, String)]) -> Self {
        Self::open_at(ANYWHERE, more).await
    }

    /// The same at a certain address.
    pub async fn open_at(addr: SocketAddr, more: &[(&str, String)]) -> Self {
        Self::start(addr, more, true).await
    }

    /// The pages alone, as `vestibule serve --no-worker` has them, also on SQLite.
    pub async fn open_without_worker(more: &[(&str, String)]) -> Self {
        Self::start(ANYWHERE, more, false).await
    }

    async fn start(addr: SocketAddr, more: &[(&str, String)], worker: bool) -> Self {
        let (listener, addr) = bind(addr);
        let data = TempDir::new().expect("a temporary folder");
        let own = |key: &str| match key {
            "VESTIBULE_DATA" => Some(data.path().display().to_string()),
            "LEPTOS_SITE_ADDR" => Some(addr.to_string()),
            // All of the load comes from one address.
            "CONFIRM_PER_CLIENT" => Some(u32::MAX.to_string()),
            key => more
                .iter()
                .find(|(given, _)| *given == key)
                .map(|(_, value)| value.clone()),
        };
        let config = Config::read(&RawSettings::from_lookup(|setting| own(setting.key)))
            .expect("good settings");
        let config = Config { worker, ..config };
        let (routes, running) = internals::router(config).await.expect("the server starts");
        let stop = CancellationToken::new();
        let serving = tokio::spawn(listener::serve(listener, routes, stop.clone()));
        Self {
            addr,
            data,
            running: Some(running),
            serving,
            stop,
        }
    }

    pub async fn close(mut self) {
        self.stop.cancel();
        if let Some(running) = self.running.take() {
            running.shutdown().await;
        }
        self.serving.await.expect("the listener does not panic");
    }
}

/// Serves `routes` by the same listener as the product's.
pub fn serve(routes: Router) -> SocketAddr {
    serve_at(ANYWHERE, routes)
}

/// The same at a certain address.
pub fn serve_at(addr: SocketAddr, routes: Router) -> SocketAddr {
    let (listener, addr) = bind(addr);
    tokio::spawn(listener::serve(listener, routes, CancellationToken::new()));
    addr
}

/// An address that is free now, and that no one else asks for.
pub fn free() -> SocketAddr {
    bind(ANYWHERE).1
}

fn bind(addr: SocketAddr) -> (TcpListener, SocketAddr) {
    let listener = internals::bind(addr).expect("a port on loopback");
    let addr = listener
        .local_addr()
        .expect("a bound listener has an address");
    (listener, addr)
}
