//! A route of an application's own, without Vestibule and with it in the same process: what a
//! request that is none of Vestibule's pays for it.

use crate::{client::Client, paced, percentile, place, row};
use axum::{Router, routing::get};
use std::{net::SocketAddr, time::Duration};
use tempfile::TempDir;
use vestibule_server::{RawSettings, SignedIn, Vestibule};

/// How many requests a second: calm, so that what is measured is not the queue.
const RATE: u32 = 500;
/// The applications take turns of this length. The medians of all turns count: what else the machine
/// does in one of them does not.
const TURN: Duration = Duration::from_secs(1);
const TURNS: usize = 15;

pub async fn measure() {
    let alone = place::serve(application());
    let data = TempDir::new().expect("a temporary folder");
    let addr = place::free();
    let settings = RawSettings::from_pairs([
        ("PUBLIC_URL", format!("http://{addr}/auth")),
        ("VESTIBULE_DATA", data.path().display().to_string()),
    ]);
    let builder = Vestibule::builder(settings.expect("known settings"));
    let mounted = builder.build().await.expect("Vestibule starts");
    let with = application()
        .route("/who", get(async |_: SignedIn| "a constant"))
        .layer(mounted.vestibule.layer())
        .merge(mounted.routes);
    place::serve_at(addr, with);
    let form = "email=practice%40example.com&password=open-sesame-42";
    let mut browser = Client::connect(addr).await;
    let session = browser.post("/auth/login", "", form).await.cookies();

    let mut turns: [Vec<[f64; 2]>; 3] = Default::default();
    for _ in 0..TURNS {
        let applications = [(alone, "/"), (addr, "/"), (addr, "/who")];
        for ((addr, path), turns) in applications.into_iter().zip(&mut turns) {
            let times = asked(addr, path, &session).await;
            turns.push([0.5, 0.99].map(|share| percentile(&times, share).as_secs_f64() * 1e3));
        }
    }
    mounted.running.shutdown().await;
    let [without, with, asking] =
        turns.map(|turns| [0, 1].map(|part| median(turns.iter().map(|turn| turn[part]))));
    for (figure, [p50, p99]) in [
        ("without Vestibule", without),
        ("with it", with),
        ("with it, asking who is signed in", asking),
    ] {
        let figure = format!("own route {figure}: p50, p99, ms");
        row(&figure, &format!("{p50:.2} {p99:.2}"), "");
    }
    row(
        "own route: added by Vestibule to its p99, ms",
        &format!("{:.2}", with[1] - without[1]),
        "3",
    );
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The application's own.
fn application() -> Router {
    Router::new().route("/", get(async || "a constant"))
}

async fn asked(addr: SocketAddr, path: &'static str, session: &str) -> Vec<Duration> {
    let session = session.to_owned();
    let once = move |mut client: Client| {
        let session = session.clone();
        async move {
            let answer = client.get_as(path, &session).await;
            assert!(answer.head.starts_with("HTTP/1.1 200"), "{}", answer.head);
            client
        }
    };
    paced::paced(addr, RATE, TURN, once).await
}
