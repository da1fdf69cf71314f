//! Landings a second beside a handler that returns a constant: same client, connections, binary and
//! listener.

use crate::{client, place, place::Place, row};
use axum::{Router, routing::get};

pub async fn measure() {
    let bare = place::serve(Router::new().route("/", get(|| async { "a constant" })));
    let place = Place::open(&[]).await;
    let constant = client::all(bare, async |mut client| {
        client.get("/").await;
        client
    });
    let constant = client::rate(&constant.await);
    let landing = client::all(place.addr, async |mut client| {
        let answer = client.get("/confirm/valid-bench").await;
        assert!(
            answer.head.contains("set-cookie"),
            "each landing mints its own cookie"
        );
        client
    });
    let landing = client::rate(&landing.await);
    place.close().await;
    row(
        "a constant, by the bare handler, a second",
        &format!("{constant:.0}"),
        "",
    );
    row("landings a second", &format!("{landing:.0}"), "");
    row(
        "landings to constants",
        &format!("{:.3}", landing / constant),
        "0.5",
    );
}
