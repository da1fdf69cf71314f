//! At a steady 20 sign-ins a second: what the system adds to the validator's own time until the
//! push leaves.

use crate::{client::Client, percentile, place, place::Place, row};
use axum::{Json, Router, extract::State, routing::post};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::{Instant, interval, sleep, timeout};

const A_SECOND: u32 = 20;
const SIGN_INS: u32 = 200;
/// What the validator takes for itself.
const VALIDATOR: Duration = Duration::from_millis(50);

/// When each channel's outcome arrived at the Pusher server.
type Pushed = Arc<Mutex<HashMap<String, Instant>>>;
/// How long the validator really took for each token: a timer is late by up to a millisecond or
/// two.
type Taken = Arc<Mutex<HashMap<String, Duration>>>;

pub async fn measure() {
    let pushed = Pushed::default();
    let taken = Taken::default();
    let validator = place::serve(
        Router::new()
            .route("/", post(validate))
            .with_state(taken.clone()),
    );
    let push_server = place::serve(
        Router::new()
            .route("/apps/1/events", post(receive))
            .with_state(pushed.clone()),
    );
    let secret = "Y1ZtJ0vW8n3qkRu5xTgB2yLhPzXo7mEaQ9dKfCs4wUI=".to_owned();
    let settings = [
        ("VALIDATOR_URL", format!("http://{validator}/")),
        ("VESTIBULE_SECRET", secret),
        ("PUSHER_HOST", push_server.ip().to_string()),
        ("PUSHER_PORT", push_server.port().to_string()),
        ("PUSHER_SCHEME", "http".into()),
        ("PUSHER_APP_ID", "1".into()),
        ("PUSHER_KEY", "key".into()),
        ("PUSHER_SECRET", "secret".into()),
    ];
    let place = Place::open(&settings).await;
    let mut tick = interval(Duration::from_secs(1) / A_SECOND);
    let mut begun = HashMap::new();
    let mut client = Client::connect(place.addr).await;
    for number in 0..SIGN_INS {
        tick.tick().await;
        let landing = client.get(&format!("/confirm/t{number}")).await;
        let start = Instant::now();
        let body = format!("token=t{number}&again=false");
        let answer = client.post("/api/begin", &landing.cookies(), &body).await;
        let report: Value = serde_json::from_str(&answer.body).expect("a report");
        begun.insert(
            report["channel"].as_str().expect("a channel").to_owned(),
            (start, format!("t{number}")),
        );
    }
    let all_there = async {
        while pushed.lock().expect("no panic").len() < begun.len() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(10), all_there)
        .await
        .expect("every outcome is pushed");
    place.close().await;
    let pushed = pushed.lock().expect("no panic");
    let taken = taken.lock().expect("no panic");
    let added = |(channel, (start, token)): (&String, &(Instant, String))| {
        pushed[channel]
            .duration_since(*start)
            .saturating_sub(taken[token])
    };
    let mut added: Vec<Duration> = begun.iter().map(added).collect();
    added.sort_unstable();
    for (share, aim) in [(0.5, "3.7"), (0.99, "18.6")] {
        let here = format!("{:.1}", percentile(&added, share).as_secs_f64() * 1000.0);
        row(
            &format!("added from begin until the push, p{}, ms", share * 100.0),
            &here,
            aim,
        );
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

async fn receive(State(pushed): State<Pushed>, Json(event): Json<Value>) -> Json<Value> {
    if let (Some("outcome"), Some(channel)) =
        (event["name"].as_str(), event["channels"][0].as_str())
    {
        pushed
            .lock()
            .expect("no panic")
            .insert(channel.to_owned(), Instant::now());
    }
    Json(json!({}))
}
