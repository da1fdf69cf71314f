//! The practice validator: a real HTTP service on an ephemeral loopback port that speaks
//! `docs/PROTOCOL.md`.

use super::script::{ScriptedAnswer, ValidatorScript, ada};
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
    future, io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use vestibule::{clock::Clock, secret::WebhookKeys, tls};

/// How long `slow` takes.
const SLOW: Duration = Duration::from_secs(5);
/// How long `later` takes for each of its two calls: how far it has come, and its verdict.
const EACH_CALL: Duration = Duration::from_secs(10);
/// How often `flaky` fails, and `later-poll` says "later", before there is a verdict.
const REFUSALS: u32 = 2;

/// The practice validator, listening.
#[derive(Debug)]
pub struct PracticeValidator {
    listener: TcpListener,
    addr: SocketAddr,
    /// Where it calls back, and the keys with which it signs that.
    callback: String,
    keys: WebhookKeys,
    script: Arc<ValidatorScript>,
    clock: Arc<dyn Clock>,
}

#[derive(Deserialize)]
struct PracticeQuery {
    token: String,
    confirmation: String,
}

/// What a callback needs, and what is remembered.
struct PracticeState {
    script: Arc<ValidatorScript>,
    clock: Arc<dyn Clock>,
    callback: String,
    keys: WebhookKeys,
    client: Client,
    shutdown: CancellationToken,
}

impl PracticeValidator {
    /// Binds an ephemeral port on loopback. It calls `callback` back, signed with `keys`, and waits
    /// by `clock`.
    ///
    /// # Errors
    /// If there is no port to be had.
    pub async fn bind(
        callback: String,
        keys: WebhookKeys,
        clock: Arc<dyn Clock>,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let addr = listener.local_addr()?;
        Ok(Self {
            listener,
            addr,
            callback,
            keys,
            script: Arc::default(),
            clock,
        })
    }

    /// What it answers for the tokens of tests.
    pub fn script(&self) -> Arc<ValidatorScript> {
        self.script.clone()
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
        let practice = PracticeState {
            script: self.script,
            clock: self.clock,
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

/// Answers as a test has said, or else judges by the token's first word: `valid`, `expired-2` and so
/// on.
async fn validate(
    State(practice): State<Arc<PracticeState>>,
    Json(query): Json<PracticeQuery>,
) -> Response {
    let asked = practice.script.asks(&query.confirmation);
    if let Some(answer) = practice.script.next(&query.token) {
        return practice.play(answer, query).await;
    }
    let mut words = query.token.split('-');
    match [words.next(), words.next()].map(Option::unwrap_or_default) {
        ["slow", _] => {
            practice.wait(SLOW).await;
            Json(valid()).into_response()
        }
        ["flaky", _] if asked <= REFUSALS => (
            StatusCode::SERVICE_UNAVAILABLE,
            [(header::RETRY_AFTER, "1")],
        )
            .into_response(),
        ["later", "never"] => later("30", json!({ "verdict": "pending" })),
        ["later", "poll"] if asked <= REFUSALS => {
            later("2", json!({ "verdict": "pending", "step": "reviewing" }))
        }
        // Asked again, it has called in vain: its verdict is the answer.
        ["later", word] if word != "poll" && asked == 1 => {
            tokio::spawn(practice.call_back_twice(query));
            later("60", json!({ "verdict": "pending", "step": "received" }))
        }
        ["valid" | "flaky" | "later", _] => Json(valid()).into_response(),
        ["down", _] => future::pending().await,
        ["expired", _] => invalid("expired"),
        ["used", _] => invalid("used"),
        _ => invalid("invalid"),
    }
}

impl PracticeState {
    async fn wait(&self, time: Duration) {
        self.clock.sleep_until(self.clock.now() + time).await;
    }

    /// Gives an answer of a script, and has the callback follow that belongs to it.
    async fn play(self: Arc<Self>, answer: ScriptedAnswer, query: PracticeQuery) -> Response {
        let ScriptedAnswer {
            after,
            status,
            retry_after,
            body,
            callback,
        } = answer;
        self.wait(after).await;
        if let Some((after, said)) = callback {
            tokio::spawn(self.call_back(query.confirmation, after, said));
        }
        let mut response = body.map_or_else(
            || status.into_response(),
            |body| (status, Json(body)).into_response(),
        );
        let retry_after = retry_after.map(|seconds| (header::RETRY_AFTER, seconds.into()));
        response.headers_mut().extend(retry_after);
        response
    }

    /// Tells how far it has come, then its verdict.
    async fn call_back_twice(self: Arc<Self>, query: PracticeQuery) {
        let pending = json!({ "verdict": "pending", "step": "reviewing" });
        for said in [pending, valid()] {
            self.clone()
                .call_back(query.confirmation.clone(), EACH_CALL, said)
                .await;
        }
    }

    /// Says this of the confirmation, after so long.
    async fn call_back(self: Arc<Self>, confirmation: String, after: Duration, mut said: Value) {
        said["confirmation"] = confirmation.into();
        tokio::select! {
            () = self.wait(after) => {}
            () = self.shutdown.cancelled() => return,
        }
        match self.call(&said).await {
            Ok(status) if status.is_success() => {}
            Ok(status) => tracing::info!(%status, "the practice validator has called back"),
            Err(error) => tracing::warn!(%error, "the practice validator cannot call back"),
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
        let (timestamp, signature) = self.keys.sign(&id, self.clock.now(), body.as_bytes());
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
    json!({ "verdict": "valid", "identity": ada() })
}

fn invalid(reason: &str) -> Response {
    Json(json!({ "verdict": "invalid", "reason": reason })).into_response()
}
