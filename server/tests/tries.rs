//! Password attempts are limited, but a browser known to the account can still sign in.

mod support;

use support::{Server, has_status};

const GUESS: &str = "email=practice%40example.com&password=guessed";
const RIGHT: &str = "email=practice%40example.com&password=open-sesame-42";

#[test]
fn an_account_is_tried_so_often_and_its_own_browser_goes_on() {
    let server = Server::start(&[]);
    let answer = server.post("/login", &[], RIGHT);
    let known = answer
        .lines()
        .find_map(|line| line.strip_prefix("set-cookie: vestibule-known="))
        .expect("it is known");
    let known = format!(
        "Cookie: vestibule-known={}",
        known.split(';').next().unwrap()
    );
    // The right password counted as a try as well.
    for _ in 0..19 {
        assert!(has_status(&server.post("/login", &[], GUESS), 422));
    }
    let refused = server.post("/login", &[], RIGHT);
    assert!(
        has_status(&refused, 429) && refused.contains("retry-after: "),
        "{refused}"
    );
    assert!(
        refused.contains("Too many tries. Try again in ")
            && refused.contains("value=\"practice@example.com\""),
        "{refused}"
    );
    assert!(
        has_status(&server.get("/login", &[]), 200),
        "to look is free"
    );
    assert!(has_status(
        &server.post("/login", &["Cookie: vestibule-known=AAAA"], RIGHT),
        429
    ));
    assert!(has_status(&server.post("/login", &[&known], RIGHT), 303));
}

#[test]
fn an_account_is_tried_so_often_from_everywhere_together() {
    let server = Server::start(&[
        ("TRUSTED_PROXIES", "127.0.0.1"),
        ("PUBLIC_URL", "https://sign-in.example"),
        ("VALIDATOR_URL", "http://127.0.0.1:9/"),
        (
            "VESTIBULE_SECRET",
            "Y1ZtJ0vW8n3qkRu5xTgB2yLhPzXo7mEaQ9dKfCs4wUI=",
        ),
    ]);
    let from = |number: usize| format!("X-Forwarded-For: 203.0.113.{number}");
    for number in 0..20 {
        assert!(has_status(
            &server.post("/login", &[&from(number)], GUESS),
            422
        ));
    }
    assert!(has_status(&server.post("/login", &[&from(99)], GUESS), 429));
    assert!(has_status(
        &server.post(
            "/login",
            &[&from(99)],
            "email=bob%40example.com&password=guessed"
        ),
        422
    ));
}
