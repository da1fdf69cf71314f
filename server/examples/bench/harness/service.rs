//! A part of the bench in a process of its own.

use crate::{
    authorize, begins, browsers, callbacks, claims, embedded, landings, peers, place,
    process::Process, settled, steady, waiting,
};
use axum::{
    Json, Router,
    extract::{Path, State},
    http::StatusCode,
    routing::post,
};
use serde_json::{Value, json};
use std::{
    env,
    io::{BufRead as _, BufReader, Write as _, stdin},
    process::{ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};
use tokio::{
    sync::mpsc,
    task::spawn_blocking,
    time::{Instant, sleep},
};

/// What the validator takes for itself.
const VALIDATOR: Duration = Duration::from_millis(200);

/// A process that says one line once it is ready, and one to each question.
pub struct Service {
    _process: Process,
    input: ChildStdin,
    output: Option<BufReader<ChildStdout>>,
    said: String,
}

impl Service {
    /// Starts this program once more, as the part with this name.
    pub async fn start(name: &str) -> Self {
        Self::start_with(name, &[]).await
    }

    /// The same for a part that is told more.
    pub async fn start_with(name: &str, arguments: &[String]) -> Self {
        let program = env::current_exe().expect("this program");
        let mut command = Command::new(program);
        command.arg(name).args(arguments);
        Self::run(&mut command).await
    }

    /// The same for any program that keeps to this.
    pub async fn run(command: &mut Command) -> Self {
        let mut process = Process::start(command.stdin(Stdio::piped()).stdout(Stdio::piped()));
        let child = process.child();
        let input = child.stdin.take().expect("its input is piped");
        let output = child.stdout.take().map(BufReader::new);
        let mut service = Self {
            _process: process,
            input,
            output,
            said: String::new(),
        };
        service.said = service.listen().await;
        service
    }

    /// What it says to a question.
    pub async fn ask(&mut self, question: &str) -> String {
        writeln!(self.input, "{question}").expect("it listens");
        self.listen().await
    }

    async fn listen(&mut self) -> String {
        let mut output = self.output.take().expect("one question at a time");
        let read = spawn_blocking(move || {
            let mut said = String::new();
            let _ = output.read_line(&mut said);
            (output, said)
        });
        let (output, said) = read.await.expect("nothing panics");
        self.output = Some(output);
        assert!(!said.is_empty(), "it has ended without a word");
        said.trim().to_owned()
    }

    pub fn said(&self) -> &str {
        &self.said
    }

    /// The address of a path of it.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.said)
    }
}

/// The questions to this part; they end when the parent process does.
pub fn questions() -> mpsc::UnboundedReceiver<String> {
    let (asked, questions) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        let lines = stdin().lines().map_while(Result::ok);
        lines.map_while(|line| asked.send(line).ok()).for_each(drop);
    });
    questions
}

/// The parts in a process of their own that are Vestibule, or what it asks: they have small pages, as
/// the binary does.
pub const WITH_SMALL_PAGES: [&str; 5] = [
    "vestibule",
    "waited-for",
    "callback-server",
    "in-flight",
    "validator",
];

/// Is the part with this name.
pub async fn be(name: &str, arguments: &[String]) {
    match name {
        "validator" => {
            println!("{}", place::serve(validator()));
            std::future::pending::<()>().await;
        }
        "authorize" => authorize::measure().await,
        "embedded" => embedded::measure().await,
        "landings" => landings::measure().await,
        "begins" => begins::measure().await,
        "steady" => steady::measure().await,
        "settled" => settled::measure().await,
        "waiting" => waiting::measure().await,
        "waited-for" => waiting::serve(arguments).await,
        "callbacks" => callbacks::measure().await,
        "callback-server" => callbacks::serve(arguments).await,
        "browsers" => browsers::wait(arguments).await,
        "claims" => claims::measure().await,
        "peers" => peers::measure().await,
        "vestibule" => peers::vestibule::serve(arguments).await,
        "in-flight" => println!("{}", settled::in_flight().await),
        unknown => panic!("no part is called {unknown}"),
    }
}

fn validator() -> Router {
    Router::new()
        .route("/", post(judge))
        .route("/later", post(later))
        .route("/never", post(std::future::pending::<StatusCode>))
        .route("/away-for/{seconds}", post(come_back))
        .with_state(Instant::now())
}

async fn judge(Json(question): Json<Value>) -> Json<Value> {
    sleep(VALIDATOR).await;
    Json(
        json!({ "verdict": "valid", "identity": { "issuer": "bench", "subject": question["token"] } }),
    )
}

async fn later() -> (StatusCode, [(&'static str, &'static str); 1]) {
    (StatusCode::ACCEPTED, [("retry-after", "3600")])
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
