//! What happens to accounts by mail, forms and commands is in the log, without e-mail addresses or
//! secrets.

mod support;

use std::{
    io::Write as _,
    process::{Command, Stdio},
};
use support::{Server, has_status};
use tempfile::TempDir;

const OWNER: &str = "practice%40example.com";
const PASSWORD: &str = "open-sesame-42";

/// What an answer has in its first such line.
fn line<'a>(answer: &'a str, start: &str) -> &'a str {
    answer
        .lines()
        .find_map(|line| line.strip_prefix(start))
        .unwrap_or_else(|| panic!("{start} in {answer}"))
}

/// The cookies that an answer sets, as the line of a request.
fn cookies(answer: &str) -> String {
    let set = answer
        .lines()
        .filter_map(|line| line.strip_prefix("set-cookie: ")?.split(';').next());
    format!("Cookie: {}", set.collect::<Vec<_>>().join("; "))
}

/// What stands between two marks.
fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    text.split_once(start)?
        .1
        .split_once(end)
        .map(|(found, _)| found)
}

/// The mails about `subject`, the newest first, once there are `count`.
fn mails(server: &Server, subject: &str, count: usize) -> Vec<String> {
    let mails = || {
        let mailbox = server.get("/practice/mail", &[]);
        mailbox
            .split("<li")
            .filter(|mail| mail.contains(subject))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    (0..10_000)
        .map(|_| mails())
        .find(|mails| mails.len() >= count)
        .expect("the mails come")
}

/// A browser that waits for a link: its page, and the line of its cookies.
fn waiting(server: &Server) -> (String, String) {
    let answer = server.post("/login/link", &[], &format!("email={OWNER}"));
    (line(&answer, "location: ").to_owned(), cookies(&answer))
}

/// Waits for such a line under the log's target, and returns all of them.
fn told(server: &Server, event: &str, outcome: &str, rest: &str) -> Vec<String> {
    let lines = || {
        let log = server.log();
        log.lines()
            .filter(|line| line.contains("vestibule::audit: "))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let head = format!("event=\"{event}\" outcome=\"{outcome}\"");
    let is_there = |lines: &Vec<String>| {
        lines
            .iter()
            .any(|line| line.contains(&head) && line.contains(rest))
    };
    (0..10_000)
        .map(|_| lines())
        .find(is_there)
        .unwrap_or_else(|| panic!("{head} {rest} in {:#?}", lines()))
}

fn assert_none_tells(lines: &[String], secrets: &[&str]) {
    for secret in secrets {
        assert!(secret.len() > 5, "{secret} tells nothing");
        let telling: Vec<_> = lines.iter().filter(|line| line.contains(secret)).collect();
        assert!(telling.is_empty(), "{secret}: {telling:#?}");
    }
}

#[test]
fn what_is_tried_with_mails_is_told_without_a_code_a_link_or_an_address() {
    let server = Server::start(&[("RUST_LOG", "info"), ("NO_COLOR", "1")]);
    let mut codes = Vec::new();
    let mut tokens = Vec::new();
    for round in 1..=2 {
        let (page, cookie) = waiting(&server);
        let mail = mails(&server, "Your link to sign in", round).remove(0);
        let code = between(&mail, "<code>", "</code>")
            .expect("it has a code")
            .to_owned();
        let wrong = if code == "000000" { "111111" } else { "000000" };
        for _ in 0..5 {
            server.post(
                &format!("{page}/code"),
                &[&cookie],
                &format!("code={wrong}"),
            );
        }
        codes.push(code);
        tokens.push(
            between(&mail, "/confirm/", "\"")
                .expect("it has a link")
                .to_owned(),
        );
    }
    told(&server, "sign_in", "refused", "means=code detail=\"wrong\"");
    let lines = told(
        &server,
        "sign_in",
        "refused",
        "means=code detail=\"codes_off\"",
    );
    assert_none_tells(
        &lines,
        &[
            "practice@",
            "practice%40",
            &codes[0],
            &codes[1],
            &tokens[0],
            &tokens[1],
        ],
    );
}

#[test]
fn a_browser_that_is_let_in_by_a_code_or_a_number_or_refused_by_one_is_told_of() {
    let server = Server::start(&[("RUST_LOG", "info"), ("NO_COLOR", "1")]);
    let (page, cookie) = waiting(&server);
    let mail = mails(&server, "Your link to sign in", 1).remove(0);
    let code = between(&mail, "<code>", "</code>")
        .expect("it has a code")
        .to_owned();
    server.post(&format!("{page}/code"), &[&cookie], &format!("code={code}"));
    told(&server, "let_in", "done", "means=code");
    for (round, right) in [(2, true), (3, false)] {
        let (page, cookie) = waiting(&server);
        let number =
            between(&server.get(&page, &[&cookie]), "class=\"number\">", "<").map(str::to_owned);
        let number: u8 = number.expect("it shows a number").trim().parse().unwrap();
        let mail = mails(&server, "Your link to sign in", round).remove(0);
        let link = between(&mail, "/confirm/", "\"")
            .expect("it has a link")
            .to_owned();
        let elsewhere = cookies(&server.get(&format!("/confirm/{link}"), &[]));
        let typed = if right {
            number
        } else {
            10 + (number - 9) % 90
        };
        server.post(
            &format!("/confirm/{link}/pick"),
            &[&elsewhere],
            &format!("choice={typed}"),
        );
    }
    told(&server, "let_in", "done", "means=number");
    let lines = told(
        &server,
        "sign_in",
        "refused",
        "means=number detail=\"wrong\"",
    );
    assert_none_tells(&lines, &["practice@", &code]);
}

#[test]
fn account_changes_and_refused_requests_are_in_the_audit_log() {
    let server = Server::start(&[("RUST_LOG", "info"), ("NO_COLOR", "1")]);
    let session =
        cookies(&server.post("/login", &[], &format!("email={OWNER}&password={PASSWORD}")));
    server.post(
        "/profile/password",
        &[&session],
        "current=guessed-wrong-7&password=six+purple+lanterns+wait",
    );
    told(
        &server,
        "sign_in",
        "refused",
        "means=password detail=\"not_current\"",
    );
    server.post(
        "/profile/address",
        &[&session],
        &format!("current={PASSWORD}&email=lovelace%40example.org"),
    );
    told(&server, "address_asked", "done", "user=");
    let mail = mails(&server, "lovelace@example.org", 1).remove(0);
    let ticket = between(&mail, "/profile/address/", "\"")
        .expect("it has a link")
        .to_owned();
    let changed = server.post(&format!("/profile/address/{ticket}"), &[&session], "");
    assert!(has_status(&changed, 303), "{changed}");
    told(&server, "address_changed", "done", "user=");
    let session = cookies(&changed);
    for time in 0.. {
        let form = format!("current={PASSWORD}&email=p{time}%40example.org");
        if has_status(&server.post("/profile/address", &[&session], &form), 429) {
            break;
        }
        assert!(time < 10, "mail is asked for so often and no oftener");
    }
    told(&server, "too_often", "refused", "detail=\"address_asked\"");
    for time in 0.. {
        let answer = server.post("/login/link", &[], &format!("email=p{time}%40example.com"));
        if has_status(&answer, 429) {
            break;
        }
        assert!(time < 200, "a client asks for so many links and no more");
    }
    told(&server, "too_often", "refused", "detail=\"link\"");
    server.send("POST", "/login", &["Origin: https://elsewhere.example"], "");
    let lines = told(&server, "forged", "refused", "detail=\"origin\"");
    assert_none_tells(
        &lines,
        &[
            "lovelace",
            "practice@",
            PASSWORD,
            "guessed-wrong",
            &ticket,
            "elsewhere.example",
        ],
    );
}

#[test]
fn what_an_operator_does_is_told_on_the_standard_error() {
    let data = TempDir::new().unwrap();
    let run = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
        command
            .args(words)
            .env_clear()
            .env("VESTIBULE_DATA", data.path())
            .env("RUST_LOG", "info")
            .env("NO_COLOR", "1");
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let _ = writeln!(child.stdin.take().unwrap(), "correct-horse-battery-9");
        String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap()
    };
    let add = &["user", "add", "--email", "grace@example.com"][..];
    let link = &["link", "create", "--email", "grace@example.com"][..];
    for (words, event) in [
        (add, "user_added"),
        (add, "password_set"),
        (
            &["user", "disable", "--email", "grace@example.com"],
            "user_disabled",
        ),
        (
            &["user", "enable", "--email", "grace@example.com"],
            "user_enabled",
        ),
        (link, "link_made"),
        (
            &["user", "remove", "--email", "grace@example.com"],
            "user_removed",
        ),
    ] {
        let log = run(words);
        let told = log
            .lines()
            .find(|line| line.contains("vestibule::audit") && line.contains(event));
        let told = told.unwrap_or_else(|| panic!("{event} in {log}"));
        assert!(
            told.contains("detail=\"by_operator\"") && !told.contains("grace"),
            "{told}"
        );
    }
}
