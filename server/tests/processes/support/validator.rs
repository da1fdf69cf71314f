//! The external service: it says that every token is good, now or once it is let to, and counts.

use axum::{Json, Router, extract::State, http::HeaderMap, routing::post};
use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{net::TcpListener, sync::watch};

/// A validator on loopback.
#[derive(Clone)]
pub struct Validator {
    addr: SocketAddr,
    state: Arc<Shared>,
}

struct Shared {
    mood: watch::Sender<Mood>,
    /// How many questions are open now.
    open: watch::Sender<usize>,
    calls: Mutex<HashMap<String, usize>>,
}

/// How it answers.
#[derive(Clone, Copy)]
enum Mood {
    /// After this long.
    Takes(Duration),
    /// Not yet, where the token is like this.
    Holds(fn(&str) -> bool),
}

impl Validator {
    /// A validator that takes this long.
    pub async fn taking(takes: Duration) -> Self {
        Self::with(Mood::Takes(takes)).await
    }

    /// A validator that leaves questions about tokens like this open until [`release`](Self::release).
    pub async fn holding(which: fn(&str) -> bool) -> Self {
        Self::with(Mood::Holds(which)).await
    }

    async fn with(mood: Mood) -> Self {
        let state = Shared { mood: watch::Sender::new(mood), open: watch::Sender::new(0), calls: Mutex::default() };
        let state = Arc::new(state);
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port of loopback");
        let addr = listener.local_addr().expect("it is bound");
        let routes = Router::new().route("/", post(validate)).with_state(state.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { addr, state }
    }

    pub fn url(&self) -> String {
        format!("http://{}/", self.addr)
    }

    /// Answers all questions from now on, and those that are open.
    pub fn release(&self) {
        self.state.mood.send_replace(Mood::Takes(Duration::ZERO));
    }

    /// Waits until so many questions are open.
    pub async fn open(&self, count: usize) {
        let mut open = self.state.open.subscribe();
        super::soon("the validator to be asked", open.wait_for(|open| *open == count)).await.expect("it is there");
    }

    /// How often each confirmation was asked about.
    pub fn calls(&self) -> Vec<usize> {
        self.state.calls().values().copied().collect()
    }
}

impl Shared {
    fn calls(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A question that is open until this is dropped, as it also is when whoever asked has gone.
struct Open(Arc<Shared>);

impl Open {
    fn new(state: &Arc<Shared>) -> Self {
        state.open.send_modify(|open| *open += 1);
        Self(state.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.send_modify(|open| *open -= 1);
    }
}

async fn validate(
    State(state): State<Arc<Shared>>,
    headers: HeaderMap,
    Json(question): Json<serde_json::Value>,
) -> Json<serde_json::Value> {
    let _open = Open::new(&state);
    let id = headers["idempotency-key"].to_str().expect("an id").to_owned();
    *state.calls().entry(id).or_default() += 1;
    let token = question["token"].as_str().unwrap_or_default();
    let mut moods = state.mood.subscribe();
    let answers = |mood: &Mood| !matches!(mood, Mood::Holds(which) if which(token));
    let mood = *moods.wait_for(answers).await.expect("its state is there");
    if let Mood::Takes(takes) = mood {
        tokio::time::sleep(takes).await;
    }
    let identity = serde_json::json!({ "issuer": "test", "subject": token });
    Json(serde_json::json!({ "verdict": "valid", "identity": identity }))
}
