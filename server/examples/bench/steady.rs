//! At a steady 20 sign-ins a second: what the system adds to the validator's own time until the
//! push leaves.

use crate::{
    client::Client,
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

/// How long the validator really took for each token: a timer is late by up to a millisecond or
/// two.
type Taken = Arc<Mutex<HashMap<String, Duration>>>;

pub async fn measure() {
    let services = Services::start();
    let settings = [&sign_in::settings()[..], &services.settings()].concat();
    let place = Place::open(&settings).await;
    let added = services.added(place.addr, 0..SIGN_INS, EVERY, sign_in::begin);
    let added = added.await;
    place.close().await;
    for (share, aim) in [(0.5, "3.7"), (0.99, "18.6")] {
        let here = format!("{:.1}", percentile(&added, share).as_secs_f64() * 1000.0);
        row(
            &format!("added from begin until the push, p{}, ms", share * 100.0),
            &here,
            aim,
        );
    }
}

/// The validator and the Pusher server of a system that is measured.
pub struct Services {
    validator: SocketAddr,
    taken: Taken,
    push_server: PushServer,
}

impl Services {
    pub fn start() -> Self {
        let taken = Taken::default();
        let validator = Router::new()
            .route("/", post(validate))
            .with_state(taken.clone());
        Self {
            validator: place::serve(validator),
            taken,
            push_server: PushServer::start(),
        }
    }

    /// The settings of a system that uses them.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        let validator = ("VALIDATOR_URL", format!("http://{}/", self.validator));
        [&self.push_server.settings()[..], &[validator]].concat()
    }

    /// What the system at `addr` adds to each of these sign-ins, sorted.
    pub async fn added(
        &self,
        addr: SocketAddr,
        numbers: Range<u32>,
        every: Duration,
        begin: impl AsyncFn(&mut Client, u32) -> Begun,
    ) -> Vec<Duration> {
        let mut tick = interval(every);
        let mut sign_ins = Vec::new();
        let mut client = Client::connect(addr).await;
        for number in numbers {
            tick.tick().await;
            sign_ins.push(begin(&mut client, number).await);
        }
        let arrivals = self.push_server.arrivals(&sign_ins, AT_MOST).await;
        let taken = self.taken.lock().expect("no panic");
        let added = |(begun, arrival): (&Begun, &Instant)| {
            arrival
                .duration_since(begun.start)
                .saturating_sub(taken[&begun.token])
        };
        let mut added: Vec<Duration> = sign_ins.iter().zip(&arrivals).map(added).collect();
        added.sort_unstable();
        added
    }
}

async fn validate(State(taken): State<Taken>, Json(question): Json<Value>) -> Json<Value> {
    let start = Instant::now();
    sleep(VALIDATOR).await;
    let name = question["token"].as_str().unwrap_or_default().to_owned();
    taken
        .lock()
        .expect("no panic")
        .insert(name, start.elapsed());
    Json(
        json!({ "verdict": "valid", "identity": { "issuer": "bench", "subject": question["token"] } }),
    )
}
