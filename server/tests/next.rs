//! Where a sign-in by mail leads is kept with its link: on another device, and in each of several
//! tabs.

mod support;

use support::{Server, has_status};

const PASSWORD: &str = "/profile/password";

/// The cookies of an answer, after those that were there before, as a line of a request.
fn cookies(answer: &str, before: &str) -> String {
    let set = answer
        .lines()
        .filter_map(|line| line.strip_prefix("set-cookie: ")?.split(';').next());
    let kept = before.strip_prefix("Cookie: ").into_iter();
    format!("Cookie: {}", kept.chain(set).collect::<Vec<_>>().join("; "))
}

fn location(answer: &str) -> &str {
    answer
        .lines()
        .find_map(|line| line.strip_prefix("location: "))
        .expect("it leads somewhere")
}

/// The newest mail's link and code, once there are so many mails with links.
fn mail(server: &Server, count: usize) -> (String, String) {
    let page = (0..10_000).map(|_| server.get("/practice/mail", &[]));
    let page = page
        .into_iter()
        .find(|page| page.matches("Your link to sign in").count() == count)
        .expect("it comes");
    let newest = page.split("Your link to sign in").nth(1).unwrap();
    let link = newest
        .split_once("/confirm/")
        .unwrap()
        .1
        .split('"')
        .next()
        .unwrap();
    let code = newest
        .split_once("<code>")
        .unwrap()
        .1
        .split('<')
        .next()
        .unwrap();
    (format!("/confirm/{link}"), code.to_owned())
}

/// Signs in where the link was not asked for, and follows to where that leads.
fn opened_elsewhere(server: &Server, link: &str) -> String {
    let own = cookies(&server.get(link, &[]), "");
    assert!(has_status(&server.post(link, &[&own], ""), 303));
    server.get("/profile", &[&own])
}

#[test]
fn a_link_to_set_a_password_leads_there_on_another_device() {
    let server = Server::start(&[]);
    server.post(
        "/login/link",
        &[],
        "email=ada%40example.com&choice=%2Fprofile%2Fpassword",
    );
    let page = opened_elsewhere(&server, &mail(&server, 1).0);
    assert!(
        has_status(&page, 303) && location(&page) == PASSWORD,
        "{page}"
    );
}

#[test]
fn tabs_of_one_browser_are_each_led_to_where_they_asked_to_be() {
    let server = Server::start(&[]);
    let own = cookies(&server.get("/login", &[]), "");
    // One after another, and at once: none is held for another.
    let mut waiting = Vec::new();
    for (number, more) in [
        (1, "&choice=%2Fprofile%2Fpassword"),
        (2, ""),
        (3, "&next=%2Fprofile%2Faddress"),
    ] {
        let answer = server.post(
            "/login/link",
            &[&own],
            &format!("email=ada%40example.com{more}"),
        );
        assert!(!answer.contains("vestibule-next"), "{answer}");
        waiting.push((
            location(&answer).to_owned(),
            cookies(&answer, &own),
            mail(&server, number),
        ));
    }
    let (page, own, (_, code)) = &waiting[0];
    assert!(has_status(
        &server.post(&format!("{page}/code"), &[own], &format!("code={code}")),
        303
    ));
    let entered = server.get("/profile", &[own]);
    assert!(
        has_status(&entered, 303) && location(&entered) == PASSWORD,
        "{entered}"
    );
    let plain = opened_elsewhere(&server, &waiting[1].2.0);
    assert!(has_status(&plain, 200), "{plain}");
    let address = opened_elsewhere(&server, &waiting[2].2.0);
    assert!(
        has_status(&address, 303) && location(&address) == "/profile/address",
        "{address}"
    );
}

#[test]
fn the_return_path_is_kept_where_a_user_is_asked_who_they_want_to_be() {
    let server = Server::start(&[]);
    let practice = "email=practice%40example.com&password=open-sesame-42";
    let session = cookies(&server.post("/login", &[], practice), "");
    let answer = server.post(
        "/login/link",
        &[],
        "email=ada%40example.com&choice=%2Fprofile%2Fpassword",
    );
    let both = cookies(&answer, &session);
    let code = mail(&server, 1).1;
    assert!(has_status(
        &server.post(
            &format!("{}/code", location(&answer)),
            &[&both],
            &format!("code={code}")
        ),
        303
    ));
    let question = server.get("/profile", &[&both]);
    assert!(
        has_status(&question, 200) && question.contains("ada@example.com"),
        "{question}"
    );
    let choice = question
        .split("name=\"choice\" value=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let chosen = server.post("/continue", &[&both], &format!("choice={choice}"));
    assert!(
        has_status(&chosen, 303) && location(&chosen) == PASSWORD,
        "{chosen}"
    );
}

#[test]
fn no_link_leads_to_another_site_or_to_what_is_no_page() {
    let server = Server::start(&[]);
    for (number, bad) in (1..).zip([
        "https%3A%2F%2Fevil.example%2F",
        "%2F%2Fevil.example",
        "%2Flogout",
    ]) {
        server.post(
            "/login/link",
            &[],
            &format!("email=p{number}%40example.com&next={bad}"),
        );
        let page = opened_elsewhere(&server, &mail(&server, number).0);
        assert!(has_status(&page, 200), "{bad}: {page}");
    }
}

#[test]
fn a_used_link_names_no_address_and_leads_to_a_new_one_for_the_same_place() {
    let server = Server::start(&[]);
    server.post(
        "/login/link",
        &[],
        "email=ada%40example.com&choice=%2Fprofile%2Fpassword",
    );
    let link = mail(&server, 1).0;
    opened_elsewhere(&server, &link);
    let found = server.get(&link, &[]);
    assert!(
        found.contains("This link no longer works") && found.contains("a…@example.com"),
        "{found}"
    );
    assert!(!found.contains("ada@example.com"), "{found}");
    assert!(
        found.contains("href=\"/login?next=%2Fprofile%2Fpassword\""),
        "{found}"
    );
}
