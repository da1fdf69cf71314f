//! The HTTP API: the application publishes and asks about channels.
//!
//! A handler gets its request through [`Signed`], so there is no way to write one that forgets to
//! check the signature.

use super::{
    Broker,
    auth::{Query, SignatureError},
    metrics,
    name::{ChannelName, NameError, SocketId},
    wire,
};
use axum::{
    Json, RequestPartsExt, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest, Path, RawPathParams, Request, State},
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value, json};

/// The protocol's limits.
const MAX_DATA: usize = 10 * 1024;
const MAX_EVENT_NAME: usize = 200;
const MAX_CHANNELS: usize = 100;
const MAX_BATCH: usize = 10;

/// Bytes of a request: ten events with the largest data, should JSON have to escape every second
/// character of it.
const MAX_BODY: usize = 256 * 1024;

pub(super) fn routes(broker: Broker) -> Router {
    Router::new()
        .route("/apps/{app_id}/events", post(trigger))
        .route("/apps/{app_id}/batch_events", post(trigger_batch))
        .route("/apps/{app_id}/channels", get(channels))
        .route("/apps/{app_id}/channels/{name}", get(channel))
        .route("/apps/{app_id}/channels/{name}/users", get(users))
        .route("/metrics", get(metrics::show))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(broker)
}

async fn trigger(State(broker): State<Broker>, request: Signed) -> Result<Json<Value>, ApiError> {
    let event: EventBody = request.json()?;
    let counts = event.check()?.publish(&broker);
    Ok(Json(counts.map_or_else(
        || json!({}),
        |counts| json!({ "channels": counts }),
    )))
}

/// All of them or, if one is wrong, none.
async fn trigger_batch(
    State(broker): State<Broker>,
    request: Signed,
) -> Result<Json<Value>, ApiError> {
    let BatchBody { batch } = request.json()?;
    if batch.is_empty() || batch.len() > MAX_BATCH {
        return Err(ApiError::Batch);
    }
    let events = batch
        .into_iter()
        .map(EventBody::check)
        .collect::<Result<Vec<_>, _>>()?;
    let counts: Vec<_> = events
        .into_iter()
        .map(|event| event.publish(&broker))
        .collect();
    if counts.iter().all(Option::is_none) {
        return Ok(Json(json!({})));
    }
    // In a batch an event has one channel.
    let of_first = |counts: Option<Map<_, _>>| {
        counts
            .into_iter()
            .flatten()
            .next()
            .map_or(json!({}), |(_, count)| count)
    };
    Ok(Json(
        json!({ "batch": counts.into_iter().map(of_first).collect::<Vec<_>>() }),
    ))
}

async fn channels(State(broker): State<Broker>, request: Signed) -> Result<Json<Value>, ApiError> {
    let wants_count = wants_count(request.query.get("info"))?;
    let prefix = request.query.get("filter_by_prefix").unwrap_or_default();
    let channels = broker
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
    State(broker): State<Broker>,
    Path((_app_id, name)): Path<(String, String)>,
    request: Signed,
) -> Result<Json<Value>, ApiError> {
    let subscribers = broker.registry.subscribers(&ChannelName::parse(&name)?);
    let mut state = json!({ "occupied": subscribers > 0 });
    if wants_count(request.query.get("info"))? {
        state["subscription_count"] = subscribers.into();
    }
    Ok(Json(state))
}

async fn users(_: Signed) -> ApiError {
    ApiError::Users
}

fn count(subscribers: usize) -> Value {
    json!({ "subscription_count": subscribers })
}

/// Whether `info`, the attributes that are asked for, names the number of subscribers.
fn wants_count(info: Option<&str>) -> Result<bool, ApiError> {
    match info {
        None | Some("") => Ok(false),
        Some(info)
            if info
                .split(',')
                .all(|attribute| attribute == "subscription_count") =>
        {
            Ok(true)
        }
        Some(_) => Err(ApiError::Info),
    }
}

/// A request that the application has signed, whole.
struct Signed {
    query: Query,
    body: Bytes,
}

impl FromRequest<Broker> for Signed {
    type Rejection = ApiError;

    async fn from_request(request: Request, broker: &Broker) -> Result<Self, ApiError> {
        let (mut parts, body) = request.into_parts();
        let query = signed_query(&mut parts, broker).await;
        // Read even if the request is refused: with an unread body the connection is closed
        // silently, and a library that keeps its connection would fail on its next request.
        let body = Bytes::from_request(Request::from_parts(parts, body), broker).await;
        let query = query?;
        let body = body.map_err(|rejection| {
            if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
                ApiError::TooLarge
            } else {
                ApiError::Body
            }
        })?;
        query.verify_body(&body)?;
        Ok(Self { query, body })
    }
}

