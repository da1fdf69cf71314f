//! `GET /metrics`: what an operator can look at, in the text format that Prometheus reads.
//!
//! It names no channel, no socket and no address, and is not signed: it is for anyone who can reach
//! the loopback listener.

use super::Broker;
use axum::{
    extract::State,
    http::header::CONTENT_TYPE,
    response::{IntoResponse, Response},
};
use std::fmt::Write as _;

/// <https://prometheus.io/docs/instrumenting/exposition_formats/>
const TEXT: &str = "text/plain; version=0.0.4";

pub(super) async fn show(State(broker): State<Broker>) -> Response {
    ([(CONTENT_TYPE, TEXT)], text(&broker)).into_response()
}

fn text(broker: &Broker) -> String {
    let now = broker.snapshot();
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
    for (farewell, count) in broker.registry.farewells() {
        let frame = farewell.frame();
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
    use crate::broker::{
        Limits, api,
        peer::{ORIGIN, PATH, Peer, broker_with},
    };
    use axum::{
        body::{Body, to_bytes},
        http::Request,
    };
    use futures_util::{SinkExt, StreamExt};
    use tokio_tungstenite::tungstenite::Message;
    use tower::ServiceExt;

    #[tokio::test(start_paused = true)]
    async fn what_is_there_has_been_done_and_was_refused_can_be_looked_at() {
        let broker = broker_with(Limits {
            max_connections: 1,
            ..Limits::default()
        });
        let mut hostile = Peer::subscribed(&broker, "news").await;
        hostile.0.send(Message::binary(vec![0])).await.unwrap();
        assert_eq!(hostile.close_code().await, 1003);
        assert!(hostile.0.next().await.is_none());
        let _peer = Peer::subscribed(&broker, "news").await;
        for _ in 0..2 {
            let mut refused = Peer::connect(broker.socket_routes(), PATH, Some(ORIGIN))
                .await
                .unwrap();
            assert_eq!(refused.close_code().await, 4100);
        }
        let asked = Request::get("/metrics").body(Body::empty()).unwrap();
        let response = api::routes(broker).oneshot(asked).await.unwrap();
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
