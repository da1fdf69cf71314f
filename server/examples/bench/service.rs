//! A part of the bench in a process of its own.

use crate::{place, settled};
use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::post,
};
use serde_json::{Value, json};
use std::{
    env,
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// What the validator takes for itself.
const VALIDATOR: Duration = Duration::from_millis(200);

/// A process that says one line once it is ready.
pub struct Service {
    process: Child,
    said: String,
}

impl Service {
    /// Starts this program once more, as the part with this name.
    pub async fn start(name: &str) -> Self {
        let program = env::current_exe().expect("this program");
        let mut command = Command::new(program);
        let mut process = command.arg(name).stdout(Stdio::piped()).spawn().expect("this program can be started");
        let output = process.stdout.take().expect("its output is piped");
        let mut said = String::new();
        let read = tokio::task::spawn_blocking(move || BufReader::new(output).read_line(&mut said).map(|_| said));
        let said = read.await.expect("nobody panics").expect("it says something").trim().to_owned();
        Self { process, said }
    }

    pub fn said(&self) -> &str {
        &self.said
    }

    /// The address of a path of it.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.said)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Is the part with this name.
pub async fn be(name: &str) {
    match name {
        "validator" => {
            println!("{}", place::serve(validator()).await);
            std::future::pending::<()>().await;
        }
        "settled" => settled::measure().await,
        "in-flight" => println!("{}", settled::in_flight().await),
        unknown => panic!("no part is called {unknown}"),
    }
}

fn validator() -> Router {
    Router::new()
        .route("/", post(judge))
        .route("/never", post(std::future::pending::<StatusCode>))
        .route("/away-for/{seconds}", post(come_back))
        .with_state(Instant::now())
}

async fn judge(Json(question): Json<Value>) -> Json<Value> {
    sleep(VALIDATOR).await;
    Json(json!({ "verdict": "valid", "identity": { "issuer": "bench", "subject": question["token"] } }))
}

async fn come_back(
    State(started): State<Instant>,
    Path(seconds): Path<u64>,
    question: Json<Value>,
) -> Result<Json<Value>, StatusCode> {
    if started.elapsed() < Duration::from_secs(seconds) {
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    Ok(judge(question).await)
}
