//! Who may open a socket: `GET /app/{key}?protocol=7`.
//!
//! A client that is refused still gets a WebSocket, for one close frame: only there can a browser's
//! script read why it is refused, and whether to try again.

use crate::{
    config::{BrokerConfig, SocketPermit, SocketQuota},
    connection::{self, SocketConnection},
    protocol::{CloseReason, SocketId},
    registry::SocketRegistration,
    state::BrokerState,
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

/// Bytes of the largest frame to be written: 10 KB of data, which JSON escapes to six times that,
/// and its names.
const MAX_WRITE_BUFFER: usize = 128 * 1024;

/// Bytes at first; the buffer grows up to the largest message. Most clients send three small ones,
/// and then wait.
const READ_BUFFER: usize = 256;

pub(crate) fn routes(state: BrokerState) -> Router {
    Router::new()
        .route("/app/{key}", get(open))
        .with_state(state)
}

#[derive(Deserialize)]
struct SocketParameters {
    protocol: Option<String>,
}

async fn open(
    State(state): State<BrokerState>,
    Path(key): Path<String>,
    Query(parameters): Query<SocketParameters>,
    permit: Option<Extension<SocketPermit>>,
    quota: Option<Extension<SocketQuota>>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let upgrade = match upgrade {
        Ok(upgrade) if has_valid_key(&headers) => upgrade,
        Ok(_) => {
            return (
                StatusCode::BAD_REQUEST,
                "Sec-WebSocket-Key is not 16 bytes of base64\n",
            )
                .into_response();
        }
        Err(rejection) => return upgrade_error(rejection),
    };
    let Ok(id) = SocketId::random() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let accepted = check(
        &state.config,
        &key,
        parameters.protocol.as_deref(),
        &headers,
    );
    let max_message = state.config.limits.max_message;
    // Taken now, so that a broker that is closed during the upgrade waits for it.
    let task = state.tasks.token();
    upgrade
        .max_message_size(max_message)
        .max_frame_size(max_message)
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(MAX_WRITE_BUFFER)
        .on_upgrade(move |socket| {
            let held = (permit, task);
            let quota = quota.map(|Extension(quota)| quota);
            // Here and not in the future, which would keep room for the socket twice for as long as
            // it lives.
            match accepted
                .and_then(|()| SocketRegistration::new(&state.registry, id, quota.as_ref()))
            {
                Ok((registration, events)) => {
                    let mut connection =
                        SocketConnection::new(state.config, id, socket, registration, events);
                    Either::Left(async move {
                        connection.run().await;
                        drop(held);
                    })
                }
                Err(reason) => Either::Right(async move {
                    tracing::debug!(?reason, "socket refused");
                    state.registry.count_close(reason);
                    connection::refuse(socket, reason, &state.config.limits).await;
                    drop(held);
                }),
            }
        })
}

/// Whether the handshake has exactly one key of 16 bytes (RFC 6455, section 4.2.1).
fn has_valid_key(headers: &HeaderMap) -> bool {
    let mut keys = headers.get_all(SEC_WEBSOCKET_KEY).iter();
    let is_valid = keys
        .next()
        .is_some_and(|key| STANDARD.decode(key).is_ok_and(|key| key.len() == 16));
    is_valid && keys.next().is_none()
}

/// The response to a request that is not a WebSocket handshake. A client of another version is told
/// ours (RFC 6455, section 4.4).
fn upgrade_error(rejection: WebSocketUpgradeRejection) -> Response {
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

fn check(
    config: &BrokerConfig,
    key: &str,
    protocol: Option<&str>,
    headers: &HeaderMap,
) -> Result<(), CloseReason> {
    if key != config.key {
        return Err(CloseReason::UnknownApp);
    }
    match protocol {
        Some("7") => {}
        Some(_) => return Err(CloseReason::UnsupportedVersion),
        None => return Err(CloseReason::MissingVersion),
    }
    let is_allowed = match headers.get(ORIGIN) {
        None => !config.require_origin,
        Some(origin) => config
            .origins
            .iter()
            .any(|allowed| origin.as_bytes().eq_ignore_ascii_case(allowed.as_bytes())),
    };
    if is_allowed {
        Ok(())
    } else {
        Err(CloseReason::OriginNotAllowed)
    }
}

#[cfg(test)]
mod tests;
