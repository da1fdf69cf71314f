//! What an attacker without the secret tries.

use super::{send, signed};
use crate::testing::{APP_ID, KEY, NOW, TestClient, broker};
use axum::http::{Method, StatusCode};
use serde_json::json;

#[tokio::test(start_paused = true)]
async fn without_the_secret_nothing_is_published() {
    let broker = broker();
    let mut client = TestClient::subscribed(&broker, "a").await;
    let path = format!("/apps/{APP_ID}/events");
    let body = json!({ "name": "news", "channel": "a", "data": "forged" }).to_string();
    let other_body = json!({ "name": "news", "channel": "a", "data": "signed!" }).to_string();
    let good = signed("POST", &path, &[], &other_body, NOW);
    for (attempt, target) in [
        ("no query", path.clone()),
        ("a signature for another body", good.clone()),
        (
            "a signature for another path",
            signed("POST", "/apps/app-1/batch_events", &[], &body, NOW).replace("batch_", ""),
        ),
        (
            "a signature for another method",
            signed("GET", &path, &[], &body, NOW),
        ),
        (
            "a body that is not signed",
            signed("POST", &path, &[], "", NOW),
        ),
        (
            "a stale request",
            signed("POST", &path, &[], &body, NOW - 601),
        ),
        (
            "a request from the future",
            signed("POST", &path, &[], &body, NOW + 601),
        ),
        (
            "another key",
            signed("POST", &path, &[], &body, NOW).replace(KEY, "other"),
        ),
        (
            "a changed timestamp",
            signed("POST", &path, &[], &body, NOW - 601)
                .replace(&(NOW - 601).to_string(), &NOW.to_string()),
        ),
        (
            "a second, unsigned parameter",
            format!("{}&info=x", signed("POST", &path, &[], &body, NOW)),
        ),
    ] {
        let (status, text) = send(&broker, Method::POST, &target, &body).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{attempt}");
        assert!(!text.is_empty(), "{attempt}");
    }
    client.ping().await;
    assert_eq!(
        send(&broker, Method::POST, &good, &other_body).await.0,
        StatusCode::OK
    );
    assert_eq!(client.receive().await["data"], "signed!");
}

#[tokio::test]
async fn a_valid_signature_for_another_application_is_answered_with_404() {
    let target = signed("GET", "/apps/app-2/channels", &[], "", NOW);
    let (status, text) = send(&broker(), Method::GET, &target, "").await;
    assert_eq!(
        (status, text.as_str()),
        (StatusCode::NOT_FOUND, "unknown application")
    );
}
