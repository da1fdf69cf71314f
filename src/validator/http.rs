//! The validator behind an HTTP address; `docs/PROTOCOL.md` is its contract.

use super::{Answer, InvalidAnswer, ValidationError, Validator, Verdict};
use crate::{clock::Timestamp, confirmation::ConfirmationId, tls, token::Token};
use async_trait::async_trait;
use reqwest::{Client, Response, StatusCode, Url, header::RETRY_AFTER, redirect};
use std::{
    fmt,
    num::IntErrorKind,
    time::{Duration, SystemTime},
};

/// The largest answer that is read.
const MAX_ANSWER: usize = 64 * 1024;
/// The longest pause that a validator may ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_mins(1);
/// When a validator that answers later is asked again if it does not say.
const ASK_AGAIN: Duration = Duration::from_secs(30);
/// The least and the most that it may say.
const ASK_AGAIN_RANGE: [Duration; 2] = [Duration::from_secs(1), Duration::from_hours(1)];

/// Asks an HTTP service.
pub struct HttpValidator {
    client: Client,
    endpoint: Url,
    secret: Option<String>,
    callback: Option<String>,
}

/// The address cannot be a validator's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an http:// or https:// address")]
pub struct InvalidEndpoint;

impl HttpValidator {
    /// A validator at `endpoint`, to which `secret`, if any, is sent as a bearer token.
    ///
    /// # Errors
    /// [`InvalidEndpoint`] if `endpoint` is not an absolute address with the scheme `http` or
    /// `https`.
    ///
    /// # Panics
    /// Never: a client with these settings can be built.
    pub fn new(endpoint: &str, secret: Option<String>) -> Result<Self, InvalidEndpoint> {
        let endpoint: Url = endpoint.parse().map_err(|_| InvalidEndpoint)?;
        if !matches!(endpoint.scheme(), "http" | "https") || !endpoint.has_host() {
            return Err(InvalidEndpoint);
        }
        let roots = tls::machine_roots();
        if endpoint.scheme() == "https" && roots.is_empty() {
            tracing::error!(
                "this machine has no certificates of authorities, so no validator can be asked by \
                 https; install ca-certificates"
            );
        }
        // A redirect would carry the token, and the secret, to an address that the operator did not
        // configure.
        let mut client = Client::builder()
            .tls_backend_preconfigured(tls::client_config(roots))
            .redirect(redirect::Policy::none())
            .connect_timeout(Duration::from_secs(5));
        if is_loopback(&endpoint) {
            // A proxy of the environment must not see a token that is meant for this machine.
            client = client.no_proxy();
        }
        let client = client
            .build()
            .expect("a client with these settings can be built");
        Ok(Self {
            client,
            endpoint,
            secret,
            callback: None,
        })
    }

    /// The same, which is told with each question that it may call back to this address.
    #[must_use]
    pub fn with_callback(self, address: String) -> Self {
        Self {
            callback: Some(address),
            ..self
        }
    }
}

fn is_loopback(endpoint: &Url) -> bool {
    let host = endpoint.host_str().unwrap_or_default();
    host == "localhost"
        || host
            .trim_matches(['[', ']'])
            .parse()
            .is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
}

impl fmt::Debug for HttpValidator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpValidator")
            .field("host", &self.endpoint.host_str())
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl Validator for HttpValidator {
    async fn validate(
        &self,
        id: ConfirmationId,
        token: &Token,
        deadline: Timestamp,
    ) -> Result<Verdict, ValidationError> {
        let mut request = self
            .client
            .post(self.endpoint.clone())
            .header("idempotency-key", id.to_string())
            // It may answer 202 (RFC 7240, section 4.1).
            .header("prefer", "respond-async");
        if let Some(secret) = &self.secret {
            request = request.bearer_auth(secret);
        }
        let mut body = serde_json::json!({
            "token": token.expose(),
            "confirmation": id.to_string(),
            "deadline": humantime::format_rfc3339_millis(SystemTime::from(deadline)).to_string(),
        });
        if let Some(address) = &self.callback {
            body["callback"] = address.as_str().into();
        }
        let answer = request
            .json(&body)
            .send()
            .await
            .map_err(|error| no_answer(&error))?;
        match answer.status() {
            StatusCode::OK => verdict(&read(answer).await?),
            StatusCode::ACCEPTED => Err(later(answer).await),
            _ => Err(refusal(&answer)),
        }
    }
}

/// Reads an answer, but no more of it than any honest one has.
async fn read(mut answer: Response) -> Result<Vec<u8>, ValidationError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| no_answer(&error))? {
        if bytes.len() + chunk.len() > MAX_ANSWER {
            return Err(ValidationError::temporary(format!(
                "its answer is over {MAX_ANSWER} bytes"
            )));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn verdict(bytes: &[u8]) -> Result<Verdict, ValidationError> {
    match Answer::read(bytes) {
        Ok(Answer::Verdict(verdict)) => Ok(verdict),
        Ok(Answer::Pending(_)) => Err(ValidationError::temporary(
            "it says that it answers later, but not by a 202",
        )),
        Err(InvalidAnswer(what)) => Err(ValidationError::temporary(format!(
            "its answer is not one of the protocol's: {what}"
        ))),
    }
}

/// A 202 is understood however it is meant: a wish that cannot be kept or read, or a body that says
/// something else, is no failure.
async fn later(answer: Response) -> ValidationError {
    let [least, most] = ASK_AGAIN_RANGE;
    let wish = retry_after(&answer).unwrap_or(ASK_AGAIN);
    let body = read(answer).await.ok();
    let stage = match body.map(|body| Answer::read(&body)) {
        Some(Ok(Answer::Pending(stage))) => stage,
        _ => None,
    };
    ValidationError::Later {
        ask_again: wish.clamp(least, most),
        stage,
    }
}

/// The `Retry-After` of an answer, where it is in seconds.
fn retry_after(answer: &Response) -> Option<Duration> {
    let seconds = answer.headers().get(RETRY_AFTER)?.to_str().ok()?.trim();
    match seconds.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(error) => (*error.kind() == IntErrorKind::PosOverflow).then_some(Duration::MAX),
    }
}

/// A 4xx other than "not now" says that this server asks wrongly: asking the same again cannot
/// help.
fn refusal(answer: &Response) -> ValidationError {
    let status = answer.status();
    let what = format!("it answered {status}");
    let retry_after = retry_after(answer).map(|wish| wish.min(MAX_RETRY_AFTER));
    if status == StatusCode::TOO_MANY_REQUESTS {
        return ValidationError::Throttled { retry_after };
    }
    let not_now = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY];
    if status.is_client_error() && !not_now.contains(&status) {
        return ValidationError::Permanent { what };
    }
    ValidationError::Temporary { what, retry_after }
}

/// The error's text names the address, which may hold a secret in its query: it is left out.
fn no_answer(error: &reqwest::Error) -> ValidationError {
    let what = if error.is_connect() {
        "it cannot be reached"
    } else if error.is_timeout() {
        "it took too long"
    } else {
        "the connection to it broke"
    };
    ValidationError::temporary(what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_for_this_machine_goes_past_the_proxy() {
        for (address, loopback) in [
            ("http://127.0.0.1:1/", true),
            ("http://[::1]:1/", true),
            ("http://localhost/", true),
            ("http://v.example/", false),
        ] {
            assert_eq!(
                is_loopback(&address.parse().unwrap()),
                loopback,
                "{address}"
            );
        }
    }
}
