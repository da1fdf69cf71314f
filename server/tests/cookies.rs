//! What a browser has to show before anything is begun for it, and what its cookies survive.

#[path = "support/landing.rs"]
mod landing;
mod support;

use support::{Server, has_status};

const NO_COOKIES: &str = "keeps no cookies for this site";

/// A jar for the cookies of a browser.
#[derive(Default)]
struct Jar(Vec<(String, String)>);

impl Jar {
    fn line(&self) -> String {
        let pairs = self.0.iter().map(|(name, value)| format!("{name}={value}"));
        format!("Cookie: {}", pairs.collect::<Vec<_>>().join("; "))
    }

    fn take(&mut self, answer: &str) {
        for set in answer
            .lines()
            .filter_map(|line| line.strip_prefix("set-cookie: "))
        {
            let (name, value) = set.split(';').next().unwrap().split_once('=').unwrap();
            self.0.retain(|(kept, _)| kept != name);
            if !set.contains("Max-Age=0") {
                self.0.push((name.to_owned(), value.to_owned()));
            }
        }
    }

    fn open(&mut self, server: &Server, token: &str, site: &str) -> String {
        let page = server.get(
            &format!("/confirm/{token}"),
            &[&self.line(), &format!("Sec-Fetch-Site: {site}")],
        );
        self.take(&page);
        page
    }

    fn begin(&mut self, server: &Server, token: &str) -> String {
        let answer = server.post(
            "/api/begin",
            &[&self.line()],
            &format!("token={token}&again=false"),
        );
        self.take(&answer);
        answer
    }
}

#[test]
fn a_waiting_page_without_the_cookie_of_its_landing_leads_there() {
    let server = Server::start(&[]);
    let page = server.get("/confirm/valid-7/wait", &[]);
    assert!(
        has_status(&page, 303) && page.contains("location: /confirm/valid-7\r\n"),
        "{page}"
    );
    assert!(
        !page.contains("set-cookie: "),
        "the landing sets it: {page}"
    );
    let landed = landing::cookies_of(&server, "/confirm/valid-7", &[]);
    assert!(has_status(
        &server.get("/confirm/valid-7/wait", &[&landed]),
        200
    ));
}

#[test]
fn a_begin_without_the_cookie_of_its_landing_begins_nothing_and_says_why() {
    let server = Server::start(&[("CONFIRM_PER_CLIENT", "1")]);
    let another = landing::cookies_of(&server, "/confirm/down-other", &[]);
    for cookies in [
        "X-None: 1",
        &another,
        "Cookie: vestibule-pending-0000000000000000=AAAA",
    ] {
        let call = server.post("/api/begin", &[cookies], "token=down-1&again=false");
        assert!(
            has_status(&call, 422) && call.contains("NoCookie") && !call.contains("set-cookie"),
            "{call}"
        );
        for form in ["", "again=1"] {
            let page = server.post("/confirm/down-1", &[cookies], form);
            assert!(
                has_status(&page, 422) && page.contains(NO_COOKIES),
                "{page}"
            );
            assert!(
                page.contains("href=\"/confirm/down-1\"") && !page.contains("set-cookie"),
                "{page}"
            );
        }
    }
    assert!(
        has_status(&landing::call_begin(&server, "down-1").0, 200),
        "nobody has taken the only place"
    );
}

#[test]
fn a_sign_in_in_progress_stays_whatever_else_is_opened() {
    let server = Server::start(&[]);
    let mut jar = Jar::default();
    jar.open(&server, "down-mine", "none");
    let begun = jar.begin(&server, "down-mine");
    assert!(has_status(&begun, 200), "{begun}");
    let own = jar.0[0].clone();
    for number in 0..20 {
        let page = jar.open(&server, &format!("other-{number}"), "none");
        assert!(has_status(&page, 200), "{page}");
    }
    assert!(jar.0.contains(&own) && jar.0.len() == 16, "{}", jar.line());
    let before = jar.line();
    let page = jar.open(&server, "theirs", "cross-site");
    assert!(
        has_status(&page, 422) && jar.line() == before,
        "another site makes nothing go: {page}"
    );
    assert!(
        has_status(&jar.open(&server, "theirs", "same-origin"), 200),
        "the user does"
    );
    assert!(jar.0.contains(&own) && jar.line() != before);
}

