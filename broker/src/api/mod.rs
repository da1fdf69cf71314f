//! The HTTP API: the application publishes events, and asks about channels.
//!
//! Each handler takes its request as a [`SignedRequest`], so none can forget to check the
//! signature.

mod error;
mod event;
mod info;
mod signed_request;

pub(crate) use event::EventRequest;

use crate::{metrics, protocol::ChannelName, state::BrokerState};
use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Path, State},
    routing::{get, post},
};
use error::HttpApiError;
use info::{count, wants_count};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use signed_request::SignedRequest;

/// The protocol's limit: events of one batch.
const MAX_BATCH: usize = 10;

/// Bytes of a request: ten events with the largest data, if JSON has to escape every second
/// character of it.
const MAX_BODY: usize = 256 * 1024;

pub(crate) fn routes(state: BrokerState) -> Router {
    Router::new()
        .route("/apps/{app_id}/events", post(trigger))
        .route("/apps/{app_id}/batch_events", post(trigger_batch))
        .route("/apps/{app_id}/channels", get(channels))
        .route("/apps/{app_id}/channels/{name}", get(channel))
        .route("/apps/{app_id}/channels/{name}/users", get(users))
        .route("/metrics", get(metrics::show))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(state)
}

async fn trigger(
    State(state): State<BrokerState>,
    request: SignedRequest,
) -> Result<Json<Value>, HttpApiError> {
    let event: EventRequest = request.json()?;
    let counts = event.check()?.publish(&state.registry);
    Ok(Json(counts.map_or_else(
        || json!({}),
        |counts| json!({ "channels": counts }),
    )))
}

/// Publishes all events or, if one is invalid, none.
async fn trigger_batch(
    State(state): State<BrokerState>,
    request: SignedRequest,
) -> Result<Json<Value>, HttpApiError> {
    let BatchRequest { batch } = request.json()?;
    if batch.is_empty() || batch.len() > MAX_BATCH {
        return Err(HttpApiError::Batch);
    }
    let events = batch
        .into_iter()
        .map(EventRequest::check)
        .collect::<Result<Vec<_>, _>>()?;
    let counts: Vec<_> = events
        .into_iter()
        .map(|event| event.publish(&state.registry))
        .collect();
    if counts.iter().all(Option::is_none) {
        return Ok(Json(json!({})));
    }
    // An event of a batch has one channel.
    let first = |counts: Option<Map<_, _>>| {
        counts
            .into_iter()
            .flatten()
            .next()
            .map_or(json!({}), |(_, count)| count)
    };
    Ok(Json(
        json!({ "batch": counts.into_iter().map(first).collect::<Vec<_>>() }),
    ))
}

async fn channels(
    State(state): State<BrokerState>,
    request: SignedRequest,
) -> Result<Json<Value>, HttpApiError> {
    let wants_count = wants_count(request.query.get("info"))?;
    let prefix = request.query.get("filter_by_prefix").unwrap_or_default();
    let channels = state
        .registry
        .channels(prefix)
        .into_iter()
        .map(|(name, subscribers)| {
            (
                name.as_str().to_owned(),
                if wants_count {
                    count(subscribers)
                } else {
                    json!({})
                },
            )
        });
    Ok(Json(json!({ "channels": channels.collect::<Map<_, _>>() })))
}

async fn channel(
    State(state): State<BrokerState>,
    Path((_app_id, name)): Path<(String, String)>,
    request: SignedRequest,
) -> Result<Json<Value>, HttpApiError> {
    let subscribers = state.registry.subscriber_count(&ChannelName::parse(&name)?);
    let mut channel = json!({ "occupied": subscribers > 0 });
    if wants_count(request.query.get("info"))? {
        channel["subscription_count"] = subscribers.into();
    }
    Ok(Json(channel))
}

async fn users(_: SignedRequest) -> HttpApiError {
    HttpApiError::Users
}

#[derive(Deserialize)]
struct BatchRequest {
    batch: Vec<EventRequest>,
}

#[cfg(test)]
mod tests;
