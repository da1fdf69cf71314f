//! The external service: it says that every token is good, at once or when released, and remembers
//! who asked.

use super::free_port;
use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::post,
};
use std::{
    collections::HashMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{net::TcpListener, sync::watch};

/// A validator on loopback.
#[derive(Clone)]
pub struct Validator {
    addr: SocketAddr,
    /// Which of its addresses it was asked at: that names the caller.
    name: u32,
    state: Arc<Shared>,
}

struct Shared {
    mood: watch::Sender<Mood>,
    /// How many questions are open now.
    open: watch::Sender<usize>,
    asked: Mutex<HashMap<String, Asked>>,
}

/// What it was asked about one confirmation.
#[derive(Clone, Debug)]
pub struct Asked {
    pub token: String,
    /// By which process each question came, in order.
    pub by: Vec<u32>,
}

/// How it answers.
#[derive(Clone, Copy)]
enum Mood {
    /// After this long.
    Takes(Duration),
    /// Not yet, where the token is like this.
    Holds(fn(&str) -> bool),
    /// That it answers later, by calling.
    Later,
    /// That it cannot.
    Unwell,
}

impl Validator {
    /// A validator that takes this long.
    pub async fn taking(takes: Duration) -> Self {
        Self::with(Mood::Takes(takes)).await
    }

    /// A validator that leaves questions about tokens like this open until
    /// [`release`](Self::release).
    pub async fn holding(which: fn(&str) -> bool) -> Self {
        Self::with(Mood::Holds(which)).await
    }

    /// A validator that answers later, and is not asked again for an hour.
    pub async fn later() -> Self {
        Self::with(Mood::Later).await
    }

    /// A validator that is not there yet.
    pub fn absent() -> Self {
        let mood = watch::Sender::new(Mood::Unwell);
        let open = watch::Sender::new(0);
        let addr = (Ipv4Addr::LOCALHOST, free_port()).into();
        Self {
            addr,
            name: 0,
            state: Arc::new(Shared {
                mood,
                open,
                asked: Mutex::default(),
            }),
        }
    }

    async fn with(mood: Mood) -> Self {
        let this = Self::absent();
        this.state.mood.send_replace(mood);
        this.listen().await;
        this
    }

    /// Is reachable from now on. One that was absent fails at first.
    pub async fn listen(&self) {
        let listener = TcpListener::bind(self.addr).await.expect("a free port");
        let routes = Router::new()
            .route("/{name}", post(validate))
            .with_state(self.state.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
    }

    /// The same validator at an address of its own, to tell who asks.
    pub fn known_as(&self, name: u32) -> Self {
        Self {
            name,
            ..self.clone()
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}/{}", self.addr, self.name)
    }

    /// Answers all questions from now on, and those that are open, after this long.
    pub fn release(&self, takes: Duration) {
        self.state.mood.send_replace(Mood::Takes(takes));
    }

    /// Waits until `count` questions are open.
    pub async fn open(&self, count: usize) {
        let mut open = self.state.open.subscribe();
        super::soon(
            "the validator to be asked",
            open.wait_for(|open| *open == count),
        )
        .await
        .expect("it is there");
    }

    /// How many questions are open now.
    pub fn open_now(&self) -> usize {
        *self.state.open.borrow()
    }

    /// The confirmations that it was asked about.
    pub fn confirmations(&self) -> Vec<String> {
        self.state.asked().keys().cloned().collect()
    }

    /// What it was asked, for each confirmation.
    pub fn asked(&self) -> Vec<Asked> {
        self.state.asked().values().cloned().collect()
    }
}

impl Shared {
    fn asked(&self) -> MutexGuard<'_, HashMap<String, Asked>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A question that is open until this is dropped, as it also is when its caller has gone.
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

/// The prefixes of tokens on which it never gives a verdict.
pub const NO_VERDICTS: [&str; 4] = ["5xx-", "429-", "redirect-", "nothing-"];

async fn instead_of_a_verdict(kind: &str) -> Response {
    match kind {
        "5xx-" => StatusCode::BAD_GATEWAY.into_response(),
        "429-" => StatusCode::TOO_MANY_REQUESTS.into_response(),
        "redirect-" => (StatusCode::FOUND, [(header::LOCATION, "/elsewhere")]).into_response(),
        _ => std::future::pending().await,
    }
}

async fn validate(
    State(state): State<Arc<Shared>>,
    Path(name): Path<u32>,
    headers: HeaderMap,
    Json(question): Json<serde_json::Value>,
) -> Result<Json<serde_json::Value>, Response> {
    let _open = Open::new(&state);
    let id = headers["idempotency-key"]
        .to_str()
        .expect("an id")
        .to_owned();
    let token = question["token"].as_str().unwrap_or_default();
    state
        .asked()
        .entry(id)
        .or_insert_with(|| Asked {
            token: token.to_owned(),
            by: Vec::new(),
        })
        .by
        .push(name);
    let mut moods = state.mood.subscribe();
    let answers = |mood: &Mood| !matches!(mood, Mood::Holds(which) if which(token));
    let mood = *moods.wait_for(answers).await.expect("its state is there");
    match mood {
        Mood::Takes(takes) => tokio::time::sleep(takes).await,
        Mood::Holds(_) => {}
        Mood::Later => {
            let again = [(header::RETRY_AFTER, "3600")];
            return Err((StatusCode::ACCEPTED, again).into_response());
        }
        Mood::Unwell => return Err(StatusCode::SERVICE_UNAVAILABLE.into_response()),
    }
    if let Some(no_verdict) = NO_VERDICTS.iter().find(|kind| token.starts_with(*kind)) {
        return Err(instead_of_a_verdict(no_verdict).await);
    }
    let identity = serde_json::json!({ "issuer": "test", "subject": token });
    Ok(Json(
        serde_json::json!({ "verdict": "valid", "identity": identity }),
    ))
}
