//! The external service: it says that every token is good, and counts.

use axum::{Json, Router, extract::State, http::HeaderMap, routing::post};
use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::net::TcpListener;

/// A validator on loopback.
#[derive(Clone)]
pub struct Validator {
    addr: SocketAddr,
    state: Arc<Counting>,
}

struct Counting {
    takes: Duration,
    calls: Mutex<HashMap<String, usize>>,
}

impl Validator {
    /// A validator that takes this long.
    pub async fn taking(takes: Duration) -> Self {
        let state = Arc::new(Counting { takes, calls: Mutex::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port of loopback");
        let addr = listener.local_addr().expect("it is bound");
        let routes = Router::new().route("/", post(validate)).with_state(state.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { addr, state }
    }

    pub fn url(&self) -> String {
        format!("http://{}/", self.addr)
    }

    /// How often each confirmation was asked about.
    pub fn calls(&self) -> Vec<usize> {
        self.state.calls.lock().unwrap_or_else(PoisonError::into_inner).values().copied().collect()
    }
}

async fn validate(
    State(state): State<Arc<Counting>>,
    headers: HeaderMap,
    Json(question): Json<serde_json::Value>,
) -> Json<serde_json::Value> {
    let id = headers["idempotency-key"].to_str().expect("an id").to_owned();
    *state.calls.lock().unwrap_or_else(PoisonError::into_inner).entry(id).or_default() += 1;
    tokio::time::sleep(state.takes).await;
    let identity = serde_json::json!({ "issuer": "test", "subject": question["token"] });
    Json(serde_json::json!({ "verdict": "valid", "identity": identity }))
}
