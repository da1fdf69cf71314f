//! The HTTP API of a Pusher server, which only notes when outcomes arrive.

use crate::{place, sign_in::Begun};
use axum::{Json, Router, extract::State, routing::post};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::{Instant, sleep, timeout};

/// When each channel's outcome arrived.
type Arrivals = Arc<Mutex<HashMap<String, Instant>>>;

/// A Pusher server to which no browser listens.
pub struct PushServer {
    addr: SocketAddr,
    arrivals: Arrivals,
}

impl PushServer {
    pub fn start() -> Self {
        let arrivals = Arrivals::default();
        let api = Router::new()
            .route("/apps/1/events", post(receive))
            .with_state(arrivals.clone());
        Self {
            addr: place::serve(api),
            arrivals,
        }
    }

    /// The settings of what is to announce here.
    pub fn settings(&self) -> [(&'static str, String); 6] {
        [
            ("PUSHER_HOST", self.addr.ip().to_string()),
            ("PUSHER_PORT", self.addr.port().to_string()),
            ("PUSHER_SCHEME", "http".into()),
            ("PUSHER_APP_ID", "1".into()),
            ("PUSHER_KEY", "key".into()),
            ("PUSHER_SECRET", "secret".into()),
        ]
    }

    /// When the outcome of each of these arrived, once all have.
    pub async fn arrivals(&self, begun: &[Begun], within: Duration) -> Vec<Instant> {
        let all = async {
            loop {
                if let Some(all) = self.all_of(begun) {
                    return all;
                }
                sleep(Duration::from_millis(10)).await;
            }
        };
        let all = timeout(within, all).await;
        all.expect("every outcome is pushed in time")
    }

    fn all_of(&self, begun: &[Begun]) -> Option<Vec<Instant>> {
        let arrivals = self.arrivals.lock().expect("no panic");
        let arrival = |begun: &Begun| arrivals.get(&begun.channel).copied();
        begun.iter().map(arrival).collect()
    }
}

async fn receive(State(arrivals): State<Arrivals>, Json(event): Json<Value>) -> Json<Value> {
    if event["name"] == "outcome" {
        let channels = event["channels"].as_array().into_iter().flatten();
        let names = channels.filter_map(|channel| channel.as_str().map(str::to_owned));
        let now = Instant::now();
        arrivals
            .lock()
            .expect("no panic")
            .extend(names.map(|name| (name, now)));
    }
    Json(json!({}))
}
