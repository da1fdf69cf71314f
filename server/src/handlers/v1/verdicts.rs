//! `POST /v1/verdicts`: a validator that answers later calls back. `docs/PROTOCOL.md` is the
//! contract.
//!
//! The address is not signed, so there is one for all confirmations, and the confirmation's id
//! stands in the signed body: what was signed for one says nothing about another.

use crate::{
    accounts::rate_limits::RateLimited,
    http::{response::seconds, state::App},
};
use axum::{
    body::to_bytes,
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use http_body_util::LengthLimitError;
use std::{panic::resume_unwind, time::Duration};
use tokio::time::timeout;
use tracing::Instrument as _;
use vestibule::{
    audit::Event,
    confirmation::ConfirmationId,
    secret::{WebhookError, WebhookHeaders},
    sign_ins::{Reception, SignIns},
    store::StoreError,
    validator::{Answer, CallbackBody, InvalidAnswer},
};

/// The largest body that is read.
const MAX_BODY: usize = 64 * 1024;
/// How long a body may take to arrive, and how long a callback to be stored.
const BODY_WITHIN: Duration = Duration::from_secs(10);
const RECEIVE_WITHIN: Duration = Duration::from_secs(15);
/// After how long a validator is to call again if its verdict could not be stored.
const RETRY_AFTER: Duration = Duration::from_secs(5);
/// The same where too many confirmations wait for validators that answer later.
const RETRY_AFTER_OTHERS: Duration = Duration::from_mins(1);

/// A callback was not taken.
#[derive(Debug, thiserror::Error)]
pub enum CallbackError {
    #[error("this server takes no callbacks: set VALIDATOR_CALLBACK_SECRET")]
    Disabled,
    #[error("no page calls this address")]
    Page,
    #[error("too many callbacks from this address were not genuine")]
    TooMany(Duration),
    #[error(transparent)]
    NotGenuine(#[from] WebhookError),
    #[error("the body is over {MAX_BODY} bytes")]
    TooLong,
    #[error("the body broke off")]
    Broken,
    #[error(transparent)]
    Invalid(#[from] InvalidAnswer),
    #[error("no such confirmation, or it ended long ago")]
    Unknown(ConfirmationId),
    #[error("the confirmation was cancelled, or ended without a verdict")]
    TooLate(ConfirmationId),
    #[error("the confirmation was decided before, by something else, which stands")]
    Contradicts(ConfirmationId),
    #[error("too many confirmations wait for a verdict; call again, best with a verdict")]
    NoRoom(ConfirmationId),
    #[error("it could not be stored; call again")]
    Store(#[from] StoreError),
    #[error("it could not be stored in time; call again")]
    Slow,
}

/// Takes a verdict, or how far the check has come. Only what is genuine is read.
pub async fn verdicts(
    State(app): State<App>,
    request: Request,
) -> Result<StatusCode, CallbackError> {
    let keys = app.callback_keys.as_ref().ok_or(CallbackError::Disabled)?;
    let client = app.clients.of(request.extensions(), request.headers());
    let (parts, body) = request.into_parts();
    if is_from_page(&parts.headers) {
        return Err(CallbackError::Page);
    }
    let named = |name: &str| text(&parts.headers, name);
    let headers = WebhookHeaders::read(
        named("webhook-id"),
        named("webhook-timestamp"),
        named("webhook-signature"),
        app.sign_ins.now(),
    )?;
    let callback = app.unverified_callbacks.count(client)?;
    let bytes = timeout(BODY_WITHIN, to_bytes(body, MAX_BODY)).await;
    let bytes = bytes.map_err(|_| CallbackError::Broken)?.map_err(|error| {
        if error.into_inner().is::<LengthLimitError>() {
            CallbackError::TooLong
        } else {
            CallbackError::Broken
        }
    })?;
    keys.verify(&headers, &bytes)?;
    callback.proved_genuine();
    if parts.headers.contains_key(header::CONTENT_ENCODING) {
        let compressed = "the body is compressed, and never unpacked; send it plain";
        return Err(InvalidAnswer(compressed.into()).into());
    }
    let CallbackBody {
        confirmation,
        answer,
    } = CallbackBody::read(&bytes)?;
    match receive(app.sign_ins.clone(), confirmation, answer).await? {
        Reception::Taken => Ok(StatusCode::NO_CONTENT),
        Reception::Contradicts => Err(CallbackError::Contradicts(confirmation)),
        Reception::TooLate => Err(CallbackError::TooLate(confirmation)),
        Reception::NoRoom => Err(CallbackError::NoRoom(confirmation)),
        Reception::Unknown => Err(CallbackError::Unknown(confirmation)),
    }
}

/// To the end, although the validator may hang up.
async fn receive(
    sign_ins: SignIns,
    confirmation: ConfirmationId,
    answer: Answer,
) -> Result<Reception, CallbackError> {
    let receive = async move { sign_ins.receive(confirmation, answer).await };
    let received = tokio::spawn(receive.in_current_span());
    match timeout(RECEIVE_WITHIN, received).await {
        Ok(Ok(reception)) => Ok(reception?),
        Ok(Err(error)) => resume_unwind(error.into_panic()),
        Err(_) => Err(CallbackError::Slow),
    }
}

/// Whether a browser sends it for a page: those must not use up what is left to the validator's
/// address.
fn is_from_page(headers: &HeaderMap) -> bool {
    headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site")
}

/// A header that is there once, and is text.
fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?.to_str().ok();
    first.filter(|_| values.next().is_none())
}

impl From<RateLimited> for CallbackError {
    fn from(RateLimited(wait): RateLimited) -> Self {
        Self::TooMany(wait)
    }
}

impl CallbackError {
    const fn status(&self) -> StatusCode {
        match self {
            Self::NotGenuine(_) => StatusCode::UNAUTHORIZED,
            Self::Page => StatusCode::FORBIDDEN,
            Self::Disabled | Self::Unknown(_) => StatusCode::NOT_FOUND,
            Self::Contradicts(_) => StatusCode::CONFLICT,
            Self::TooLate(_) => StatusCode::GONE,
            Self::TooLong => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Broken => StatusCode::BAD_REQUEST,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Store(_) | Self::Slow | Self::NoRoom(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::TooMany(wait) => Some(*wait),
            Self::Store(_) | Self::Slow => Some(RETRY_AFTER),
            Self::NoRoom(_) => Some(RETRY_AFTER_OTHERS),
            _ => None,
        }
    }

    /// Tells the operator what the validator cannot mend by calling again.
    fn record(&self) {
        match self {
            Self::NotGenuine(why) => {
                Event::Forged { what: "callback" }.record();
                tracing::warn!(%why, "a callback is not genuine");
            }
            Self::TooMany(_) => Event::TooOften {
                what: "callbacks",
                user: None,
            }
            .record(),
            Self::Page => Event::Forged { what: "origin" }.record(),
            Self::Store(error) => tracing::error!(%error, "a callback could not be stored"),
            Self::Slow => tracing::error!("a callback could not be stored in time"),
            Self::Disabled => {}
            Self::Unknown(confirmation)
            | Self::TooLate(confirmation)
            | Self::NoRoom(confirmation)
            | Self::Contradicts(confirmation) => {
                tracing::warn!(%confirmation, why = %self, "a callback was not taken");
            }
            _ => tracing::warn!(why = %self, "a callback was not taken"),
        }
    }
}

impl IntoResponse for CallbackError {
    fn into_response(self) -> Response {
        self.record();
        // Without a key, a caller learns nothing.
        let body = if let Self::NotGenuine(_) = self {
            String::new()
        } else {
            format!("{self}\n")
        };
        let mut response = (self.status(), body).into_response();
        if let Some(wait) = self.retry_after() {
            let seconds = seconds(wait).into();
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response
    }
}
