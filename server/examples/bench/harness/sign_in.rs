//! How a browser signs in: it lands, and begins.

use crate::client::Client;
use serde_json::Value;
use tokio::time::Instant;
use vestibule::secret::Keys;

/// The host of the public address.
const HOST: &str = "app.example";
/// The key of every server here.
pub const SECRET: &str = "Y1ZtJ0vW8n3qkRu5xTgB2yLhPzXo7mEaQ9dKfCs4wUI=";

/// The same, read.
pub fn keys() -> Keys {
    Keys::parse(SECRET).expect("32 bytes")
}

/// The settings of a server behind a proxy, as [`begin`] comes through one.
pub fn settings() -> [(&'static str, String); 3] {
    [
        ("PUBLIC_URL", format!("https://{HOST}")),
        ("TRUSTED_PROXIES", "127.0.0.1".into()),
        ("VESTIBULE_SECRET", SECRET.into()),
    ]
}

/// A sign-in that has begun.
pub struct Begun {
    /// When the landing was asked for.
    pub landed: Instant,
    /// When the request was sent that began it, and when it was answered.
    pub start: Instant,
    pub answered: Instant,
    pub token: String,
    /// Where its outcome is announced.
    pub channel: String,
}

/// The token of the sign-in with this number.
pub fn token(number: u32) -> String {
    format!("token-{number}")
}

/// Lands and begins as the browser with this number, from an address of its own.
pub async fn begin(client: &mut Client, number: u32) -> Begun {
    client.come_from(number, HOST);
    let token = token(number);
    let landed = Instant::now();
    let landing = client.get(&format!("/confirm/{token}")).await;
    let start = Instant::now();
    let body = format!("token={token}&again=false");
    let answer = client.post("/api/begin", &landing.cookies(), &body).await;
    let answered = Instant::now();
    assert!(answer.head.starts_with("HTTP/1.1 200"), "{}", answer.head);
    let report: Value = serde_json::from_str(&answer.body).expect("a report");
    Begun {
        landed,
        start,
        answered,
        token,
        channel: report["channel"].as_str().expect("a channel").to_owned(),
    }
}
