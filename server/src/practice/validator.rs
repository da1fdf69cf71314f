//! The practice validator: a real HTTP service on an ephemeral loopback port that speaks
//! `docs/PROTOCOL.md`.

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::post,
};
use serde::Deserialize;
use serde_json::json;
use std::{
    collections::VecDeque,
    future, io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{net::TcpListener, time::sleep};
use tokio_util::sync::CancellationToken;
use vestibule::user::PRACTICE_IDENTITY;

/// How long `slow` takes.
const SLOW: Duration = Duration::from_secs(5);
/// How often `flaky` fails, and `later-poll` says "later", before there is a verdict.
const REFUSALS: u32 = 2;
/// How many of such confirmations are remembered; the oldest is forgotten.
const REMEMBERED: usize = 1000;

/// The practice validator, listening.
#[derive(Debug)]
pub struct PracticeValidator {
    listener: TcpListener,
    addr: SocketAddr,
}

#[derive(Deserialize)]
struct PracticeQuery {
    token: String,
}

/// How often each of those confirmations was refused a verdict, by its idempotency key.
type Refusals = Arc<Mutex<VecDeque<(String, u32)>>>;

impl PracticeValidator {
    /// Binds an ephemeral port on loopback.
    ///
    /// # Errors
    /// If there is no port to be had.
    pub async fn bind() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let addr = listener.local_addr()?;
        Ok(Self { listener, addr })
    }

    /// Where it is asked.
    pub fn url(&self) -> String {
        format!("http://{}/validate", self.addr)
    }

    /// Answers until `shutdown`.
    pub async fn serve(self, shutdown: CancellationToken) {
        let routes = Router::new()
            .route("/validate", post(validate))
            .with_state(Refusals::default());
        // A call that never answers would hold a graceful shutdown up.
        tokio::select! {
            served = axum::serve(self.listener, routes) => {
                if let Err(error) = served {
                    tracing::error!(%error, "the practice validator has stopped");
                }
            }
            () = shutdown.cancelled() => {}
        }
    }
}

/// Judges by the token's first word: `valid`, `expired-2` and so on.
async fn validate(
    State(refusals): State<Refusals>,
    headers: HeaderMap,
    Json(question): Json<PracticeQuery>,
) -> Response {
    let key = headers
        .get("idempotency-key")
        .and_then(|key| key.to_str().ok())
        .unwrap_or_default();
    match question.token.split('-').next().unwrap_or_default() {
        "slow" => {
            sleep(SLOW).await;
            valid()
        }
        "flaky" if refuse(&refusals, key) => (
            StatusCode::SERVICE_UNAVAILABLE,
            [(header::RETRY_AFTER, "1")],
        )
            .into_response(),
        "later" if !question.token.starts_with("later-poll") => invalid("invalid"),
        "later" if refuse(&refusals, key) => {
            (StatusCode::ACCEPTED, [(header::RETRY_AFTER, "2")]).into_response()
        }
        "valid" | "flaky" | "later" => valid(),
        "down" => future::pending().await,
        "expired" => invalid("expired"),
        "used" => invalid("used"),
        _ => invalid("invalid"),
    }
}

fn valid() -> Response {
    let (issuer, subject) = PRACTICE_IDENTITY;
    let ada = json!({ "issuer": issuer, "subject": subject, "name": "Ada Lovelace", "email": "ada@example.com" });
    Json(json!({ "verdict": "valid", "identity": ada })).into_response()
}

fn invalid(reason: &str) -> Response {
    Json(json!({ "verdict": "invalid", "reason": reason })).into_response()
}

fn refuse(refusals: &Refusals, key: &str) -> bool {
    let mut refusals = refusals.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, refused)) = refusals.iter_mut().find(|(known, _)| known == key) {
        *refused += 1;
        return *refused <= REFUSALS;
    }
    if refusals.len() == REMEMBERED {
        refusals.pop_front();
    }
    refusals.push_back((key.to_owned(), 1));
    true
}
