//! What a proxy's question costs for each request of the application: who is it?

use crate::{
    MEASURE, client,
    client::Client,
    paced::{p50_and_p99, paced},
    place,
    place::Place,
    row,
};
use axum::{Router, routing::get};

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
    let ask_for = |path: &'static str| {
        let sessions = sessions.clone();
        move |mut client: Client| {
            let session = sessions[client.port() % sessions.len()].clone();
            async move {
                ask(&mut client, path, &session).await;
                client
            }
        }
    };
    let authorized = client::all(place.addr, ask_for(AUTHORIZE)).await;
    let authorized = client::rate(&authorized);
    let paced_constant = paced(bare, RATE, MEASURE, ask_for("/")).await;
    let times = paced(place.addr, RATE, MEASURE, ask_for(AUTHORIZE)).await;
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

async fn ask(client: &mut Client, path: &str, session: &str) {
    let answer = client.get_as(path, session).await;
    assert!(
        path != AUTHORIZE || answer.head.contains("vestibule-assertion: "),
        "{}",
        answer.head
    );
}
