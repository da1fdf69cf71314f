//! What a publisher sees, and what an attacker without the secret tries.

mod channels;
mod events;
mod signatures;

use crate::{
    Broker,
    testing::{APP_ID, KEY, NOW, hex, signature},
};
use axum::{
    body::{Body, to_bytes},
    http::{Method, Request, StatusCode},
};
use md5::{Digest, Md5};
use serde_json::Value;
use tower::ServiceExt;

async fn send(broker: &Broker, method: Method, target: &str, body: &str) -> (StatusCode, String) {
    let request = Request::builder()
        .method(method)
        .uri(target)
        .body(Body::from(body.to_owned()))
        .unwrap();
    let response = broker.api_routes().oneshot(request).await.unwrap();
    let status = response.status();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

/// A signed target; `extra` goes between the names that begin with `auth` and with `s`, so the
/// query is sorted.
fn signed(method: &str, path: &str, extra: &[(&str, &str)], body: &str, timestamp: u64) -> String {
    let mut query = format!("auth_key={KEY}&auth_timestamp={timestamp}&auth_version=1.0");
    if !body.is_empty() {
        query.extend(["&body_md5=", &hex(&Md5::digest(body))]);
    }
    for (name, value) in extra {
        query.extend(["&", name, "=", value]);
    }
    let signature = signature(&format!("{method}\n{path}\n{query}"));
    format!(
        "{path}?{}&auth_signature={signature}",
        query.replace(',', "%2C")
    )
}

async fn post(broker: &Broker, resource: &str, body: &str) -> (StatusCode, String) {
    let path = format!("/apps/{APP_ID}/{resource}");
    send(
        broker,
        Method::POST,
        &signed("POST", &path, &[], body, NOW),
        body,
    )
    .await
}

async fn trigger(broker: &Broker, event: Value) -> (StatusCode, String) {
    post(broker, "events", &event.to_string()).await
}

async fn ask(broker: &Broker, resource: &str, query: &[(&str, &str)]) -> (StatusCode, Value) {
    let path = format!("/apps/{APP_ID}/{resource}");
    let (status, body) = send(
        broker,
        Method::GET,
        &signed("GET", &path, query, "", NOW),
        "",
    )
    .await;
    (
        status,
        serde_json::from_str(&body).unwrap_or(Value::String(body)),
    )
}
