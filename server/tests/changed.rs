//! What happens once a user has changed how they sign in, or signs out.

mod support;

use support::{Server, has_status};

const SAID: [&str; 2] = ["Your password is set.", "Your address is changed."];

/// The cookies that an answer sets, as the line of a request.
fn cookies(answer: &str) -> String {
    let set = answer
        .lines()
        .filter_map(|line| line.strip_prefix("set-cookie: ")?.split(';').next());
    format!("Cookie: {}", set.collect::<Vec<_>>().join("; "))
}

fn sign_in(server: &Server, password: &str) -> String {
    let answer = server.post(
        "/login",
        &[],
        &format!("email=practice%40example.com&password={password}"),
    );
    assert!(has_status(&answer, 303), "{answer}");
    cookies(&answer)
}

#[test]
fn no_link_makes_the_profile_say_that_something_was_changed() {
    let server = Server::start(&[]);
    let session = sign_in(&server, "open-sesame-42");
    for path in [
        "/profile?changed=password",
        "/profile?changed=address",
        "/profile?changed=password&changed=password",
        "/profile?changed=%70assword",
        "/profile?changed=",
    ] {
        for more in ["", "; vestibule-changed=", "; vestibule-changed=x"] {
            let page = server.get(path, &[&format!("{session}{more}")]);
            assert!(has_status(&page, 200), "{page}");
            assert!(
                !SAID.iter().any(|said| page.contains(said)),
                "{path} {more}: {page}"
            );
        }
    }
}

#[test]
fn a_user_who_has_set_a_password_is_told_so_for_a_minute() {
    let server = Server::start(&[]);
    let session = sign_in(&server, "open-sesame-42");
    let answer = server.post(
        "/profile/password",
        &[&session],
        "current=open-sesame-42&password=six+purple+lanterns+wait",
    );
    assert!(
        has_status(&answer, 303) && answer.contains("location: /profile?changed=password\r\n"),
        "{answer}"
    );
    let cookie = answer
        .lines()
        .find(|line| line.starts_with("set-cookie: vestibule-changed="))
        .expect("a cookie");
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("Max-Age=60"),
        "{cookie}"
    );
    let own = cookies(&answer);
    let page = server.get("/profile?changed=password", &[&own]);
    assert!(page.contains(SAID[0]) && !page.contains(SAID[1]), "{page}");
    for path in ["/profile", "/profile?changed=address"] {
        let page = server.get(path, &[&own]);
        assert!(
            has_status(&page, 200) && !SAID.iter().any(|said| page.contains(said)),
            "{path}: {page}"
        );
    }
}

#[test]
fn signing_out_leaves_nothing_in_the_browser_but_that_it_is_known() {
    let server = Server::start(&[]);
    for form in ["", "everywhere=1"] {
        let session = sign_in(&server, "open-sesame-42");
        let answer = server.post("/logout", &[&session], form);
        assert!(has_status(&answer, 303), "{answer}");
        assert!(
            answer.contains("clear-site-data: \"cache\", \"storage\"\r\n"),
            "{answer}"
        );
        assert!(!answer.contains("vestibule-known=;"), "{answer}");
    }
    let foreign = server.send("POST", "/logout", &["Sec-Fetch-Site: cross-site"], "");
    assert!(
        has_status(&foreign, 403) && !foreign.contains("clear-site-data"),
        "{foreign}"
    );
}

#[test]
fn who_has_found_an_old_session_ends_others_so_often_and_its_browser_is_known_no_more_than_theirs()
{
    let server = Server::start(&[]);
    let own = sign_in(&server, "open-sesame-42");
    let other = sign_in(&server, "open-sesame-42");
    let end = |session: &str| server.post("/profile/sessions/end", &[session], "choice=others");
    let answer = end(&own);
    assert!(has_status(&answer, 303), "{answer}");
    assert!(
        answer.contains("set-cookie: vestibule-known="),
        "whoever is fresh stays known: {answer}"
    );
    assert!(
        has_status(&server.get("/profile", &[&other]), 303),
        "the other one is thrown out"
    );
    let tries = (1..100)
        .map(|_| end(&own))
        .position(|answer| has_status(&answer, 429));
    assert_eq!(tries, Some(9));
}
