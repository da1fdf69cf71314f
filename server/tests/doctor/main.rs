//! `vestibule doctor` against working Pusher servers, and against all common faults.

mod binary;
mod mail;
mod stage;
mod tls;

use stage::{ORIGIN, Stage, examine};
use std::time::{Duration, UNIX_EPOCH};
use tokio::net::TcpListener;

/// Expects these parts to be found wrong, each with this in its line, and no others.
fn expect_failed(lines: &[String], expected: &[(&str, &str)]) {
    let failed: Vec<&String> = lines
        .iter()
        .filter(|line| line.contains("FAILED"))
        .collect();
    assert_eq!(failed.len(), expected.len(), "{lines:#?}");
    for (line, (part, problem)) in failed.into_iter().zip(expected) {
        assert!(
            line.starts_with(&format!("{part}: FAILED, ")) && line.contains(problem),
            "{line}"
        );
        assert!(
            !line.contains('\n') && !line.contains("the-secret"),
            "{line}"
        );
    }
}

#[tokio::test]
async fn a_server_that_is_well_is_found_well() {
    let stage = Stage::set(|_| ()).await;
    let lines = stage.examine(&[]).await;
    let (last, lines) = lines.split_last().unwrap();
    let push = format!(
        "push: ok, publishes to http://{}; browsers connect to ws://{}",
        stage.api, stage.sockets
    );
    let well = [
        "settings: ok, practice mode",
        "database: ok",
        "sessions: ok",
        &push,
        "socket: ok",
        "key: ok",
        "secret: ok",
    ];
    assert_eq!(lines, [&well[..], &["publish: ok"]].concat());
    assert!(
        last.starts_with("delivery: ok, after ") && last.ends_with(" ms"),
        "{last}"
    );
}

#[tokio::test]
async fn a_wrong_key_is_named() {
    let lines = Stage::set(|_| ())
        .await
        .examine(&[("PUSHER_KEY", "another")])
        .await;
    expect_failed(
        &lines,
        &[
            ("key", "PUSHER_KEY is wrong"),
            ("publish", "refuses PUSHER_KEY"),
        ],
    );
}

#[tokio::test]
async fn a_wrong_secret_is_named() {
    let lines = Stage::set(|_| ())
        .await
        .examine(&[("PUSHER_SECRET", "the-secret-of-another")])
        .await;
    expect_failed(
        &lines,
        &[
            ("secret", "PUSHER_SECRET is wrong"),
            ("publish", "PUSHER_SECRET is wrong"),
        ],
    );
}

#[tokio::test]
async fn an_unknown_app_is_named() {
    let lines = Stage::set(|_| ())
        .await
        .examine(&[("PUSHER_APP_ID", "4712")])
        .await;
    expect_failed(
        &lines,
        &[("publish", "no app with the id 4712 (PUSHER_APP_ID)")],
    );
}

#[tokio::test]
async fn a_clock_that_is_off_is_named() {
    let lines = Stage::set(|broker| {
        broker.clock = || UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    })
    .await
    .examine(&[])
    .await;
    expect_failed(
        &lines,
        &[("publish", "FAILED, this machine's clock is off")],
    );
}

#[tokio::test]
async fn a_server_that_lets_in_other_pages_only_is_named() {
    let lines = Stage::set(|broker| broker.origins.clear())
        .await
        .examine(&[])
        .await;
    expect_failed(&lines, &[("key", &format!("lets in no pages of {ORIGIN}"))]);
}

#[tokio::test]
async fn a_wrong_path_is_named() {
    let lines = Stage::set(|_| ())
        .await
        .examine(&[("PUSHER_PATH", "/elsewhere")])
        .await;
    expect_failed(
        &lines,
        &[
            ("socket", "answers 404 to a WebSocket"),
            ("publish", "(PUSHER_PATH)"),
        ],
    );
}

#[tokio::test]
async fn an_address_that_refuses_connections_is_named() {
    let closed = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let lines = examine(&closed.to_string(), &closed.to_string(), &[]).await;
    let problem = format!("{closed} cannot be reached: nothing listens there");
    expect_failed(&lines, &[("socket", &problem), ("publish", &problem)]);
}

#[tokio::test]
async fn an_event_without_a_subscriber_is_not_called_published() {
    let closed = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap();
    let lines = examine(&Stage::set(|_| ()).await.api, &closed.to_string(), &[]).await;
    expect_failed(&lines, &[("socket", "nothing listens there")]);
    assert!(
        lines.last().unwrap().starts_with("publish: not checked, "),
        "{lines:#?}"
    );
}

#[tokio::test]
async fn a_name_that_leads_nowhere_is_named() {
    // A label is 63 bytes at most, so no resolver is asked for this one.
    let nowhere = format!("{}.invalid:80", "x".repeat(64));
    let problem = format!("{nowhere} cannot be reached: its name cannot be resolved");
    let lines = examine(&nowhere, &nowhere, &[]).await;
    expect_failed(&lines, &[("socket", &problem), ("publish", &problem)]);
    assert!(
        lines[1].starts_with("settings: WARNING, PUSHER_SCHEME: another machine, and "),
        "{lines:#?}"
    );
}

#[tokio::test]
async fn a_web_server_is_no_pusher_server() {
    let web = stage::serve(axum::Router::new().fallback(|| async { "<h1>It works!</h1>" }))
        .await
        .to_string();
    let lines = examine(&web, &web, &[]).await;
    expect_failed(
        &lines,
        &[
            ("socket", "answers 200 to a WebSocket"),
            ("publish", "no Pusher server's"),
        ],
    );
}

#[tokio::test]
async fn a_server_that_sends_its_sockets_elsewhere_is_named() {
    let one = Stage::set(|_| ()).await;
    let two = Stage::set(|_| ()).await;
    let lines = examine(&one.api, &two.sockets, &[]).await;
    expect_failed(&lines, &[("delivery", "two servers")]);
}
