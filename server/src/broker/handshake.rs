//! Who may open a socket: `GET /app/{key}?protocol=7`.
//!
//! A refused client is let in for one close frame, because that is the only place where a browser's
//! script can read why, and whether to come back.

use super::{
    Broker,
    config::BrokerConfig,
    conversation::{self, Conversation},
    name::SocketId,
    registry::NoSeat,
    wire::Farewell,
};
use axum::{
    Extension, Router,
    extract::{Path, Query, State, WebSocketUpgrade, ws::rejection::WebSocketUpgradeRejection},
    http::{
        HeaderMap, StatusCode,
        header::{CONNECTION, ORIGIN, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use futures_util::future::Either;
use serde::Deserialize;
use std::{any::Any, fmt, sync::Arc};
use vestibule::caps::Client;

/// The largest frame to be written: 10 KB of data that JSON escapes to six times that, and its
/// names.
const MAX_WRITE_BUFFER: usize = 128 * 1024;

/// Grown on demand up to the largest message; most clients send three small ones, and then wait.
const READ_BUFFER: usize = 256;

/// Something to be dropped when the socket is gone, such as a place among its address's
/// connections.
///
/// Put one into the request's extensions in a layer around [`Broker::socket_routes`].
#[derive(Clone)]
pub struct SocketPermit(
    #[expect(dead_code, reason = "held for its Drop")] Arc<dyn Any + Send + Sync>,
);

impl SocketPermit {
    /// Keeps `held` until the socket is gone.
    #[must_use]
    pub fn new(held: impl Any + Send + Sync) -> Self {
        Self(Arc::new(held))
    }
}

impl fmt::Debug for SocketPermit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SocketPermit(..)")
    }
}

pub(super) fn routes(broker: Broker) -> Router {
    Router::new()
        .route("/app/{key}", get(open))
        .with_state(broker)
}

#[derive(Deserialize)]
struct Parameters {
    protocol: Option<String>,
}

async fn open(
    State(broker): State<Broker>,
    Path(key): Path<String>,
    Query(parameters): Query<Parameters>,
    permit: Option<Extension<SocketPermit>>,
    client: Option<Extension<Client>>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let upgrade = match upgrade {
        Ok(upgrade) if has_good_key(&headers) => upgrade,
        Ok(_) => {
            return (
                StatusCode::BAD_REQUEST,
                "Sec-WebSocket-Key is not 16 bytes of base64\n",
            )
                .into_response();
        }
        Err(rejection) => return refuse(rejection),
    };
    let Ok(id) = SocketId::random() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let admission = admit(
        &broker.config,
        &key,
        parameters.protocol.as_deref(),
        &headers,
    );
    let max_message = broker.config.limits.max_message;
    // Taken now, so that a broker that is closed during the upgrade waits for it.
    let task = broker.tasks.token();
    upgrade
        .max_message_size(max_message)
        .max_frame_size(max_message)
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(MAX_WRITE_BUFFER)
        .on_upgrade(move |socket| {
            let held = (permit, task);
            let client = client.map(|Extension(client)| client);
            // Here and not in the future, which would keep room for the socket twice for as long as
            // it lives.
            match admission.and_then(|()| broker.registry.join(id, client).map_err(Farewell::from))
            {
                Ok((seat, events)) => {
                    let mut conversation =
                        Conversation::new(broker.config, id, socket, seat, events);
                    Either::Left(async move {
                        conversation.run().await;
                        drop(held);
                    })
                }
                Err(farewell) => Either::Right(async move {
                    tracing::debug!(?farewell, "socket refused");
                    broker.registry.note(farewell);
                    conversation::turn_away(socket, farewell, &broker.config.limits).await;
                    drop(held);
                }),
            }
        })
}

/// Whether the handshake has one key of 16 bytes (RFC 6455, section 4.2.1).
fn has_good_key(headers: &HeaderMap) -> bool {
    let mut keys = headers.get_all(SEC_WEBSOCKET_KEY).iter();
    let good = keys
        .next()
        .is_some_and(|key| STANDARD.decode(key).is_ok_and(|key| key.len() == 16));
    good && keys.next().is_none()
}

/// The answer to a handshake that is none. A client of another version is told ours (RFC 6455,
/// section 4.4).
fn refuse(rejection: WebSocketUpgradeRejection) -> Response {
    if !matches!(
        rejection,
        WebSocketUpgradeRejection::InvalidWebSocketVersionHeader(_)
    ) {
        return rejection.into_response();
    }
    let headers = [
        (SEC_WEBSOCKET_VERSION, "13"),
        (UPGRADE, "websocket"),
        (CONNECTION, "upgrade"),
    ];
    (
        StatusCode::UPGRADE_REQUIRED,
        headers,
        "only version 13 of WebSocket is spoken here\n",
    )
        .into_response()
}

impl From<NoSeat> for Farewell {
    fn from(reason: NoSeat) -> Self {
        match reason {
            NoSeat::FullForClient => Self::TooManyOfClient,
            NoSeat::Full => Self::OverCapacity,
            NoSeat::Closing => Self::ShuttingDown,
        }
    }
}

fn admit(
    config: &BrokerConfig,
    key: &str,
    protocol: Option<&str>,
    headers: &HeaderMap,
) -> Result<(), Farewell> {
    if key != config.key {
        return Err(Farewell::UnknownApp);
    }
    match protocol {
        Some("7") => {}
        Some(_) => return Err(Farewell::UnsupportedVersion),
        None => return Err(Farewell::NoVersion),
    }
    let welcome = match headers.get(ORIGIN) {
        None => !config.require_origin,
        Some(origin) => config
            .origins
            .iter()
            .any(|allowed| origin.as_bytes().eq_ignore_ascii_case(allowed.as_bytes())),
    };
    if welcome {
        Ok(())
    } else {
        Err(Farewell::ForeignOrigin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::{
        Limits,
        peer::{ORIGIN, PATH, Peer, broker, broker_with, config},
    };
    use futures_util::StreamExt;
    use std::sync::Weak;

    async fn answer(broker: &Broker, path: &str, origin: Option<&str>) -> u16 {
        Peer::connect(broker.socket_routes(), path, origin)
            .await
            .unwrap()
            .close_code()
            .await
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_client_learns_whether_to_come_back() {
        let broker = broker();
        for (path, code) in [
            ("/app/other?protocol=7", 4001),
            ("/app/other", 4001),
            ("/app/the-key", 4008),
            ("/app/the-key?protocol=6", 4007),
            ("/app/the-key?protocol=seven", 4007),
            ("/app/the-key?protocol=", 4007),
        ] {
            assert_eq!(answer(&broker, path, Some(ORIGIN)).await, code, "{path}");
        }
        assert_eq!(broker.snapshot().connections, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn only_our_own_pages_open_sockets() {
        let broker = broker();
        for origin in [
            "https://evil.example",
            "null",
            "http://vestibule.example",
            "https://vestibule.example.evil.example",
        ] {
            assert_eq!(answer(&broker, PATH, Some(origin)).await, 4009, "{origin}");
        }
        let mut ours = Peer::connect(broker.socket_routes(), PATH, Some(ORIGIN))
            .await
            .unwrap();
        assert_eq!(
            ours.receive().await["event"],
            "pusher:connection_established"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_program_without_an_origin_is_let_in_unless_configured_otherwise() {
        let mut config = config();
        let mut program = Peer::connect(Broker::new(config.clone()).socket_routes(), PATH, None)
            .await
            .unwrap();
        assert_eq!(
            program.receive().await["event"],
            "pusher:connection_established"
        );
        config.require_origin = true;
        assert_eq!(answer(&Broker::new(config), PATH, None).await, 4009);
    }

    #[tokio::test(start_paused = true)]
    async fn over_capacity_a_client_is_told_to_come_back_later() {
        let broker = broker_with(Limits {
            max_connections: 1,
            ..Limits::default()
        });
        let (mut first, _) = Peer::greeted(&broker).await;
        assert_eq!(answer(&broker, PATH, Some(ORIGIN)).await, 4100);
        first.ping().await;
        first.0.close(None).await.unwrap();
        while let Some(Ok(_)) = first.0.next().await {}
        Peer::greeted(&broker).await;
    }

    #[tokio::test(start_paused = true)]
    async fn one_client_cannot_keep_everyone_else_out() {
        let broker = broker_with(Limits {
            max_of_client: 2,
            ..Limits::default()
        });
        let of = |client| {
            broker
                .socket_routes()
                .layer(Extension(Client::from_bytes([client; 16])))
        };
        let mut greedy = [
            Peer::connect(of(1), PATH, Some(ORIGIN)).await.unwrap(),
            Peer::connect(of(1), PATH, Some(ORIGIN)).await.unwrap(),
        ];
        for peer in &mut greedy {
            peer.receive().await;
        }
        assert_eq!(
            Peer::connect(of(1), PATH, Some(ORIGIN))
                .await
                .unwrap()
                .close_code()
                .await,
            4100
        );
        let mut other = Peer::connect(of(2), PATH, Some(ORIGIN)).await.unwrap();
        assert_eq!(
            other.receive().await["event"],
            "pusher:connection_established"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_closed_broker_accepts_no_connection() {
        let broker = broker();
        broker.close().await;
        assert_eq!(answer(&broker, PATH, Some(ORIGIN)).await, 4100);
    }

    #[tokio::test(start_paused = true)]
    async fn a_permit_is_kept_for_as_long_as_the_socket() {
        let broker = broker();
        let place = Arc::new(());
        let held: Weak<()> = Arc::downgrade(&place);
        let routes = broker.socket_routes().layer(Extension(SocketPermit(place)));
        let mut peer = Peer::connect(routes, PATH, Some(ORIGIN)).await.unwrap();
        peer.receive().await;
        assert!(held.upgrade().is_some());
        drop(peer);
        broker.close().await;
        assert!(held.upgrade().is_none());
    }
}
