//! The way to a page of the application's: a browser has its session before it gets there.

#[path = "support/landing.rs"]
mod landing;
mod support;

use landing::call_begin;
use support::{Server, has_status};

fn location(answer: &str) -> &str {
    answer
        .lines()
        .find_map(|line| line.strip_prefix("location: "))
        .unwrap_or_default()
}

/// Signs in by a link, and returns the line of its cookies once it is confirmed, with where the
/// page leads.
fn confirmed(server: &Server, token: &str) -> (String, String) {
    let (answer, cookies) = call_begin(server, token);
    assert!(has_status(&answer, 200), "{answer}");
    loop {
        let status = server.post("/api/status", &[&cookies], &format!("token={token}"));
        assert!(has_status(&status, 200), "{status}");
        if let Some((_, way)) = status.split_once(r#""redirect":""#) {
            return (cookies, way.split('"').next().unwrap().to_owned());
        }
    }
}

/// The session's cookie that an answer sets, as a line to send.
fn session(answer: &str) -> Option<String> {
    let session = answer
        .lines()
        .find_map(|line| line.strip_prefix("set-cookie: vestibule-session="))?;
    Some(format!(
        "Cookie: vestibule-session={}",
        session.split(';').next().unwrap()
    ))
}

#[test]
fn a_sign_in_has_its_session_before_it_comes_to_a_page_that_is_not_ours() {
    let server = Server::start(&[("CONFIRM_REDIRECT", "/orders?id=7&x=a+b#new")]);
    let (cookies, way) = confirmed(&server, "valid-1");
    assert_eq!(way, "/enter?next=%2Forders%3Fid%3D7%26x%3Da%2Bb%23new");
    for look in [
        "Sec-Purpose: prefetch",
        "Sec-Fetch-Dest: image",
        "Sec-Fetch-Mode: cors",
    ] {
        let answer = server.get(&way, &[&cookies, look]);
        assert!(
            session(&answer).is_none() && location(&answer).starts_with("/login?next="),
            "{answer}"
        );
    }
    let answer = server.get(&way, &[&cookies]);
    assert_eq!(location(&answer), "/orders?id=7&x=a+b#new", "{answer}");
    let session = session(&answer).expect("a session");
    assert!(has_status(&server.get("/profile", &[&session]), 200));
    // With it, no other way round is needed.
    assert_eq!(
        location(&server.get(&way, &[&session])),
        "/orders?id=7&x=a+b#new"
    );
}

#[test]
fn the_way_leads_to_no_other_origin_and_to_none_of_our_own_forms() {
    let server = Server::start(&[]);
    let (cookies, way) = confirmed(&server, "valid-2");
    assert_eq!(way, "/profile", "a page of ours exchanges by itself");
    let session = session(&server.get(&way, &[&cookies])).expect("a session");
    for next in [
        "",
        "?next=",
        "?next=https://evil.example/",
        "?next=//evil.example",
        "?next=%2F%5Cevil.example",
        "?next=/enter%3Fnext%3D%2Fx",
        "?next=/%2565nter",
        "?next=/%254cogout",
        "?next=/logout",
        "?next=/login",
        "?next=/a/../b",
        "?other=/x",
    ] {
        let answer = server.get(&format!("/enter{next}"), &[&session]);
        assert!(
            has_status(&answer, 303) && location(&answer) == "/profile",
            "{next}: {answer}"
        );
    }
    assert_eq!(
        location(&server.get("/enter?next=/a/login%3Fb%3D1", &[&session])),
        "/a/login?b=1"
    );
}

#[test]
fn a_stranger_signs_in_first_and_is_led_on() {
    let server = Server::start(&[]);
    let asked = server.get("/enter?next=%2Forders%3Fid%3D7", &[]);
    assert_eq!(location(&asked), "/login?next=%2Forders%3Fid%3D7");
    let form = "email=practice%40example.com&password=open-sesame-42&next=%2Forders%3Fid%3D7";
    assert_eq!(location(&server.post("/login", &[], form)), "/orders?id=7");
    // A user who would be signed in by going on takes the same way.
    let (cookies, _) = confirmed(&server, "valid-3");
    let login = server.get("/login?next=%2Forders%3Fid%3D7", &[&cookies]);
    assert_eq!(
        location(&login),
        "/enter?next=%2Forders%3Fid%3D7",
        "{login}"
    );
}
