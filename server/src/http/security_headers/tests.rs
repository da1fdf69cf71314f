//! What every answer says to browsers, whatever it is an answer to.

use crate::testing::{IN_USE, TestApp, TestResponse};
use axum::http::Method;
use std::fs;
use tempfile::TempDir;

/// A site of one script.
fn site() -> TempDir {
    let site = TempDir::new().unwrap();
    fs::create_dir(site.path().join("pkg")).unwrap();
    fs::write(site.path().join("pkg/vestibule.js"), "export {}").unwrap();
    fs::write(site.path().join("favicon.svg"), "<svg/>").unwrap();
    site
}

/// A server that browsers come to by HTTPS.
async fn server(site: &TempDir, more: &[(&str, &str)]) -> TestApp {
    let root = site.path().display().to_string();
    let own = [
        ("LEPTOS_SITE_ROOT", root.as_str()),
        ("TRUSTED_PROXIES", "127.0.0.1"),
    ];
    TestApp::with(&[&IN_USE[..], &own, more].concat()).await
}

/// Answers of each kind, which have the status that they should have.
async fn answers(app: &TestApp) -> Vec<TestResponse> {
    let browser = app.browser();
    let mut answers = Vec::new();
    for (status, path) in [
        (200, "/login"),
        (200, "/confirm/some-token"),
        (303, "/"),
        (303, "/profile"),
        (404, "/nowhere"),
        (404, "/pkg/nothing.js"),
        (200, "/pkg/vestibule.js"),
        (200, "/favicon.svg"),
        (200, "/healthz"),
        (200, "/readyz"),
        (400, "/app/some-key?protocol=7"),
    ] {
        answers.push((status, browser.clone().open(path).await));
    }
    let mut cached = browser.sending("if-none-match", "*");
    answers.push((304, cached.open("/pkg/vestibule.js").await));
    let mut two_hosts = browser.clone();
    let other = [("host", "sign-in.example"), ("host", "another")];
    let mut sent = browser.sending("host", "");
    let answer = sent
        .send(Method::GET, "/login", &other, String::new())
        .await;
    answers.push((400, answer));
    let long = "x".repeat(20_000);
    let wrong = [("email", "a@example.com"), ("password", "b")];
    for (status, path, fields) in [
        (405, "/pkg/vestibule.js", &[][..]),
        (400, "/api/begin", &[]),
        (413, "/api/status", &[("token", long.as_str())]),
        (404, "/api/nothing", &[]),
        (400, "/pusher/auth", &[]),
        (422, "/login", &wrong),
        (303, "/logout", &[]),
    ] {
        answers.push((status, two_hosts.submit(path, fields).await));
    }
    let foreign = [("sec-fetch-site", "cross-site")];
    let answer = browser.clone().post("/login", &foreign, &[]).await;
    answers.push((403, answer));
    answers
        .into_iter()
        .map(|(status, answer)| answer.assert_status(status))
        .collect()
}

/// All values of a header.
fn values<'r>(answer: &'r TestResponse, name: &str) -> Vec<&'r str> {
    let values = answer.headers.get_all(name).iter();
    values.map(|value| value.to_str().unwrap()).collect()
}

#[tokio::test]
async fn every_answer_forbids_to_be_framed_guessed_at_and_embedded() {
    let site = site();
    for answer in answers(&server(&site, &[]).await).await {
        let policies = values(&answer, "content-security-policy");
        assert_eq!(policies.len(), 1, "{answer:#?}");
        for rule in ["default-src 'none'", "frame-ancestors 'none'"] {
            assert!(policies[0].contains(rule), "{answer:#?}");
        }
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("cross-origin-resource-policy", "same-origin"),
            ("referrer-policy", "strict-origin"),
        ] {
            assert_eq!(values(&answer, name), [value], "{answer:#?}");
        }
    }
}

#[tokio::test]
async fn no_answer_is_for_another_site_and_each_says_what_it_is() {
    const TYPES: [&str; 7] = [
        "text/html; charset=utf-8",
        "text/plain; charset=utf-8",
        "application/json",
        "image/svg+xml",
        "text/javascript; charset=utf-8",
        "text/javascript",
        "application/javascript",
    ];
    let site = site();
    let app = server(&site, &[]).await;
    let mut all = answers(&app).await;
    let foreign = [
        ("origin", "https://elsewhere.example"),
        ("access-control-request-method", "POST"),
    ];
    for path in ["/login", "/api/begin", "/pusher/auth", "/pkg/vestibule.js"] {
        let mut browser = app.browser();
        let preflight = browser.send(Method::OPTIONS, path, &foreign, String::new());
        all.push(preflight.await);
    }
    for answer in all {
        let names = answer.headers.keys();
        let shared = names
            .filter(|name| name.as_str().starts_with("access-control-"))
            .count();
        assert_eq!(shared, 0, "{answer:#?}");
        let kind = answer.header("content-type");
        assert!(
            answer.body.is_empty() || kind.is_some_and(|kind| TYPES.contains(&kind)),
            "{answer:#?}"
        );
        assert!(
            !answer.body.starts_with("<!DOCTYPE html>") || kind == Some(TYPES[0]),
            "{answer:#?}"
        );
    }
}

#[tokio::test]
async fn every_answer_has_browsers_come_by_https_alone() {
    let site = site();
    for (settings, value) in [
        (&[][..], "max-age=31536000; includeSubDomains"),
        (
            &[("HSTS_SUBDOMAINS", "include")],
            "max-age=31536000; includeSubDomains",
        ),
        (&[("HSTS_SUBDOMAINS", "exclude")], "max-age=31536000"),
    ] {
        for answer in answers(&server(&site, settings).await).await {
            let found = values(&answer, "strict-transport-security");
            assert_eq!(found, [value], "{answer:#?}");
        }
    }
}

#[tokio::test]
async fn a_server_that_is_not_reached_by_https_says_nothing_of_it() {
    let app = TestApp::start().await;
    for path in ["/", "/login", "/healthz", "/nowhere"] {
        let answer = app.browser().open(path).await;
        assert_eq!(answer.header("strict-transport-security"), None, "{path}");
    }
}

#[tokio::test]
async fn only_pages_that_have_a_script_allow_any() {
    let app = TestApp::start().await;
    for path in ["/", "/login", "/nowhere", "/practice/mail"] {
        let answer = app.browser().open(path).await;
        let policy = answer.header("content-security-policy").unwrap().to_owned();
        for word in ["script-src", "strict-dynamic", "wasm-unsafe-eval"] {
            assert!(!policy.contains(word), "{policy}");
        }
        answer.assert_does_not_say("<script");
    }
}
