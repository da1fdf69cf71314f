//! What every answer says to browsers, whatever it is an answer to.

mod support;

use std::fs;
use support::{Server, has_status};
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
fn server(site: &TempDir, more: &[(&str, &str)]) -> Server {
    let root = site.path().display().to_string();
    let settings = [
        ("LEPTOS_SITE_ROOT", root.as_str()),
        ("PUBLIC_URL", "https://sign-in.example"),
        ("TRUSTED_PROXIES", "127.0.0.1"),
        ("VALIDATOR_URL", "http://127.0.0.1:9/"),
        (
            "VESTIBULE_SECRET",
            "Y1ZtJ0vW8n3qkRu5xTgB2yLhPzXo7mEaQ9dKfCs4wUI=",
        ),
    ];
    Server::start(&[&settings[..], more].concat())
}

/// Answers of each kind, by the status that they should have.
fn answers(server: &Server) -> Vec<(u16, String)> {
    let foreign = ["Sec-Fetch-Site: cross-site"];
    vec![
        (200, server.get("/login", &[])),
        (200, server.get("/confirm/some-token", &[])),
        (303, server.get("/", &[])),
        (303, server.get("/profile", &[])),
        (404, server.get("/nowhere", &[])),
        (404, server.get("/pkg/nothing.js", &[])),
        (200, server.get("/pkg/vestibule.js", &[])),
        (304, server.get("/pkg/vestibule.js", &["If-None-Match: *"])),
        (405, server.post("/pkg/vestibule.js", &[], "")),
        (200, server.get("/favicon.svg", &[])),
        (200, server.get("/healthz", &[])),
        (200, server.get("/readyz", &[])),
        (400, server.get("/app/some-key?protocol=7", &[])),
        (400, server.get("/login", &["Host: another"])),
        (400, server.post("/api/begin", &[], "")),
        (
            413,
            server.post("/api/status", &[], &format!("token={}", "x".repeat(20_000))),
        ),
        (404, server.post("/api/nothing", &[], "")),
        (400, server.post("/pusher/auth", &[], "")),
        (
            422,
            server.post("/login", &[], "email=a@example.com&password=b"),
        ),
        (403, server.send("POST", "/login", &foreign, "")),
        (303, server.post("/logout", &[], "")),
    ]
}

#[test]
fn every_answer_forbids_to_be_framed_guessed_at_and_embedded() {
    let site = site();
    for (status, answer) in answers(&server(&site, &[])) {
        assert!(has_status(&answer, status), "{status}: {answer}");
        let policies: Vec<_> = answer
            .lines()
            .filter(|line| line.starts_with("content-security-policy: "))
            .collect();
        assert_eq!(policies.len(), 1, "{answer}");
        for rule in ["default-src 'none'", "frame-ancestors 'none'"] {
            assert!(policies[0].contains(rule), "{answer}");
        }
        assert!(
            answer.contains("x-content-type-options: nosniff\r\n"),
            "{answer}"
        );
        assert!(
            answer.contains("cross-origin-resource-policy: same-origin\r\n"),
            "{answer}"
        );
        assert!(
            answer.contains("referrer-policy: strict-origin\r\n"),
            "{answer}"
        );
    }
}

#[test]
fn no_answer_is_for_another_site_and_each_says_what_it_is() {
    let site = site();
    let server = server(&site, &[]);
    let foreign = [
        "Origin: https://elsewhere.example",
        "Access-Control-Request-Method: POST",
    ];
    let preflights = ["/login", "/api/begin", "/pusher/auth", "/pkg/vestibule.js"];
    let preflights = preflights.map(|path| server.send("OPTIONS", path, &foreign, ""));
    let all = answers(&server)
        .into_iter()
        .map(|(_, answer)| answer)
        .chain(preflights);
    for answer in all {
        assert!(!answer.contains("access-control-"), "{answer}");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let of_what = head
            .lines()
            .find_map(|line| line.strip_prefix("content-type: "));
        let typed = [
            "text/html; charset=utf-8",
            "text/plain; charset=utf-8",
            "application/json",
            "image/svg+xml",
        ];
        let typed = [
            &typed[..],
            &[
                "text/javascript; charset=utf-8",
                "text/javascript",
                "application/javascript",
            ],
        ]
        .concat();
        assert!(
            body.is_empty() || of_what.is_some_and(|of_what| typed.contains(&of_what)),
            "{answer}"
        );
        assert!(
            !body.starts_with("<!DOCTYPE html>") || of_what == Some("text/html; charset=utf-8"),
            "{answer}"
        );
    }
}

#[test]
fn every_answer_has_browsers_come_by_https_alone() {
    let site = site();
    for (settings, value) in [
        (&[][..], "max-age=31536000; includeSubDomains"),
        (
            &[("HSTS_SUBDOMAINS", "include")],
            "max-age=31536000; includeSubDomains",
        ),
        (&[("HSTS_SUBDOMAINS", "exclude")], "max-age=31536000"),
    ] {
        for (_, answer) in answers(&server(&site, settings)) {
            let lines: Vec<_> = answer
                .lines()
                .filter_map(|line| line.strip_prefix("strict-transport-security: "))
                .collect();
            assert_eq!(lines, [value], "{answer}");
        }
    }
}

#[test]
fn a_server_that_is_not_reached_by_https_says_nothing_of_it() {
    let server = Server::start(&[]);
    for path in ["/", "/login", "/healthz", "/nowhere"] {
        let answer = server.get(path, &[]);
        assert!(!answer.contains("strict-transport-security"), "{answer}");
    }
}

#[test]
fn only_pages_that_have_a_script_allow_any() {
    let server = Server::start(&[]);
    for path in ["/", "/login", "/nowhere", "/practice/mail"] {
        let answer = server.get(path, &[]);
        assert!(
            !answer.contains("<script") && !answer.contains("script-src"),
            "{answer}"
        );
        assert!(
            !answer.contains("strict-dynamic") && !answer.contains("wasm-unsafe-eval"),
            "{answer}"
        );
    }
}
