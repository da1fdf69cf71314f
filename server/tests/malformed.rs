//! Requests that no browser sends: they are told apart from refused ones and from our own errors.

mod support;

use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
};
use support::{Server, has_status};
use tempfile::TempDir;

/// Sends just these bytes.
fn raw(server: &Server, request: &str) -> String {
    let mut stream = TcpStream::connect(server.addr).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut response = String::new();
    stream.read_to_string(&mut response).unwrap();
    response
}

/// The text of an answer, which is one line.
fn line(answer: &str) -> &str {
    let text = answer.split_once("\r\n\r\n").unwrap().1;
    assert_eq!(text.lines().count(), 1, "{answer}");
    text
}

#[test]
fn a_call_with_a_wrong_body_is_told_so_in_one_line() {
    let server = Server::start(&[]);
    let long = format!("token={}&again=false", "x".repeat(20_000));
    for call in ["begin", "status", "cancel"] {
        let path = format!("/api/{call}");
        for body in [
            "",
            "&",
            "again=false",
            "token=a&token=a&again=false",
            "token=a&token=b",
            "token[]=a&again=false",
            "token[a]=b",
            "{\"token\":\"a\"}",
            "token=a&again=maybe",
            "token=a&again=",
            "token=a&again=true&again=true",
        ] {
            let answer = server.post(&path, &[], body);
            assert!(
                has_status(&answer, 400) && line(&answer).contains("one token"),
                "{call} {body}: {answer}"
            );
        }
        let answer = server.post(&path, &[], &long);
        assert!(has_status(&answer, 413), "{answer}");
        line(&answer);
        for kind in [
            "application/json",
            "text/plain",
            "multipart/form-data; boundary=x",
            "x",
        ] {
            let kind = format!("Content-Type: {kind}");
            let answer = server.send(
                "POST",
                &path,
                &["Sec-Fetch-Site: same-origin", &kind],
                "token=a&again=false",
            );
            assert!(has_status(&answer, 400), "{kind}: {answer}");
            line(&answer);
        }
        let answer = server.send(
            "POST",
            &path,
            &["Sec-Fetch-Site: same-origin"],
            "token=a&again=false",
        );
        assert!(has_status(&answer, 400), "{answer}");
    }
    assert!(
        has_status(&server.post("/api/begin", &[], "token=a"), 400),
        "begin wants to know whether it is to begin again"
    );
    assert!(
        has_status(&server.post("/api/status", &[], "token=a&again=false"), 200),
        "what it does not need is left alone"
    );
}

#[test]
fn a_good_call_is_answered_however_it_is_encoded() {
    let server = Server::start(&[]);
    for body in [
        "token=a",
        "x=y&token=%61",
        "token=a&token%5B0%5D=b",
        "token=a&other[]=b&other[x",
    ] {
        let answer = server.post("/api/status", &[], body);
        assert!(
            has_status(&answer, 200) && answer.contains("unknown"),
            "{body}: {answer}"
        );
    }
    let answer = server.post("/api/status", &[], "token=%26again%3Dtrue");
    assert!(has_status(&answer, 404), "a token that is none: {answer}");
}

#[test]
fn a_subscription_with_a_wrong_body_is_told_so_in_one_line() {
    let server = Server::start(&[]);
    for body in [
        "",
        "token=a",
        "token=a&socket_id=1.2&channel_name=b&channel_name=b",
        "{}",
    ] {
        let answer = server.post("/pusher/auth", &[], body);
        assert!(
            has_status(&answer, 400) && line(&answer).contains("channel_name"),
            "{body}: {answer}"
        );
    }
    let long = format!("token=a&socket_id=1.2&channel_name={}", "x".repeat(20_000));
    assert!(has_status(&server.post("/pusher/auth", &[], &long), 413));
}

#[test]
fn a_form_that_cannot_be_read_is_not_refused_as_foreign() {
    let server = Server::start(&[]);
    let long = format!(
        "email=a%40example.com&password=b&code=1&choice=stay&proof={}",
        "x".repeat(20_000)
    );
    for path in [
        "/login",
        "/login/link",
        "/logout",
        "/continue",
        "/confirm/valid",
        "/confirm/valid/cancel",
        "/profile/password",
        "/profile/sessions/end",
    ] {
        let answer = server.post(path, &[], &long);
        assert!(
            has_status(&answer, 413) && answer.contains("<h1>Too much text</h1>"),
            "{path}: {answer}"
        );
    }
    for (path, body) in [
        ("/login", "email=a"),
        ("/login", "email=a&email=b&password=c"),
        ("/continue", ""),
    ] {
        let answer = server.post(path, &[], body);
        assert!(
            has_status(&answer, 400) && answer.contains("<h1>Request not understood</h1>"),
            "{path}: {answer}"
        );
    }
    assert!(has_status(
        &server.send("POST", "/login", &["Sec-Fetch-Site: cross-site"], &long),
        403
    ));
}

