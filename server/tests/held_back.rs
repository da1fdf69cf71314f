//! A form whose end is held back is judged when it is all there, by what the session is worth then.

mod support;

use sqlx::{AssertSqlSafe, ConnectOptions as _, postgres::PgConnectOptions};
use std::{
    env,
    io::{Read as _, Write as _},
    net::TcpStream,
};
use support::{Server, has_status};
use vestibule::secret::{Entropy as _, SystemEntropy};

const EMAIL: &str = "email=practice%40example.com";
const WANTED: &str = "current=open-sesame-42&password=correct-horse-battery-7&email=king%40example.com&choice=others";

/// Signs the practice user in, and returns the line of the session cookie.
fn signed_in(server: &Server, password: &str) -> String {
    let answer = server.post("/login", &[], &format!("{EMAIL}&password={password}"));
    let session = answer
        .lines()
        .find_map(|line| line.strip_prefix("set-cookie: vestibule-session="))
        .expect("signed in");
    format!(
        "Cookie: vestibule-session={}",
        session.split(';').next().unwrap()
    )
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

/// What this machine has to test with; CI requires it.
fn given(variable: &str) -> Option<String> {
    let value = env::var(variable).ok();
    assert!(
        value.is_some() || env::var_os("CI").is_none(),
        "{variable} is not set"
    );
    value
}

/// The address of an empty database. It is left behind: the whole server is thrown away.
fn fresh_postgres() -> Option<String> {
    let server = given("VESTIBULE_TEST_POSTGRES")?;
    let mut random = [0; 8];
    SystemEntropy.fill(&mut random);
    let name = format!("held_back_{}", u64::from_be_bytes(random));
    let create = async {
        let options: PgConnectOptions = server.parse().expect("the address of a server");
        let mut admin = options.connect().await.expect("the server is there");
        let create = AssertSqlSafe(format!("create database {name}"));
        sqlx::query(create)
            .execute(&mut admin)
            .await
            .expect("a new database");
    };
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(create);
    let (authority, _) = server
        .rsplit_once('/')
        .expect("the address of the server ends in a database");
    Some(format!("{authority}/{name}"))
}

/// The settings of an empty store; none where there is no server to test with.
type Store = fn() -> Option<(&'static str, String)>;

const STORES: [Store; 4] = [
    || Some(("SESSION_STORE", "database".into())),
    || Some(("SESSION_STORE", "memory".into())),
    || Some(("REDIS_URL", given("VESTIBULE_TEST_REDIS")?)),
    || Some(("DATABASE_URL", fresh_postgres()?)),
];

#[test]
fn a_session_that_was_ended_meanwhile_changes_nothing_by_a_form_that_it_has_begun() {
    for store in STORES {
        for revocation in [
            ("/profile/sessions/end", "choice=others"),
            ("/logout", "everywhere=1"),
            (
                "/profile/password",
                "current=open-sesame-42&password=open-sesame-42-anew",
            ),
        ] {
            let password = if revocation.0 == "/profile/password" {
                "open-sesame-42-anew"
            } else {
                "open-sesame-42"
            };
            for form in [
                "/profile/password",
                "/profile/address",
                "/profile/sessions/end",
            ] {
                let Some((setting, value)) = store() else {
                    continue;
                };
                let server = Server::start(&[("PRACTICE", "on"), (setting, &value)]);
                let case = format!("{setting} {revocation:?} {form}");
                let stolen = signed_in(&server, "open-sesame-42");
                let owner = signed_in(&server, "open-sesame-42");
                let held_back = HeldBack::new(&server, form, &stolen);
                // The server has had the head for as long as this takes.
                assert!(
                    has_status(&server.get("/profile", &[&owner]), 200),
                    "{case}"
                );
                assert!(
                    has_status(&server.post(revocation.0, &[&owner], revocation.1), 303),
                    "{case}"
                );
                let answer = held_back.sent();
                assert!(
                    has_status(&answer, 303) && answer.contains("location: /login"),
                    "{case}: {answer}"
                );
                assert!(!answer.contains("vestibule-session="), "{case}: {answer}");
                signed_in(&server, password);
                let thiefs = format!("{EMAIL}&password=correct-horse-battery-7");
                assert!(
                    has_status(&server.post("/login", &[], &thiefs), 422),
                    "{case}"
                );
            }
        }
    }
}
