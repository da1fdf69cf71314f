//! Links as mail programs and people hand them on: with more around them than was sent.

mod support;

use support::{Server, has_status};

/// Where the answer leads.
fn leads_to(answer: &str) -> Option<&str> {
    has_status(answer, 303)
        .then(|| {
            answer
                .lines()
                .find_map(|line| line.strip_prefix("location: "))
        })
        .flatten()
}

#[test]
fn what_no_token_may_contain_is_cut_off_by_a_redirect() {
    let server = Server::start(&[]);
    for junk in [
        ")",
        ",",
        "%22",
        "%20",
        "%E2%80%8B",
        "&utm_source=news",
        "%3E",
        "'",
        ";",
        "!",
        "%3F",
        "%E2%80%9D",
        "%C2%A0",
        "%A0",
        "%EF%BC%89",
        "%E3%80%82",
        "=%0D%0A",
        "*",
        "%5D",
        ":",
    ] {
        let page = server.get(&format!("/confirm/valid-1{junk}"), &[]);
        assert_eq!(leads_to(&page), Some("/confirm/valid-1"), "{junk}");
        assert!(!page.contains("set-cookie"), "{page}");
    }
    for junk in ["=", "=3D", "%3D", "%3D3D", "%3C", "(", "%E2%80%8B"] {
        assert_eq!(
            leads_to(&server.get(&format!("/confirm/{junk}valid-1"), &[])),
            Some("/confirm/valid-1"),
            "{junk}"
        );
    }
    assert_eq!(
        leads_to(&server.get("/confirm/valid-1)/wait?x=1", &[])),
        Some("/confirm/valid-1/wait")
    );
    for path in ["/confirm/valid-1)", "/confirm/valid-1)/cancel"] {
        assert_eq!(
            leads_to(&server.post(path, &[], "")),
            Some("/confirm/valid-1"),
            "{path}"
        );
    }
    assert_eq!(
        leads_to(&server.get("/login/wait/abc%20", &[])),
        Some("/login/wait/abc")
    );
}

#[test]
fn what_a_token_may_contain_is_left_to_its_validator() {
    let server = Server::start(&[]);
    for token in [
        "valid-1.",
        "valid-1-",
        "valid-1_",
        "valid-1~",
        "3Dvalid-1",
        "valid%2D1",
    ] {
        assert!(
            has_status(&server.get(&format!("/confirm/{token}"), &[]), 200),
            "{token}"
        );
    }
    for none in [
        "/confirm/)",
        "/confirm/=3D",
        "/confirm/%20%20",
        &format!("/confirm/{}", "x".repeat(513)),
    ] {
        assert!(has_status(&server.get(none, &[]), 404), "{none}");
    }
}

#[test]
fn a_link_of_our_own_is_good_whatever_stands_around_it() {
    let server = Server::start(&[]);
    server.post("/login/link", &[], "email=practice%40example.com");
    let link = loop {
        let mails = server.get("/practice/mail", &[]);
        if let Some((_, rest)) = mails.split_once("/confirm/") {
            break rest.split('"').next().unwrap().to_owned();
        }
    };
    let clean = format!("/confirm/{link}");
    for (before, after) in [
        ("", "."),
        ("", "-"),
        ("", "_"),
        ("", "~"),
        ("3D", ""),
        ("=3D", ")."),
    ] {
        assert_eq!(
            leads_to(&server.get(&format!("/confirm/{before}{link}{after}"), &[])),
            Some(&*clean)
        );
    }
    let page = server.get(&clean, &[]);
    assert!(
        has_status(&page, 200) && page.contains("Sign in as "),
        "{page}"
    );
}
