//! At a steady 20 sign-ins a second: where the time of one goes, and what the system adds to the
//! validator's own time until the push leaves.

use crate::{
    client::Client,
    database::Database,
    percentile, place,
    place::Place,
    push_server::PushServer,
    row,
    sign_in::{self, Begun},
};
use axum::{Json, Router, extract::State, routing::post};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    net::SocketAddr,
    ops::Range,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::{Instant, interval, sleep};

/// How many sign-ins, and the time from one to the next: 20 a second.
pub const SIGN_INS: u32 = 200;
pub const EVERY: Duration = Duration::from_millis(50);
/// What the validator takes for itself.
const VALIDATOR: Duration = Duration::from_millis(50);
/// No outcome takes longer.
const AT_MOST: Duration = Duration::from_secs(10);

/// When the validator was asked about each token, and when it answered.
type Answers = Arc<Mutex<HashMap<String, [Instant; 2]>>>;

pub async fn measure() {
    for database in Database::all().await {
        measure_on(&database).await;
        database.close().await;
    }
}

async fn measure_on(database: &Database) {
    let services = Services::start();
    let url = [("DATABASE_URL", database.url())];
    let settings = [&sign_in::settings()[..], &services.settings(), &url].concat();
    let place = Place::open(&settings).await;
    let sign_ins = services.sign_ins(place.addr, 0..SIGN_INS, EVERY, sign_in::begin);
    let sign_ins = sign_ins.await;
    place.close().await;
    let name = database.name();
    let added = sorted(&sign_ins, SignIn::added);
    for (share, aim) in [(0.5, "3.2"), (0.99, "9")] {
        row(
            &format!("added until the push, p{}, ms, {name}", share * 100.0),
            &milliseconds(&added, share),
            aim,
        );
    }
    let parts: [(&str, Part); 4] = [
        ("the landing", |it| it.begun.start - it.begun.landed),
        ("begin until its answer", |it| {
            it.begun.answered - it.begun.start
        }),
        ("begin until the validator is asked", |it| {
            it.asked - it.begun.start
        }),
        ("the verdict until the push", |it| it.pushed - it.judged),
    ];
    for (part, time) in parts {
        let figure = format!("of that: {part}, p50, ms, {name}");
        row(&figure, &milliseconds(&sorted(&sign_ins, time), 0.5), "");
    }
}

/// How long a part of a sign-in took.
type Part = fn(&SignIn) -> Duration;

/// When the parts of one sign-in happened.
pub struct SignIn {
    begun: Begun,
    /// When the validator was asked.
    asked: Instant,
    /// When it answered: a timer is late by up to a millisecond or two.
    judged: Instant,
    /// When the push arrived.
    pushed: Instant,
}

impl SignIn {
    /// What the system has added to the validator's own time.
    pub fn added(&self) -> Duration {
        (self.pushed - self.begun.start).saturating_sub(self.judged - self.asked)
    }
}

/// One part of each sign-in, sorted.
pub fn sorted(sign_ins: &[SignIn], part: impl Fn(&SignIn) -> Duration) -> Vec<Duration> {
    let mut parts: Vec<Duration> = sign_ins.iter().map(part).collect();
    parts.sort_unstable();
    parts
}

fn milliseconds(sorted: &[Duration], share: f64) -> String {
    format!("{:.1}", percentile(sorted, share).as_secs_f64() * 1000.0)
}

/// The validator and the Pusher server of a system that is measured.
pub struct Services {
    validator: SocketAddr,
    answers: Answers,
    push_server: PushServer,
}

impl Services {
    pub fn start() -> Self {
        let answers = Answers::default();
        let validator = Router::new()
            .route("/", post(validate))
            .with_state(answers.clone());
        Self {
            validator: place::serve(validator),
            answers,
            push_server: PushServer::start(),
        }
    }

    /// The settings of a system that uses them.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let validator = ("VALIDATOR_URL", format!("http://{}/", self.validator));
        [&self.push_server.settings()[..], &[validator]].concat()
    }

    /// Has these sign in at the system at `addr`.
    pub async fn sign_ins(
        &self,
        addr: SocketAddr,
        numbers: Range<u32>,
        every: Duration,
        begin: impl AsyncFn(&mut Client, u32) -> Begun,
    ) -> Vec<SignIn> {
        let mut tick = interval(every);
        let mut under_way = Vec::new();
        let mut client = Client::connect(addr).await;
        for number in numbers {
            tick.tick().await;
            under_way.push(begin(&mut client, number).await);
        }
        let arrivals = self.push_server.arrivals(&under_way, AT_MOST).await;
        let answers = self.answers.lock().expect("no panic");
        let sign_in = |(begun, pushed): (Begun, Instant)| {
            let [asked, judged] = answers[&begun.token];
            SignIn {
                begun,
                asked,
                judged,
                pushed,
            }
        };
        under_way.into_iter().zip(arrivals).map(sign_in).collect()
    }
}

async fn validate(State(answers): State<Answers>, Json(question): Json<Value>) -> Json<Value> {
    let asked = Instant::now();
    sleep(VALIDATOR).await;
    let name = question["token"].as_str().unwrap_or_default().to_owned();
    answers
        .lock()
        .expect("no panic")
        .insert(name, [asked, Instant::now()]);
    Json(
        json!({ "verdict": "valid", "identity": { "issuer": "bench", "subject": question["token"] } }),
    )
}
