//! `GET /metrics`: figures for the operator, in the text format of Prometheus.
//!
//! They name no channel, no socket and no address. The request needs no signature: anyone who can
//! reach the listener of the HTTP API may read them.

use crate::state::BrokerState;
use axum::{
    extract::State,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use std::fmt::Write as _;

/// <https://prometheus.io/docs/instrumenting/exposition_formats/>
const TEXT: &str = "text/plain; version=0.0.4";

pub(crate) async fn show(State(state): State<BrokerState>) -> Response {
    ([(CONTENT_TYPE, TEXT)], text(&state)).into_response()
}

fn text(state: &BrokerState) -> String {
    let now = state.registry.snapshot();
    let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
    let mut text = String::new();
    for (name, kind, value, help) in [
        ("sockets", "gauge", count(now.connections), "Open sockets."),
        (
            "channels",
            "gauge",
            count(now.channels),
            "Channels with at least one subscriber.",
        ),
        (
            "subscriptions",
            "gauge",
            count(now.subscriptions),
            "Pairs of a socket and a channel.",
        ),
        (
            "published_total",
            "counter",
            now.published,
            "Events published, one for each channel.",
        ),
        (
            "delivered_total",
            "counter",
            now.delivered,
            "Events put into a socket's queue.",
        ),
        (
            "dropped_total",
            "counter",
            now.dropped,
            "Events for a socket that was too slow or just going.",
        ),
    ] {
        // Writing to a string never fails.
        let _ = writeln!(
            text,
            "# HELP vestibule_broker_{name} {help}\n# TYPE vestibule_broker_{name} {kind}"
        );
        let _ = writeln!(text, "vestibule_broker_{name} {value}");
    }
    let name = "vestibule_broker_closed_total";
    let _ = writeln!(
        text,
        "# HELP {name} Sockets refused or closed by the broker, and why.\n# TYPE {name} counter"
    );
    for (reason, count) in state.registry.close_counts() {
        let frame = reason.frame();
        let _ = writeln!(
            text,
            "{name}{{code=\"{}\",reason=\"{}\"}} {count}",
            frame.code, frame.reason
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use crate::{
        Limits,
        testing::{ORIGIN, PATH, TestClient, broker_with},
    };
    use axum::{
        body::{Body, to_bytes},
        http::Request,
    };
    use futures_util::{SinkExt, StreamExt};
    use tokio_tungstenite::tungstenite::Message;
    use tower::ServiceExt;

    #[tokio::test(start_paused = true)]
    async fn metrics_show_what_there_is_what_was_done_and_what_was_refused() {
        let broker = broker_with(Limits {
            max_connections: 1,
            ..Limits::default()
        });
        let mut hostile = TestClient::subscribed(&broker, "news").await;
        hostile.0.send(Message::binary(vec![0])).await.unwrap();
        assert_eq!(hostile.close_code().await, 1003);
        assert!(hostile.0.next().await.is_none());
        let _client = TestClient::subscribed(&broker, "news").await;
        for _ in 0..2 {
            let mut refused = TestClient::connect(broker.socket_routes(), PATH, Some(ORIGIN))
                .await
                .unwrap();
            assert_eq!(refused.close_code().await, 4100);
        }
        let request = Request::get("/metrics").body(Body::empty()).unwrap();
        let response = broker.api_routes().oneshot(request).await.unwrap();
        assert_eq!(response.headers()["content-type"], super::TEXT);
        let text = String::from_utf8(
            to_bytes(response.into_body(), usize::MAX)
                .await
                .unwrap()
                .to_vec(),
        )
        .unwrap();
        for line in [
            "# TYPE vestibule_broker_sockets gauge",
            "vestibule_broker_sockets 1",
            "vestibule_broker_channels 1",
            "vestibule_broker_subscriptions 1",
            "vestibule_broker_published_total 0",
            "vestibule_broker_delivered_total 0",
            "vestibule_broker_dropped_total 0",
            r#"vestibule_broker_closed_total{code="1003",reason="binary messages are not supported"} 1"#,
            r#"vestibule_broker_closed_total{code="4100",reason="over capacity"} 2"#,
        ] {
            assert!(
                text.lines().any(|there| there == line),
                "{line} in:\n{text}"
            );
        }
    }
}
