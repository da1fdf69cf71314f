//! Vestibule's routes in an application of its own, as `server/examples/embed.rs` has them.

use axum::{Router, routing::get};
use std::panic::{AssertUnwindSafe, catch_unwind};
use tempfile::TempDir;
use vestibule_server::{Config, config::RawSettings};

async fn page() -> &'static str {
    "A page of the application itself."
}

#[tokio::test]
async fn the_routes_go_beside_others_but_for_the_same_path_or_a_second_fallback() {
    let data = TempDir::new().unwrap();
    let given = RawSettings::from_lookup(|setting| match setting.key {
        "VESTIBULE_DATA" => Some(data.path().display().to_string()),
        "LEPTOS_SITE_ADDR" => Some("127.0.0.1:0".to_owned()),
        _ => None,
    });
    let (sign_ins, running) = vestibule_server::router(Config::read(&given).unwrap())
        .await
        .unwrap();
    let merges = |application: Router| {
        let merged = catch_unwind(AssertUnwindSafe(|| application.merge(sign_ins.clone())));
        merged.is_ok()
    };
    assert!(merges(Router::new().route("/hello", get(page))));
    for path in ["/", "/login", "/enter"] {
        assert!(!merges(Router::new().route(path, get(page))), "{path}");
    }
    assert!(!merges(
        Router::new().route("/hello", get(page)).fallback(page)
    ));
    running.shutdown().await;
}
