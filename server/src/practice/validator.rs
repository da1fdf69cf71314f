//! The practice validator: a real HTTP service on an ephemeral loopback port that speaks
//! `docs/PROTOCOL.md`.

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::post,
};
use reqwest::{Client, redirect};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    future, io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{net::TcpListener, time::sleep};
use tokio_util::sync::CancellationToken;
use vestibule::{
    clock::{Clock as _, SystemClock},
    secret::WebhookKeys,
    tls,
    user::PRACTICE_IDENTITY,
};

/// How long `slow` takes.
const SLOW: Duration = Duration::from_secs(5);
/// How long `later` takes for each of its two calls: how far it has come, and its verdict.
const EACH_CALL: Duration = Duration::from_secs(10);
/// How often `flaky` fails, and `later-poll` says "later", before there is a verdict.
const REFUSALS: u32 = 2;
/// How many of such confirmations are remembered; the oldest is forgotten.
const REMEMBERED: usize = 1000;

/// The practice validator, listening.
#[derive(Debug)]
pub struct PracticeValidator {
    listener: TcpListener,
    addr: SocketAddr,
    /// Where it calls back, and the keys with which it signs that.
    callback: String,
    keys: WebhookKeys,
}

#[derive(Deserialize)]
struct PracticeQuery {
    token: String,
    confirmation: String,
}

/// What a callback needs, and what is remembered.
struct Practice {
    /// How often it was asked about each of those confirmations.
    asked: Mutex<VecDeque<(String, u32)>>,
    callback: String,
    keys: WebhookKeys,
    client: Client,
    shutdown: CancellationToken,
}

impl PracticeValidator {
    /// Binds an ephemeral port on loopback. It calls `callback` back, signed with `keys`.
    ///
    /// # Errors
    /// If there is no port to be had.
    pub async fn bind(callback: String, keys: WebhookKeys) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let addr = listener.local_addr()?;
        Ok(Self {
            listener,
            addr,
            callback,
            keys,
        })
    }

    /// Where it is asked.
    pub fn url(&self) -> String {
        format!("http://{}/validate", self.addr)
    }

    /// Answers until `shutdown`.
    pub async fn serve(self, shutdown: CancellationToken) {
        // A proxy of the environment is for other machines.
        let client = Client::builder()
            .tls_backend_preconfigured(tls::client_config(tls::machine_roots()))
            .no_proxy()
            .redirect(redirect::Policy::none())
            .timeout(EACH_CALL)
            .build();
        let practice = Practice {
            asked: Mutex::default(),
            callback: self.callback,
            keys: self.keys,
            client: client.expect("a client with these settings can be built"),
            shutdown: shutdown.clone(),
        };
        let routes = Router::new()
            .route("/validate", post(validate))
            .with_state(Arc::new(practice));
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
    State(practice): State<Arc<Practice>>,
    Json(query): Json<PracticeQuery>,
) -> Response {
    let key = &query.confirmation;
    let mut words = query.token.split('-');
    match [words.next(), words.next()].map(Option::unwrap_or_default) {
        ["slow", _] => {
            sleep(SLOW).await;
            Json(valid()).into_response()
        }
        ["flaky", _] if practice.asks(key) <= REFUSALS => (
            StatusCode::SERVICE_UNAVAILABLE,
            [(header::RETRY_AFTER, "1")],
        )
            .into_response(),
        ["later", "never"] => later("30", json!({ "verdict": "pending" })),
        ["later", "poll"] if practice.asks(key) <= REFUSALS => {
            later("2", json!({ "verdict": "pending", "step": "reviewing" }))
        }
        // Asked again, it has called in vain: its verdict is the answer.
        ["later", word] if word != "poll" && practice.asks(key) == 1 => {
            tokio::spawn(practice.call_back(query));
            later("60", json!({ "verdict": "pending", "step": "received" }))
        }
        ["valid" | "flaky" | "later", _] => Json(valid()).into_response(),
        ["down", _] => future::pending().await,
        ["expired", _] => invalid("expired"),
        ["used", _] => invalid("used"),
        _ => invalid("invalid"),
    }
}

impl Practice {
    /// Counts a question, and returns how many there were about this confirmation.
    fn asks(&self, confirmation: &str) -> u32 {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, times)) = asked.iter_mut().find(|(known, _)| known == confirmation) {
            *times += 1;
            return *times;
        }
        if asked.len() == REMEMBERED {
            asked.pop_front();
        }
        asked.push_back((confirmation.to_owned(), 1));
        1
    }

    /// Tells how far it has come, then its verdict.
    async fn call_back(self: Arc<Self>, query: PracticeQuery) {
        let mut pending = json!({ "verdict": "pending", "step": "reviewing" });
        for said in [&mut pending, &mut valid()] {
            said["confirmation"] = query.confirmation.as_str().into();
            tokio::select! {
                () = sleep(EACH_CALL) => {}
                () = self.shutdown.cancelled() => return,
            }
            match self.call(said).await {
                Ok(status) if status.is_success() => {}
                Ok(status) => tracing::info!(%status, "the practice validator has called back"),
                Err(error) => tracing::warn!(%error, "the practice validator cannot call back"),
            }
        }
    }

    async fn call(&self, said: &Value) -> Result<StatusCode, reqwest::Error> {
        let body = said.to_string();
        // One call for each thing that is said of a confirmation.
        let id = format!(
            "{}.{}",
            said["confirmation"].as_str().unwrap_or_default(),
            said["verdict"].as_str().unwrap_or_default()
        );
        let (timestamp, signature) = self.keys.sign(&id, SystemClock.now(), body.as_bytes());
        let call = self
            .client
            .post(&self.callback)
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .header("webhook-signature", signature)
            .body(body);
        Ok(call.send().await?.status())
    }
}

fn later(retry_after: &'static str, body: Value) -> Response {
    (
        StatusCode::ACCEPTED,
        [(header::RETRY_AFTER, retry_after)],
        Json(body),
    )
        .into_response()
}

fn valid() -> Value {
    let (issuer, subject) = PRACTICE_IDENTITY;
    let ada = json!({ "issuer": issuer, "subject": subject, "name": "Ada Lovelace", "email": "ada@example.com" });
    json!({ "verdict": "valid", "identity": ada })
}

fn invalid(reason: &str) -> Response {
    Json(json!({ "verdict": "invalid", "reason": reason })).into_response()
}