#[test]
fn where_all_are_in_progress_there_is_no_room_for_another() {
    let server = Server::start(&[]);
    let mut jar = Jar::default();
    for number in 0..16 {
        jar.open(&server, &format!("down-{number}"), "none");
        assert!(has_status(
            &jar.begin(&server, &format!("down-{number}")),
            200
        ));
    }
    let before = jar.line();
    let page = jar.open(&server, "down-more", "none");
    assert!(
        has_status(&page, 422) && page.contains("Too many sign-ins are under way"),
        "{page}"
    );
    assert_eq!(jar.line(), before);
    let asked = server.post("/login/link", &[&before], "email=ada%40example.com");
    assert!(has_status(&asked, 422), "{asked}");
    server.post("/api/cancel", &[&before], "token=down-3");
    assert!(
        has_status(&jar.open(&server, "down-more", "none"), 200),
        "what is settled makes room"
    );
}

#[test]
fn a_page_that_waits_for_its_mail_and_has_lost_its_cookie_does_not_spoil_the_link() {
    let server = Server::start(&[]);
    let asked = server.post("/login/link", &[], "email=practice%40example.com");
    let wait = asked
        .lines()
        .find_map(|line| line.strip_prefix("location: "))
        .unwrap();
    let token = wait.strip_prefix("/login/wait/").unwrap();
    let page = server.get(wait, &[]);
    assert!(
        has_status(&page, 422) && page.contains(NO_COOKIES),
        "{page}"
    );
    let begun = server.post("/api/begin", &[], &format!("token={token}&again=false"));
    assert!(
        has_status(&begun, 422) && !begun.contains("set-cookie"),
        "{begun}"
    );
    let landing = server.get(&format!("/confirm/{token}"), &[]);
    assert!(
        has_status(&landing, 303) && !landing.contains("set-cookie"),
        "{landing}"
    );
    let code = server.post(&format!("{wait}/code"), &[], "code=123456");
    assert!(
        has_status(&code, 303) && !code.contains("set-cookie"),
        "{code}"
    );
}

const PASSWORD: &str = "email=practice%40example.com&password=open-sesame-42";

fn proof_of(page: &str) -> &str {
    page.split("name=\"proof\" value=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("a form with a proof")
}

#[test]
fn a_login_form_that_comes_back_without_its_cookie_is_told_so_before_the_password_is_judged() {
    let server = Server::start(&[]);
    let page = server.get("/login", &["Sec-Fetch-Site: same-origin"]);
    let form = format!("{PASSWORD}&proof={}", proof_of(&page));
    for path in ["/login", "/login/link"] {
        let answer = server.post(path, &[], &form);
        assert!(
            has_status(&answer, 422) && answer.contains(NO_COOKIES),
            "{answer}"
        );
        assert!(
            !answer.contains("set-cookie") && answer.contains("href=\"/login\""),
            "{answer}"
        );
    }
    let mut jar = Jar::default();
    jar.take(&page);
    assert!(has_status(
        &server.post("/login", &[&jar.line()], &form),
        303
    ));
    let back = server.get("/login?next=%2Fprofile", &["Sec-Fetch-Site: same-origin"]);
    assert!(
        back.contains(NO_COOKIES),
        "led back by our own page, without any cookie: {back}"
    );
    for other in [
        &["Sec-Fetch-Site: none"][..],
        &["Sec-Fetch-Site: cross-site"],
        &["Sec-Fetch-Site: same-origin", &jar.line()],
    ] {
        assert!(
            !server
                .get("/login?next=%2Fprofile", other)
                .contains(NO_COOKIES),
            "{other:?}"
        );
    }
}

#[test]
fn a_proof_decides_where_a_browser_keeps_its_origin_to_itself() {
    let server = Server::start(&[]);
    let page = server.get("/login", &[]);
    let proof = proof_of(&page);
    let mut jar = Jar::default();
    jar.take(&page);
    let ours = format!("Origin: http://{}", server.addr);
    let post = |more: &[&str], proof: &str| {
        let kind = "Content-Type: application/x-www-form-urlencoded";
        let line = jar.line();
        server.send(
            "POST",
            "/login",
            &[&[kind, &line], more].concat(),
            &format!("{PASSWORD}&proof={proof}"),
        )
    };
    assert!(has_status(&post(&["Origin: null"], proof), 303));
    for wrong in ["", "AAAA", &proof[1..]] {
        assert!(has_status(&post(&["Origin: null"], wrong), 403), "{wrong}");
    }
    for foreign in [
        &["Origin: null", "Sec-Fetch-Site: cross-site"][..],
        &["Origin: https://evil.example"],
        &["Origin: NULL"],
        &["Origin: null", "Origin: https://evil.example"],
        &[&ours, "Origin: https://evil.example"],
    ] {
        assert!(has_status(&post(foreign, proof), 403), "{foreign:?}");
    }
    let bare = server.send("POST", "/api/status", &["Origin: null"], "token=x");
    assert!(
        has_status(&bare, 403),
        "scripts of ours always say whence they come: {bare}"
    );
}
