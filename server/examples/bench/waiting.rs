//! Ten thousand browsers that wait on one server with its embedded broker, and a restart of it.
//!
//! The server is a process of its own, so that it can be weighed and started again, and so are the
//! browsers.

use crate::{
    place::{self, Place},
    resident, row,
    service::{self, Service},
    sign_in::SECRET,
};
use std::time::Duration;
use tokio::time::sleep;

/// How many wait.
pub const BROWSERS: u32 = 10_000;
/// The app on the broker.
pub const APP: (&str, &str, &str) = ("1", "key", "secret");

pub async fn measure() {
    let addresses = [place::free(), place::free()].map(|addr| addr.to_string());
    let mut server = Service::start_with("waited-for", &addresses).await;
    let idle = memory(&mut server).await / 1024.0;
    row("memory of an idle server, MiB", &format!("{idle:.1}"), "25");
    let mut browsers = Service::start_with("browsers", &addresses).await;
    let before = memory(&mut server).await;
    let all = |what: &str| format!("{BROWSERS} browsers {what}");
    row(
        &all("connected within, s"),
        &browsers.ask("connect").await,
        "60",
    );
    // What the last requests have left behind goes when their connections do.
    sleep(Duration::from_secs(2)).await;
    let each = (memory(&mut server).await - before) / f64::from(BROWSERS);
    row(
        "memory of a waiting browser's socket, KiB",
        &format!("{each:.1}"),
        "10",
    );
    row(
        "an announcement to one of them, p50, p99, ms",
        &browsers.ask("announce").await,
        "p99 20",
    );

    browsers.ask("forget").await;
    server.ask("stop").await;
    drop(server);
    let mut server = Service::start_with("waited-for", &addresses).await;
    let before = memory(&mut server).await;
    let back = browsers.ask("connect again").await;
    let [within, p1, p50, p99, herd] = words(&back);
    row(&all("back after a restart within, s"), within, "30");
    row("the same, p1, p50, p99, s", &[p1, p50, p99].join(" "), "");
    row("the most that came back in 100 ms", herd, "");
    sleep(Duration::from_secs(2)).await;
    let each = (memory(&mut server).await - before) / f64::from(BROWSERS);
    row(
        "memory of a socket after they all came at once, KiB",
        &format!("{each:.1}"),
        "",
    );
    row(
        "of them hear an announcement then",
        &browsers.ask("reach").await,
        &BROWSERS.to_string(),
    );
}

/// Is the server at these addresses, of its pages and of its broker's HTTP API.
pub async fn serve(arguments: &[String]) {
    let (id, key, secret) = APP;
    let mut settings = vec![
        ("PUSHER_APP_ID", id.to_owned()),
        ("PUSHER_KEY", key.to_owned()),
        ("PUSHER_SECRET", secret.to_owned()),
        // It is never asked: no browser has begun.
        ("VALIDATOR_URL", "http://127.0.0.1:9/".to_owned()),
        ("VESTIBULE_SECRET", SECRET.to_owned()),
    ];
    let [addr, broker] = arguments else {
        panic!("two addresses")
    };
    settings.push(("BROKER_ADDR", broker.clone()));
    let place = Place::open_at(addr.parse().expect("an address"), &settings).await;
    println!("ready");
    let mut questions = service::questions();
    while let Some(question) = questions.recv().await {
        match question.as_str() {
            "memory" => println!("{}", resident()),
            _ => break,
        }
    }
    place.close().await;
    println!("stopped");
}

async fn memory(server: &mut Service) -> f64 {
    server.ask("memory").await.parse().expect("a number")
}

fn words<const N: usize>(text: &str) -> [&str; N] {
    let words: Vec<_> = text.split(' ').collect();
    words.try_into().expect("so many words")
}