#[test]
fn a_request_has_one_host() {
    let server = Server::start(&[]);
    let own = server.addr.to_string();
    for path in ["/login", "/healthz", "/pkg/vestibule.js", "/api/status"] {
        for hosts in [
            format!("Host: {own}\r\nHost: {own}\r\n"),
            format!("Host: {own}\r\nhost: evil.example\r\n"),
            format!("Host: {own}, evil.example\r\n"),
            format!("Host: {own}/\r\n"),
            format!("Host: u@{own}\r\n"),
            format!("Host: {own}0000000\r\n"),
            "Host: a b\r\n".to_owned(),
            "Host:\r\n".to_owned(),
            String::new(),
        ] {
            let answer = raw(
                &server,
                &format!("GET {path} HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n"),
            );
            assert!(has_status(&answer, 400), "{path} {hosts}: {answer}");
        }
    }
    let good = raw(
        &server,
        &format!("GET /healthz HTTP/1.1\r\nHost: {own}\r\nConnection: close\r\n\r\n"),
    );
    assert!(has_status(&good, 200), "{good}");
    let target = raw(
        &server,
        &format!(
            "GET http://evil.example/login HTTP/1.1\r\nHost: {own}\r\nConnection: close\r\n\r\n"
        ),
    );
    assert!(
        has_status(&target, 403),
        "the host of the target counts: {target}"
    );
}

#[test]
fn a_head_that_is_too_long_is_answered() {
    let server = Server::start(&[]);
    let own = server.addr.to_string();
    let cookies = |count: usize| "vestibule-pending-0123456789abcdef=x; ".repeat(count);
    for (more, status) in [
        (format!("Cookie: {}\r\n", cookies(1_000)), 200),
        (format!("Cookie: {}\r\n", cookies(9_000)), 431),
        ("X-More: x\r\n".repeat(120), 431),
    ] {
        let answer = raw(
            &server,
            &format!("GET /login HTTP/1.1\r\nHost: {own}\r\nConnection: close\r\n{more}\r\n"),
        );
        assert!(has_status(&answer, status), "{status}, not {answer}");
    }
}

#[test]
fn a_file_that_cannot_be_is_not_found() {
    let site = TempDir::new().unwrap();
    fs::create_dir(site.path().join("pkg")).unwrap();
    fs::write(site.path().join("pkg/vestibule.js"), "export {}").unwrap();
    fs::write(site.path().join("secret.txt"), "not for anybody").unwrap();
    let server = Server::start(&[("LEPTOS_SITE_ROOT", &site.path().display().to_string())]);
    assert!(has_status(&server.get("/pkg/vestibule.js", &[]), 200));
    for path in [
        &format!("/pkg/{}", "x".repeat(600)),
        &format!("/pkg/{}", "x/".repeat(3_000)),
        "/pkg/",
        "/pkg/..%2fsecret.txt",
        "/pkg/../secret.txt",
        "/pkg/%00",
        "/pkg/%FF",
        "/pkg/vestibule.js/",
        "/pkg/vestibule.js.br",
        "/pkg/vestibule.js%00",
        "/secret.txt",
        "/favicon.ico",
    ] {
        assert!(has_status(&server.get(path, &[]), 404), "{path:.40}");
    }
    let head = server.send("HEAD", "/pkg/vestibule.js", &[], "");
    assert!(
        has_status(&head, 200)
            && head.contains("content-length: 9\r\n")
            && head.ends_with("\r\n\r\n"),
        "{head}"
    );
}

/// A server behind a proxy.
fn behind_a_proxy(trusted: &str) -> Server {
    Server::start(&[
        ("CONFIRM_PER_CLIENT", "1"),
        ("PUBLIC_URL", "https://sign-in.example"),
        ("TRUSTED_PROXIES", trusted),
        ("VALIDATOR_URL", "http://127.0.0.1:9/"),
        (
            "VESTIBULE_SECRET",
            "Y1ZtJ0vW8n3qkRu5xTgB2yLhPzXo7mEaQ9dKfCs4wUI=",
        ),
    ])
}

#[test]
fn a_client_behind_a_proxy_has_so_many_requests_under_way_and_leaves_others_theirs() {
    let server = behind_a_proxy("127.0.0.1");
    // The beginning of a form whose end never comes.
    let begun = |number: usize| {
        let mut stream = TcpStream::connect(server.addr).unwrap();
        let head = "POST /login HTTP/1.1\r\nHost: sign-in.example\r\nSec-Fetch-Site: same-origin\r\n\
                    Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 99\r\nConnection: close\r\n";
        let from = format!(
            "X-Forwarded-For: 192.0.2.{}, 203.0.113.7\r\n\r\nemail=",
            number % 250
        );
        stream
            .write_all(format!("{head}{from}").as_bytes())
            .unwrap();
        stream
    };
    // As many as it could have connections: two for its sockets, and 200. A few more, because a
    // slow machine may have lost one; those beyond are answered at once.
    let held: Vec<_> = (0..210).map(begun).collect();
    let get = |path: &str, from: &str| server.get(path, &[&format!("X-Forwarded-For: {from}")]);
    let is_full = || has_status(&get("/healthz", "203.0.113.7"), 503);
    assert!((0..10_000).any(|_| is_full()), "no more than 202 are taken");
    let mut refused = String::new();
    let mut one_more = begun(0);
    one_more.write_all(&[b'x'; 93]).unwrap();
    one_more.read_to_string(&mut refused).unwrap();
    assert!(
        has_status(&refused, 503) && refused.contains("retry-after: 5"),
        "{refused}"
    );
    for (path, status) in [
        ("/v1/session", 503),
        ("/.well-known/jwks.json", 503),
        // It is the proxy that asks this, about each request of the application.
        ("/v1/authorize", 401),
    ] {
        let answer = get(path, "203.0.113.7");
        assert!(has_status(&answer, status), "{path}: {answer}");
    }
    assert!(
        has_status(&get("/healthz", "203.0.113.8"), 200),
        "another client has its own"
    );
    drop(held);
    assert!(
        (0..10_000).any(|_| !is_full()),
        "what was under way is not any more"
    );
}
