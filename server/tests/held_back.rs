//! A form whose end is held back is judged when it is all there, by what the session is worth then.

mod support;

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};
use support::{Server, has_status};

const EMAIL: &str = "email=practice%40example.com";
const RIGHT: &str = "email=practice%40example.com&password=open-sesame-42";
const WANTED: &str = "password=correct-horse-battery-7&email=king%40example.com&choice=others";

/// Signs the practice user in, and returns the line of the session cookie.
fn signed_in(server: &Server) -> String {
    let answer = server.post("/login", &[], RIGHT);
    let session =
        answer.lines().find_map(|line| line.strip_prefix("set-cookie: vestibule-session=")).expect("signed in");
    format!("Cookie: vestibule-session={}", session.split(';').next().unwrap())
}

/// A form of which only the first bytes are sent.
struct HeldBack {
    stream: TcpStream,
    rest: &'static str,
}

impl HeldBack {
    fn new(server: &Server, path: &str, cookie: &str) -> Self {
        let (first, rest) = WANTED.split_at(5);
        let mut stream = TcpStream::connect(server.addr).unwrap();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nSec-Fetch-Site: same-origin\r\n{cookie}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{first}",
            server.addr,
            WANTED.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        Self { stream, rest }
    }

    fn sent(mut self) -> String {
        self.stream.write_all(self.rest.as_bytes()).unwrap();
        let mut answer = String::new();
        self.stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

#[test]
fn a_session_that_was_ended_meanwhile_changes_nothing_by_a_form_that_it_has_begun() {
    for revocation in [("/profile/sessions/end", "choice=others"), ("/logout", "everywhere=1")] {
        for form in ["/profile/password", "/profile/address", "/profile/sessions/end"] {
            let server = Server::start(&[]);
            let stolen = signed_in(&server);
            let owner = signed_in(&server);
            let held_back = HeldBack::new(&server, form, &stolen);
            // The server has had the head for as long as this takes.
            assert!(has_status(&server.get("/profile", &[&owner]), 200));
            assert!(has_status(&server.post(revocation.0, &[&owner], revocation.1), 303));
            let answer = held_back.sent();
            assert!(has_status(&answer, 303) && answer.contains("location: /login"), "{revocation:?} {form}: {answer}");
            assert!(!answer.contains("vestibule-session="), "{revocation:?} {form}: {answer}");
            assert!(has_status(&server.post("/login", &[], RIGHT), 303), "the password is the same");
            let other = format!("{EMAIL}&password=correct-horse-battery-7");
            assert!(has_status(&server.post("/login", &[], &other), 422));
        }
    }
}
