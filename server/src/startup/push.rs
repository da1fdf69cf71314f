//! The Pusher server to publish to: the one that is configured, or the embedded broker, bound and
//! serving.

use crate::{
    config::{Config, PushConfig, origin::Origin},
    http::listener::file_limit,
    startup::error::StartProblem,
};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use vestibule::{
    publisher::{PusherApp, PusherSecret},
    secret::{Keys, Purpose},
};
use vestibule_broker::{AppSecret, Broker, BrokerConfig};

/// The Pusher server to publish to.
pub struct Push {
    /// Our app there.
    pub app: PusherApp,
    /// Where browsers connect; `None` for this server's own address.
    pub socket: Option<String>,
    /// The embedded broker, if it is that.
    pub broker: Option<Broker>,
}

impl Push {
    /// What `config` says. An embedded broker lets in pages from `origins`; its HTTP API is one of
    /// `tasks`, until `stop`.
    ///
    /// # Errors
    /// [`StartProblem::Broker`] if its address is taken.
    pub async fn start(
        config: &Config,
        keys: &Keys,
        origins: &[Origin],
        tasks: &TaskTracker,
        stop: CancellationToken,
    ) -> Result<Self, StartProblem> {
        let credentials = match config.push.clone() {
            PushConfig::Server { app, socket } => {
                return Ok(Self {
                    app,
                    socket: Some(socket),
                    broker: None,
                });
            }
            PushConfig::Embedded(given) => given,
        };
        let cannot_listen = |error| StartProblem::Broker(config.broker_addr, error);
        let listener = TcpListener::bind(config.broker_addr)
            .await
            .map_err(cannot_listen)?;
        let host = listener.local_addr().map_err(cannot_listen)?.to_string();
        tracing::debug!("the embedded broker takes events at http://{host}");
        let app = embedded(credentials, keys, host);
        let secret = AppSecret::new(app.secret.expose());
        let mut broker = BrokerConfig::new(app.id.clone(), app.key.clone(), secret);
        broker.origins = origins
            .iter()
            .map(|origin| origin.as_str().to_owned())
            .collect();
        broker.require_origin = true;
        // All that is ever announced is private.
        broker.public_channels = false;
        // Each socket is an open file, and a connection; a part of those is left for requests.
        let in_flight = if config.worker { config.in_flight } else { 0 };
        let places = file_limit::connections(u32::MAX, in_flight, file_limit::current());
        let sockets = usize::try_from(places - places / 5).unwrap_or(usize::MAX);
        broker.limits.max_connections = broker.limits.max_connections.min(sockets);
        let broker = Broker::new(broker);
        let api = axum::serve(listener, broker.api_routes())
            .with_graceful_shutdown(stop.cancelled_owned());
        tasks.spawn(async move {
            if let Err(error) = api.await {
                tracing::error!(%error, "the broker's HTTP API has stopped; pages will ask");
            }
        });
        Ok(Self {
            app,
            socket: None,
            broker: Some(broker),
        })
    }
}

/// The embedded broker's app, whose HTTP API is at `host`: under these credentials, or under some
/// that follow from the keys.
pub fn embedded(
    credentials: Option<(String, String, PusherSecret)>,
    keys: &Keys,
    host: String,
) -> PusherApp {
    let derived = |what: &[u8]| {
        let mac = keys.mac(Purpose::Broker, &[what]);
        format!(
            "{:032x}",
            u128::from_be_bytes(std::array::from_fn(|place| mac.as_bytes()[place]))
        )
    };
    let (id, key, secret) = credentials.unwrap_or_else(|| {
        (
            "1".into(),
            derived(b"key"),
            PusherSecret::new(derived(b"secret")),
        )
    });
    PusherApp {
        id,
        key,
        secret,
        host,
        tls: None,
    }
}
