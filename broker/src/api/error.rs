//! Why a request to the HTTP API is refused, and the response that says so.

use crate::{auth::SignatureError, protocol::ChannelNameError};
use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

/// Why a request is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum HttpApiError {
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
    ChannelName(#[from] ChannelNameError),
    #[error("socket_id is not of the form digits.digits")]
    SocketId,
    #[error("a batch has 1 to 10 events")]
    Batch,
    #[error("the only info there is here is subscription_count")]
    Info,
    #[error("only presence channels know their users, and there are none here")]
    Users,
}

impl IntoResponse for HttpApiError {
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
