//! What a proxy's question costs for each request of the application: who is it?

use crate::{CONNECTIONS, MEASURE, client, client::Client, percentile, place, place::Place, row};
use axum::{Router, routing::get};
use std::{net::SocketAddr, time::Duration};
use tokio::time::{Instant, MissedTickBehavior, interval_at};

/// How many browsers are signed in: more sign-ins by password at once would be refused.
const BROWSERS: usize = 8;
/// How many questions a second while the time of each is measured.
const RATE: u32 = 2_000;
const AUTHORIZE: &str = "/v1/authorize";

pub async fn measure() {
    let bare = place::serve(Router::new().route("/", get(|| async { "a constant" })));
    let place = Place::open(&[]).await;
    let mut sessions: Vec<String> = Vec::new();
    let mut client = Client::connect(place.addr).await;
    for _ in 0..BROWSERS {
        let form = "email=practice%40example.com&password=open-sesame-42";
        sessions.push(client.post("/login", "", form).await.cookies());
    }
    let constant = client::all(bare, async |mut client| {
        client.get("/").await;
        client
    });
    let constant = client::rate(&constant.await);
    let asked = sessions.clone();
    let authorized = client::all(place.addr, move |mut client: Client| {
        let session = asked[client.port() % asked.len()].clone();
        async move {
            ask(&mut client, AUTHORIZE, &session).await;
            client
        }
    });
    let authorized = client::rate(&authorized.await);
    let paced_constant = paced(bare, "/", &sessions).await;
    let times = paced(place.addr, AUTHORIZE, &sessions).await;
    place.close().await;
    row(
        "who is it? questions a second",
        &format!("{authorized:.0}"),
        "",
    );
    row(
        "who is it? to constants",
        &format!("{:.3}", authorized / constant),
        "0.4",
    );
    // Tokio's timers have a resolution of 1 ms, which both rows include.
    row(
        &format!("who is it? {RATE} a second, p50 and p99, ms"),
        &p50_and_p99(&times),
        "p99 5",
    );
    row(
        &format!("constants, {RATE} a second, p50 and p99, ms"),
        &p50_and_p99(&paced_constant),
        "",
    );
}

fn p50_and_p99(times: &[Duration]) -> String {
    let ms = |part| percentile(times, part).as_secs_f64() * 1e3;
    format!("{:.2} {:.2}", ms(0.5), ms(0.99))
}

async fn ask(client: &mut Client, path: &str, session: &str) {
    let answer = client.get_as(path, session).await;
    assert!(
        path != AUTHORIZE || answer.head.contains("vestibule-assertion: "),
        "{}",
        answer.head
    );
}

/// Asks so many times a second, over all connections, and returns how long each took.
async fn paced(addr: SocketAddr, path: &'static str, sessions: &[String]) -> Vec<Duration> {
    let connections = u32::try_from(CONNECTIONS).expect("a few");
    let every = Duration::from_secs(1) * connections / RATE;
    let asking = (0..CONNECTIONS).map(|number| {
        let session = sessions[number % sessions.len()].clone();
        tokio::spawn(async move {
            let mut client = Client::connect(addr).await;
            let offset =
                every.mul_f64(f64::from(u32::try_from(number).expect("a few"))) / connections;
            let start = Instant::now() + offset;
            let mut ticks = interval_at(start, every);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
            let mut times = Vec::new();
            while start.elapsed() < MEASURE {
                // From when it was due: a slow answer does not hide that those after it are late.
                let due = ticks.tick().await;
                ask(&mut client, path, &session).await;
                times.push(due.elapsed());
            }
            times
        })
    });
    let mut times = Vec::new();
    for connection in asking.collect::<Vec<_>>() {
        times.extend(connection.await.expect("no connection panics"));
    }
    times.sort_unstable();
    times
}