/// The query of a request that is signed, as far as can be told without its body.
async fn signed_query(parts: &mut Parts, broker: &Broker) -> Result<Query, ApiError> {
    let query = Query::of(&parts.uri).map_err(|_| ApiError::Query)?;
    query.verify(&broker.config, parts.method.as_str(), parts.uri.path())?;

    // A good signature over another application's path: the publisher is configured wrongly.
    let path: RawPathParams = parts.extract().await.map_err(|_| ApiError::UnknownApp)?;
    if !path
        .iter()
        .any(|(name, value)| name == "app_id" && value == broker.config.app_id)
    {
        return Err(ApiError::UnknownApp);
    }
    Ok(query)
}

impl Signed {
    fn json<T: DeserializeOwned>(&self) -> Result<T, ApiError> {
        serde_json::from_slice(&self.body).map_err(ApiError::Json)
    }
}

#[derive(Deserialize)]
struct BatchBody {
    batch: Vec<EventBody>,
}

/// One event as a publisher writes it; nothing in it is checked yet. Some libraries write `null`
/// for what they leave out.
#[derive(Deserialize)]
pub(super) struct EventBody {
    name: String,
    data: String,
    channel: Option<String>,
    channels: Option<Vec<String>>,
    socket_id: Option<String>,
    info: Option<String>,
}

/// One event that can be published.
pub(super) struct Event {
    pub(super) name: String,
    pub(super) data: String,
    pub(super) channels: Vec<ChannelName>,
    except: Option<SocketId>,
    wants_count: bool,
}

impl EventBody {
    pub(super) fn check(self) -> Result<Event, ApiError> {
        if self.data.len() > MAX_DATA {
            return Err(ApiError::DataTooLarge);
        }
        // The clients' own libraries act on events with these prefixes.
        let reserved =
            self.name.starts_with("pusher:") || self.name.starts_with("pusher_internal:");
        if reserved || self.name.is_empty() || self.name.len() > MAX_EVENT_NAME {
            return Err(ApiError::EventName);
        }
        let names: Vec<String> = self
            .channel
            .into_iter()
            .chain(self.channels.unwrap_or_default())
            .collect();
        if names.is_empty() || names.len() > MAX_CHANNELS {
            return Err(ApiError::Channels);
        }
        let mut channels = names
            .iter()
            .map(|name| ChannelName::parse(name))
            .collect::<Result<Vec<_>, _>>()?;
        // Named twice is still one event to a subscriber.
        channels.sort_unstable();
        channels.dedup();
        let except = self
            .socket_id
            .map(|id| SocketId::parse(&id).ok_or(ApiError::SocketId))
            .transpose()?;
        let wants_count = wants_count(self.info.as_deref())?;
        Ok(Event {
            name: self.name,
            data: self.data,
            channels,
            except,
            wants_count,
        })
    }
}

impl Event {
    /// Says how many subscribers each channel has, if that was asked for. The frame is written once
    /// a channel, however many sockets it goes to.
    fn publish(self, broker: &Broker) -> Option<Map<String, Value>> {
        for channel in &self.channels {
            broker.registry.publish(
                channel,
                &wire::event(&self.name, channel, &self.data),
                self.except,
            );
        }
        let of = |channel: &ChannelName| {
            (
                channel.as_str().to_owned(),
                count(broker.registry.subscribers(channel)),
            )
        };
        self.wants_count
            .then(|| self.channels.iter().map(of).collect())
    }
}

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
pub(super) enum ApiError {
    #[error("{0}")]
    Signature(#[from] SignatureError),
    #[error("unknown application")]
    UnknownApp,
    #[error("the query is not form-encoded")]
    Query,
    #[error("the body could not be read")]
    Body,
    #[error("the body is larger than 256 KB")]
    TooLarge,
    // Where, but not what: the parser's own message quotes the body, and this one is logged.
    #[error("the body is not the JSON that this request takes: line {}, column {}", .0.line(), .0.column())]
    Json(serde_json::Error),
    #[error("the data of an event is larger than 10 KB")]
    DataTooLarge,
    #[error(
        "an event's name is 1 to 200 bytes and does not begin with pusher: or pusher_internal:"
    )]
    EventName,
    #[error("an event goes to 1 to 100 channels")]
    Channels,
    #[error("{0}")]
    ChannelName(#[from] NameError),
    #[error("socket_id is not of the form digits.digits")]
    SocketId,
    #[error("a batch has 1 to 10 events")]
    Batch,
    #[error("the only info there is here is subscription_count")]
    Info,
    #[error("only presence channels know their users, and there are none here")]
    Users,
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let status = match self {
            Self::Signature(_) => StatusCode::UNAUTHORIZED,
            Self::UnknownApp => StatusCode::NOT_FOUND,
            Self::TooLarge | Self::DataTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            _ => StatusCode::BAD_REQUEST,
        };
        tracing::warn!(%status, error = %self, "refused a request to the broker's HTTP API");
        (status, self.to_string()).into_response()
    }
}

#[cfg(test)]
mod tests;
