//! A client that begins too much is told to come later, and cannot choose what it is counted as.

#[path = "support/landing.rs"]
mod landing;
mod support;

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};
use support::{Server, has_status};

/// A server behind a proxy, where a client may have one undecided sign-in and the validator never
/// answers.
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

/// Opens a link and continues by its form, with `more` lines in the heads.
fn continued(server: &Server, token: &str, more: &[&str]) -> String {
    let path = format!("/confirm/{token}");
    let cookies = landing::cookies_of(server, &path, more);
    server.post(&path, &[more, &[&*cookies]].concat(), "")
}

/// Begins with the page's form, through a proxy that reports `forwarded_for` as the client.
fn begin(server: &Server, forwarded_for: &str) -> String {
    continued(
        server,
        "down",
        &[&format!("X-Forwarded-For: {forwarded_for}")],
    )
}

#[test]
fn a_form_over_the_cap_is_a_page_that_says_when_to_come_again() {
    let server = Server::start(&[("CONFIRM_PER_CLIENT", "1")]);
    assert!(has_status(&continued(&server, "down-1", &[]), 303));
    let refused = continued(&server, "down-2", &[]);
    assert!(
        has_status(&refused, 429) && refused.contains("retry-after: 60"),
        "{refused}"
    );
    assert!(
        refused.contains("Too many requests") && !refused.contains("set-cookie"),
        "{refused}"
    );
    assert!(
        has_status(&server.get("/confirm/down-2", &[]), 200),
        "a landing stores nothing and is free"
    );
}

#[test]
fn a_call_over_the_cap_is_told_the_same() {
    let server = Server::start(&[("CONFIRM_PER_CLIENT", "1")]);
    assert!(has_status(&landing::call_begin(&server, "down-1").0, 200));
    let refused = landing::call_begin(&server, "down-2").0;
    assert!(
        has_status(&refused, 429) && refused.contains("retry-after: 60"),
        "{refused}"
    );
    assert!(refused.contains("TooMany"), "{refused}");
}

#[test]
fn where_all_is_full_the_server_is_not_available_just_now() {
    let server = Server::start(&[("CONFIRM_UNDECIDED", "1")]);
    assert!(has_status(&continued(&server, "down-1", &[]), 303));
    for refused in [
        continued(&server, "down-2", &[]),
        landing::call_begin(&server, "down-2").0,
    ] {
        assert!(
            has_status(&refused, 503) && refused.contains("retry-after: 5"),
            "{refused}"
        );
    }
}

#[test]
fn behind_a_trusted_proxy_each_client_has_a_cap_of_its_own() {
    let server = behind_a_proxy("10.0.0.0/8,127.0.0.1");
    assert!(has_status(&begin(&server, "203.0.113.1"), 303));
    assert!(has_status(&begin(&server, "203.0.113.1"), 429));
    assert!(has_status(&begin(&server, "203.0.113.2"), 303));
    assert!(has_status(&begin(&server, "2001:db8::1"), 303));
    assert!(
        has_status(&begin(&server, "2001:db8::2"), 429),
        "the same /64"
    );
}

#[test]
fn a_client_gets_no_second_cap_by_what_it_says_of_itself() {
    let server = behind_a_proxy("127.0.0.1");
    assert!(has_status(&begin(&server, "203.0.113.1"), 303));
    assert!(
        has_status(&begin(&server, "198.51.100.7, 203.0.113.1"), 429),
        "the proxy appends whom it knows"
    );
    let server = behind_a_proxy("10.0.0.0/8");
    assert!(has_status(&begin(&server, "203.0.113.1"), 303));
    assert!(
        has_status(&begin(&server, "203.0.113.2"), 429),
        "nobody trusts who has connected"
    );
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
    // As many as it could have connections: two for its sockets, and 200. A few more, because a slow
    // machine may have lost one; those beyond are answered at once.
    let held: Vec<_> = (0..210).map(begun).collect();
    let healthz = |from: &str| server.get("/healthz", &[&format!("X-Forwarded-For: {from}")]);
    let is_full = || has_status(&healthz("203.0.113.7"), 503);
    assert!((0..10_000).any(|_| is_full()), "no more than 202 are taken");
    let mut refused = String::new();
    let mut one_more = begun(0);
    one_more.write_all(&[b'x'; 93]).unwrap();
    one_more.read_to_string(&mut refused).unwrap();
    assert!(
        has_status(&refused, 503) && refused.contains("retry-after: 5"),
        "{refused}"
    );
    assert!(
        has_status(&healthz("203.0.113.8"), 200),
        "another client has its own"
    );
    drop(held);
    assert!(
        (0..10_000).any(|_| !is_full()),
        "what was under way is not any more"
    );
}

#[test]
fn a_client_begins_so_often_and_repeats_what_has_begun_as_often_as_it_likes() {
    let server = Server::start(&[]);
    let path = "/confirm/invalid-0";
    let first = landing::cookies_of(&server, path, &[]);
    assert!(has_status(&server.post(path, &[&first], ""), 303));
    let begins = (1..1000).map(|number| continued(&server, &format!("invalid-{number}"), &[]));
    let refused = begins
        .into_iter()
        .find(|answer| !has_status(answer, 303))
        .expect("it ends");
    assert!(
        has_status(&refused, 429) && refused.contains("retry-after: 60"),
        "{refused}"
    );
    for again in ["again=1", "again=", "again"] {
        let refused = server.post(path, &[&first], again);
        assert!(has_status(&refused, 429), "it would begin anew: {refused}");
    }
    let anew = server.post(path, &[&first], "again=");
    assert!(has_status(&anew, 429), "it would begin anew: {anew}");
    for _ in 0..20 {
        assert!(
            has_status(&server.post(path, &[&first], ""), 303),
            "it has begun already"
        );
    }
}
