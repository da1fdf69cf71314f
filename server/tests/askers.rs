//! Strangers who ask for links to an address take nothing from its owner.

mod support;

use support::{Server, has_status};

const OWNER: &str = "practice@example.com";
const ASK: &str = "email=practice%40example.com";
const RIGHT: &str = "email=practice%40example.com&password=open-sesame-42";

/// The value of a cookie that an answer sets, as a line of a request.
fn cookie(answer: &str, name: &str) -> String {
    let start = format!("set-cookie: {name}=");
    let value = answer
        .lines()
        .find_map(|line| line.strip_prefix(&start))
        .expect("the cookie is set");
    format!("Cookie: {name}={}", value.split(';').next().unwrap())
}

fn location(answer: &str) -> &str {
    answer
        .lines()
        .find_map(|line| line.strip_prefix("location: "))
        .expect("it leads somewhere")
}

/// How many links the mailbox of practice mode has for the owner, once there are `at_least` that
/// many.
fn links(server: &Server, at_least: usize) -> usize {
    let count = || {
        server
            .get("/practice/mail", &[])
            .matches("Your link to sign in")
            .count()
    };
    (0..10_000)
        .map(|_| count())
        .find(|count| *count >= at_least)
        .expect("the mails come")
}

#[test]
fn a_known_browser_is_sent_its_links_while_strangers_ask_for_as_many_as_they_may() {
    let server = Server::start(&[]);
    let known = cookie(&server.post("/login", &[], RIGHT), "vestibule-known");
    for _ in 0..20 {
        assert!(has_status(&server.post("/login/link", &[], ASK), 303));
    }
    assert_eq!(
        links(&server, 3),
        3,
        "a client has a share of what an address is sent"
    );
    for number in 1..=5 {
        let answer = server.post("/login/link", &[&known], ASK);
        assert!(
            has_status(&answer, 303) && location(&answer).starts_with("/login/wait/"),
            "{answer}"
        );
        assert_eq!(links(&server, 3 + number), 3 + number, "{OWNER}");
    }
}

#[test]
fn a_double_click_is_sent_one_link_and_both_answers_wait_for_it() {
    let server = Server::start(&[]);
    let own = cookie(&server.get("/login", &[]), "vestibule-form");
    let answers = std::thread::scope(|scope| {
        let asks: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| server.post("/login/link", &[&own], ASK)))
            .collect();
        asks.into_iter()
            .map(|ask| ask.join().unwrap())
            .collect::<Vec<_>>()
    });
    let waits: Vec<_> = answers.iter().map(|answer| location(answer)).collect();
    assert!(waits.iter().all(|wait| *wait == waits[0]), "{waits:?}");
    let pending = |answer: &String| {
        let set = answer
            .lines()
            .find(|line| line.starts_with("set-cookie: vestibule-pending-"))
            .expect("it waits");
        set.to_owned()
    };
    assert!(
        answers
            .iter()
            .all(|answer| pending(answer) == pending(&answers[0]))
    );
    let bob = "email=bob%40example.com";
    assert!(
        location(&server.post("/login/link", &[&own], bob)) != waits[0],
        "another address"
    );
    assert_eq!(links(&server, 2), 2);
    let other = cookie(&server.get("/login", &[]), "vestibule-form");
    assert!(
        location(&server.post("/login/link", &[&other], ASK)) != waits[0],
        "another browser"
    );
}

#[test]
fn an_address_is_the_same_on_every_page_however_it_was_pasted() {
    let server = Server::start(&[]);
    let pasted = [
        "%E2%80%8Bpractice%40example.com",
        "Practice+%3Cpractice%40EXAMPLE.com%3E",
        "mailto%3Apractice%40example.com",
        "practice%C2%AD%40example.com%2C",
        "PRACTICE%40example.com%E2%80%8E",
    ];
    for (number, address) in pasted.into_iter().enumerate() {
        let own = cookie(&server.get("/login", &[]), "vestibule-form");
        let asked = server.post("/login/link", &[&own], &format!("email={address}"));
        assert!(has_status(&asked, 303), "{address}: {asked}");
        if number < 3 {
            assert_eq!(links(&server, number + 1), number + 1, "{address}");
        }
        let signed_in = server.post(
            "/login",
            &[],
            &format!("email={address}&password=open-sesame-42"),
        );
        assert!(has_status(&signed_in, 303), "{address}: {signed_in}");
    }
}

#[test]
fn a_password_is_the_same_however_a_keyboard_composes_it() {
    let server = Server::start(&[]);
    let signed_in = server.post("/login", &[], RIGHT);
    let session = cookie(&signed_in, "vestibule-session");
    let composed = "vier-Zitronen-tr%C3%A4umen-77";
    let decomposed = "vier-Zitronen-tra%CC%88umen-77";
    let set = format!("current=open-sesame-42&password={composed}");
    assert!(has_status(
        &server.post("/profile/password", &[&session], &set),
        303
    ));
    for (password, status) in [
        (decomposed, 303),
        (composed, 303),
        ("vier-Zitronen-traumen-77", 422),
    ] {
        let answer = server.post("/login", &[], &format!("{ASK}&password={password}"));
        assert!(has_status(&answer, status), "{password}: {answer}");
    }
}
