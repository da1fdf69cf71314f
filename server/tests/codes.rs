//! Wrong codes are counted for an address, and its owner is told.

mod support;

use support::{Server, has_status};

const ASK: &str = "email=practice%40example.com";

/// How often the mailbox of practice mode has this, once that is `at_least` times.
fn mailed(server: &Server, what: &str, at_least: usize) -> usize {
    let count = || server.get("/practice/mail", &[]).matches(what).count();
    (0..10_000)
        .map(|_| count())
        .find(|count| *count >= at_least)
        .expect("the mails come")
}

/// A browser that waits for a link: its page, and the line of its cookie.
fn waiting(server: &Server) -> (String, String) {
    let answer = server.post("/login/link", &[], ASK);
    let value = |start: &str| {
        answer
            .lines()
            .find_map(|line| line.strip_prefix(start))
            .unwrap()
            .to_owned()
    };
    let cookie = value("set-cookie: ");
    (
        value("location: "),
        format!("Cookie: {}", cookie.split(';').next().unwrap()),
    )
}

/// Types five codes of which none can be right, whatever code is in the mail.
fn guess(server: &Server, (page, cookie): &(String, String), code: &str) {
    let wrong = if code == "000000" { "111111" } else { "000000" };
    for left in (1..=4).rev() {
        let answer = server.post(&format!("{page}/code"), &[cookie], &format!("code={wrong}"));
        assert!(has_status(&answer, 303), "{left}: {answer}");
        let led = answer
            .lines()
            .find_map(|line| line.strip_prefix("location: "))
            .unwrap();
        let times = if left == 1 {
            "one more time.".to_owned()
        } else {
            format!("{left} more times.")
        };
        // A reload spends no guess.
        for _ in 0..2 {
            let answer = server.get(led, &[cookie]);
            assert!(has_status(&answer, 200), "{left}: {answer}");
            assert!(
                answer.contains(&format!("That is not the code. You can try {times}")),
                "{left}: {answer}"
            );
        }
    }
    let answer = server.post(&format!("{page}/code"), &[cookie], &format!("code={wrong}"));
    assert!(has_status(&answer, 303), "{answer}");
}

/// The code in the newest mail.
fn code(server: &Server) -> Option<String> {
    let mailbox = server.get("/practice/mail", &[]);
    let newest = mailbox
        .split("Your link to sign in")
        .nth(1)?
        .split("</li>")
        .next()?;
    let code = newest.split_once("<code>")?.1.split('<').next()?;
    Some(code.to_owned())
}

#[test]
fn the_owner_is_told_of_five_wrong_codes_and_that_there_are_no_more_after_ten() {
    let server = Server::start(&[]);
    let told = "Wrong codes were typed for your address";
    for round in 1..=2 {
        let waiting = waiting(&server);
        mailed(&server, "Your link to sign in", round);
        guess(&server, &waiting, &code(&server).expect("it has a code"));
        assert_eq!(mailed(&server, told, round), round);
    }
    assert_eq!(
        mailed(
            &server,
            "For 7 days, mails with links to sign in have no code",
            1
        ),
        1
    );
    waiting(&server);
    mailed(&server, "Your link to sign in", 3);
    assert_eq!(code(&server), None);
}
