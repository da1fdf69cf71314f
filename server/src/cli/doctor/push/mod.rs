//! Tests push end to end: a socket, its greeting, a subscription, an announcement, and the event.

mod messages;

use super::{
    DoctorReport,
    socket::{SocketError, SocketMessage, TestSocket},
};
use crate::{
    config::{Config, origin::Origin},
    startup::{
        error::StartProblem,
        push::{self, Push},
    },
};
use std::{net::Ipv4Addr, slice};
use tokio::{net::TcpListener, time::Instant};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use vestibule::{
    channel::Channel,
    outcome::Outcome,
    publisher::{Announcement, ConnectError, PusherApp, PusherPublisher, PusherSecret, Trust},
    secret::{Keys, SecretHash, SystemEntropy, random},
};

/// What a socket has proved to be right.
#[derive(Clone, Copy)]
enum AuthorisationProof {
    Nothing,
    Key,
    Secret,
}

/// One app, by one way.
struct Trial<'t> {
    app: &'t PusherApp,
    publisher: PusherPublisher,
    /// No one else uses it.
    channel: Channel,
    /// Where browsers connect, and where their pages are from.
    address: &'t str,
    origin: &'t str,
    /// The settings that the key and the secret come from.
    from: [&'static str; 2],
}

/// The configured Pusher server: browsers connect to `address`, from pages of `origin`.
pub async fn configured(
    report: &mut DoctorReport<'_>,
    app: &PusherApp,
    address: &str,
    origin: &str,
) {
    report.ok(
        "push",
        &format!(
            "publishes to {}; browsers connect to {address}",
            messages::api(app)
        ),
    );
    Trial::new(app, address, origin).round(report).await;
}

/// The embedded broker: that of the server that runs, as far as it can be tried from outside, or
/// else one of our own.
pub async fn embedded(
    report: &mut DoctorReport<'_>,
    config: &Config,
    credentials: Option<(String, String, PusherSecret)>,
    keys: &Keys,
    origins: &[Origin],
) {
    let Some(origin) = origins.first().map(Origin::as_str) else {
        return;
    };
    report.ok(
        "push",
        "the embedded broker; PUSHER_CLUSTER or PUSHER_HOST would name another server",
    );
    let app = push::embedded(credentials.clone(), keys, String::new());
    let address = origin.replacen("http", "ws", 1) + config.base.as_str();
    let mut trial = Trial::new(&app, &address, origin);
    if credentials.is_none() {
        trial.from = ["VESTIBULE_SECRET"; 2];
    }
    match trial.open().await {
        Err(SocketError::Unreachable(ConnectError::Refused)) => {
            report.skipped(
                "server",
                &format!("nothing listens at {origin}; trying a broker on its own"),
            );
            if let Err(error) = by_itself(report, config, keys, origins, origin).await {
                report.failed("socket", &error.to_string());
            }
        }
        opened => {
            trial.listen(report, opened).await;
            report.skipped(
                "publish",
                "a broker that is embedded takes announcements from its own process alone",
            );
        }
    }
}

/// An embedded broker, started for this and closed again.
async fn by_itself(
    report: &mut DoctorReport<'_>,
    config: &Config,
    keys: &Keys,
    origins: &[Origin],
    origin: &str,
) -> Result<(), StartProblem> {
    let tasks = TaskTracker::new();
    let stop = CancellationToken::new();
    let Push { app, broker, .. } = Push::start(config, keys, origins, &tasks, stop.clone()).await?;
    let Some(broker) = broker else { return Ok(()) };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .map_err(StartProblem::Loopback)?;
    let address = format!(
        "ws://{}",
        listener.local_addr().map_err(StartProblem::Loopback)?
    );
    let sockets = axum::serve(listener, broker.socket_routes())
        .with_graceful_shutdown(stop.clone().cancelled_owned());
    tasks.spawn(async move {
        sockets
            .await
            .unwrap_or_else(|error| tracing::error!(%error, "no sockets any more"));
    });
    Trial::new(&app, &address, origin).round(report).await;
    broker.close().await;
    stop.cancel();
    Ok(())
}

impl<'t> Trial<'t> {
    fn new(app: &'t PusherApp, address: &'t str, origin: &'t str) -> Self {
        let channel = Channel::of(&SecretHash::from_bytes(random(&SystemEntropy)));
        let publisher = PusherPublisher::new(app);
        Self {
            app,
            publisher,
            channel,
            address,
            origin,
            from: ["PUSHER_KEY", "PUSHER_SECRET"],
        }
    }

    async fn open(&self) -> Result<TestSocket, SocketError> {
        // Which certificates browsers trust is up to them; this machine's, and the operator's, come
        // closest.
        let secure = self.address.starts_with("wss:");
        let trust = secure
            .then(|| self.app.tls.clone().or_else(|| Trust::of_machine().ok()))
            .flatten();
        TestSocket::open(self.address, &self.app.key, self.origin, trust).await
    }

    /// The whole test, end to end.
    async fn round(&self, report: &mut DoctorReport<'_>) {
        let opened = self.open().await;
        let (socket, proved) = self.listen(report, opened).await;
        let start = Instant::now();
        let announcement = Announcement::Outcome(Outcome::Unavailable);
        if let Err(trouble) = self
            .publisher
            .publish(slice::from_ref(&self.channel), &announcement)
            .await
        {
            report.failed("publish", &messages::trouble(&trouble, self.app, proved));
            return;
        }
        let Some(mut socket) = socket else {
            // Some servers, soketi among them, say 200 to what they refuse.
            report.skipped(
                "publish",
                "it was accepted, but without a subscription there is no way to tell what for",
            );
            return;
        };
        report.ok("publish", "");
        match socket.hear().await {
            SocketMessage::Event(on) if on == self.channel.as_str() => {
                report.ok(
                    "delivery",
                    &format!("after {} ms", start.elapsed().as_millis()),
                );
            }
            _ => report.failed("delivery", messages::LOST),
        }
    }

    /// Up to the subscription.
    async fn listen(
        &self,
        report: &mut DoctorReport<'_>,
        opened: Result<TestSocket, SocketError>,
    ) -> (Option<TestSocket>, AuthorisationProof) {
        let mut socket = match opened {
            Ok(socket) => socket,
            Err(why) => {
                report.failed("socket", &messages::no_socket(self.address, &why));
                return (None, AuthorisationProof::Nothing);
            }
        };
        report.ok("socket", "");
        let [key_from, secret_from] = self.from;
        let id = match socket.hear().await {
            SocketMessage::Greeting(id) => id,
            other => {
                report.failed(
                    "key",
                    &messages::no_greeting(&other, &self.app.key, key_from, self.origin),
                );
                return (None, AuthorisationProof::Nothing);
            }
        };
        report.ok("key", "");
        let signed = self
            .publisher
            .authorise(&self.channel, &id)
            .ok()
            .and_then(|json| serde_json::from_str(&json).ok());
        let signed: serde_json::Value = signed.unwrap_or_default();
        socket
            .subscribe(
                self.channel.as_str(),
                signed["auth"].as_str().unwrap_or_default(),
            )
            .await;
        match socket.hear().await {
            SocketMessage::Subscribed => {
                report.ok("secret", "");
                (Some(socket), AuthorisationProof::Secret)
            }
            other => {
                report.failed("secret", &messages::no_subscription(&other, secret_from));
                (None, AuthorisationProof::Key)
            }
        }
    }
}
