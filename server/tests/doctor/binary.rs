//! The command itself: with the embedded broker, and what it exits with.

use std::{
    net::TcpListener,
    process::{Command, Output},
};
use tempfile::TempDir;

/// What `vestibule doctor` comes to with these settings, knowing nothing of this machine's own.
fn doctor(settings: &[(&str, &str)]) -> (Output, Vec<String>) {
    let data = TempDir::new().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
    command
        .arg("doctor")
        .env_clear()
        .env("VESTIBULE_DATA", data.path())
        .env("RUST_LOG", "error");
    let output = command.envs(settings.iter().copied()).output().unwrap();
    let lines = String::from_utf8(output.stdout.clone())
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect();
    (output, lines)
}

#[test]
fn where_no_server_runs_the_embedded_broker_is_tried_by_itself() {
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .to_string();
    let (output, lines) = doctor(&[("LEPTOS_SITE_ADDR", &closed)]);
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{output:?}"
    );
    assert!(
        lines[3].starts_with("push: ok, the embedded broker"),
        "{lines:#?}"
    );
    assert!(
        lines[4].starts_with("server: not checked, nothing listens at http://"),
        "{lines:#?}"
    );
    assert!(
        lines.last().unwrap().starts_with("delivery: ok, after "),
        "{lines:#?}"
    );
}

#[test]
fn what_fails_is_counted_on_one_line_and_no_panic_is_printed() {
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
        .to_string();
    let app = [
        ("PUSHER_APP_ID", "4711"),
        ("PUSHER_KEY", "the-key"),
        ("PUSHER_SECRET", "the-secret"),
    ];
    let place = [
        ("PRACTICE", "on"),
        ("PUSHER_HOST", "127.0.0.1"),
        ("PUSHER_PORT", &closed),
        ("PUSHER_SCHEME", "http"),
    ];
    let (output, _) = doctor(&[&app[..], &place].concat());
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "vestibule: 2 of these failed\n"
    );
}
