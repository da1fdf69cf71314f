//! Addresses that forms are sent to answer a GET as well: a reload, the history and Enter in the
//! address bar ask for them.

mod support;

use support::{Server, has_status};

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
fn each_form_leads_to_the_page_that_it_is_on() {
    let server = Server::start(&[]);
    let signed_in = server.post(
        "/login",
        &[],
        "email=practice%40example.com&password=open-sesame-42",
    );
    let cookie = signed_in
        .lines()
        .find_map(|line| line.strip_prefix("set-cookie: vestibule-session="))
        .unwrap();
    let cookie = format!(
        "Cookie: vestibule-session={}",
        cookie.split(';').next().unwrap()
    );
    for (form, page) in [
        ("/login/link", "/login"),
        ("/login/wait/valid-1/code", "/login/wait/valid-1"),
        ("/login/wait/valid-1/again", "/login/wait/valid-1"),
        ("/confirm/valid-1/pick", "/confirm/valid-1"),
        ("/confirm/valid-1/cancel", "/confirm/valid-1"),
        ("/confirm/%E2%82%AC/cancel", "/confirm/%E2%82%AC"),
        ("/continue", "/profile"),
        ("/logout", "/profile"),
        ("/profile/sessions/end", "/profile"),
    ] {
        for cookies in [&[][..], &[cookie.as_str()]] {
            let answer = server.get(form, cookies);
            assert_eq!(leads_to(&answer), Some(page), "{form}: {answer}");
            assert!(!answer.contains("set-cookie"), "{form}: {answer}");
        }
    }
    assert!(
        has_status(&server.get("/profile", &[&cookie]), 200),
        "nothing was done by looking"
    );
    // Forms on a page of their own address.
    for page in ["/login", "/profile/password", "/profile/address"] {
        assert!(
            has_status(
                &server.get(page, &[&cookie]),
                if page == "/login" { 303 } else { 200 }
            ),
            "{page}"
        );
    }
}
