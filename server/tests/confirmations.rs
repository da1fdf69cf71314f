//! `vestibule confirmation …`: what an operator sees of sign-ins and does about them. The token of
//! each is a word that no output may have.

use serde_json::{Value, json};
use std::{
    process::{Command, Output},
    time::Duration,
};
use tempfile::TempDir;
use vestibule::{
    caps::{Admission, Client, Shares, Usage},
    clock::{Clock as _, SystemClock, Timestamp},
    confirmation::{
        Confirmation, ConfirmationId, Decider, Decision, Later, Noted, Queued, Rejection, Stage,
        State, Wait,
    },
    pending::TokenTag,
    secret::{Keys, LinkToken, SealedToken, SecretHash, SystemEntropy},
    session::{Session, SessionId},
    store::{ConfirmationStore as _, SessionStore as _, Settlement, sqlite::SqliteStore},
    token::Token,
    user::{Identity, UserId},
};

const SECRET: &str = "gT7yVn2bXqR9sLk4wPzJ6mHcD1uEoAfK8iYxQv3NZ5M=";
const TOKEN: &str = "a-token-that-nobody-may-see";

/// A database with confirmations of which each id and hash is made from one number, and the
/// commands on it.
struct Operations {
    data: TempDir,
    store: SqliteStore,
    now: Timestamp,
}

impl Operations {
    async fn open() -> Self {
        let data = TempDir::new().unwrap();
        let file = data.path().join("vestibule.db");
        let store = SqliteStore::open(&file, &keys()).await.unwrap();
        Self {
            store,
            now: SystemClock.now(),
            data,
        }
    }

    /// One that was begun `ago` and waits for 10 minutes, to be decided in an hour.
    async fn waits(&self, number: u8, ago: Duration) -> ConfirmationId {
        self.waits_with(number, ago, &TOKEN.parse().unwrap()).await
    }

    async fn waits_with(&self, number: u8, ago: Duration, token: &Token) -> ConfirmationId {
        let due_at = self.now + Duration::from_mins(10);
        self.begin(number, ago, due_at, Duration::from_hours(1), token)
            .await
    }

    async fn begin(
        &self,
        number: u8,
        ago: Duration,
        due_at: Timestamp,
        left: Duration,
        token: &Token,
    ) -> ConfirmationId {
        let id = ConfirmationId::from_bytes([number; 16]);
        let secret = SecretHash::from_bytes([number; 32]);
        let token_tag = TokenTag::from_bytes([number; 8]);
        let session = SessionId::from_bytes([number; 16]);
        let created_at = self.now - ago;
        let deadline = self.now + left;
        let confirmation = Confirmation {
            id,
            secret,
            token_tag,
            session,
            created_at,
            deadline,
            next: None,
            state: State::Queued(Queued {
                token: SealedToken::seal(&keys(), &SystemEntropy, id, token),
                failed: 0,
                later: None,
                due_at,
                fence: 0,
                lease: None,
            }),
        };
        let until = deadline + Duration::from_hours(1);
        let session = Session::pending(session, secret, token_tag, created_at, until);
        let admission = Admission {
            client: Client::from_bytes([number; 16]),
            shares: Shares::new(100),
            usage: Usage::Free,
        };
        let begun = self.store.begin(&confirmation, &session, admission).await;
        begun.unwrap().id
    }

    async fn decide(&self, id: ConfirmationId, decision: Decision) {
        let settlement = Settlement {
            now: self.now,
            new_user: UserId::from_bytes([7; 16]),
            bound: Duration::from_hours(1),
            tells: false,
        };
        let decided = self.store.decide(id, Decider::User, &decision, settlement);
        decided.await.unwrap().expect("it is there");
    }

    fn run(&self, words: &[&str]) -> Output {
        self.run_with(words, &[])
    }

    fn run_with(&self, words: &[&str], settings: &[(&str, &str)]) -> Output {
        let output = Command::new(env!("CARGO_BIN_EXE_vestibule"))
            .arg("confirmation")
            .args(words)
            .env_clear()
            .env("VESTIBULE_DATA", self.data.path())
            .env("VESTIBULE_SECRET", SECRET)
            .env("VALIDATOR_URL", "https://v.example/")
            .env("NO_COLOR", "1")
            .env("RUST_LOG", "error")
            .envs(settings.iter().copied())
            .output()
            .unwrap();
        for said in [&output.stdout, &output.stderr] {
            let said = String::from_utf8_lossy(said);
            assert!(!said.contains(TOKEN), "{words:?}: {said}");
        }
        output
    }

    /// What a command says that succeeds.
    fn said(&self, words: &[&str]) -> String {
        said(&self.run(words))
    }

    fn json(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.said(&[words, &["--json"]].concat())).unwrap()
    }

    /// The one line that a command says that fails, for people and for programs.
    fn problem(&self, words: &[&str]) -> String {
        let line = problem(&self.run(words));
        assert_eq!(problem(&self.run(&[words, &["--json"]].concat())), line);
        line
    }

    /// The ids that the list has.
    fn listed(&self) -> Vec<String> {
        let list = self.json(&["list"]);
        let id = |one: &Value| one["id"].as_str().unwrap().to_owned();
        list.as_array().unwrap().iter().map(id).collect()
    }
}

fn keys() -> Keys {
    Keys::parse(SECRET).unwrap()
}

fn said(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && error.is_empty(), "{error}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn problem(output: &Output) -> String {
    let error = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(
        (
            output.status.code(),
            error.lines().count(),
            output.stdout.len()
        ),
        (Some(1), 1, 0),
        "{error}"
    );
    let line = error
        .strip_prefix("vestibule: ")
        .expect("it says who speaks");
    line.trim_end().to_owned()
}

fn moment(moment: Timestamp) -> String {
    humantime::format_rfc3339_seconds(std::time::SystemTime::from(moment)).to_string()
}

const AGO: Duration = Duration::from_mins(1);

fn ada() -> Identity {
    Identity {
        issuer: "i".into(),
        subject: "ada".into(),
        name: None,
        email: None,
    }
}

#[tokio::test]
async fn undecided_ones_are_listed_the_oldest_first_for_people() {
    let operations = Operations::open().await;
    assert_eq!(operations.said(&["list"]), "");
    let new = operations.waits(1, AGO).await;
    let old = operations.waits(2, 2 * AGO).await;
    let decided = operations.waits(3, AGO).await;
    operations.decide(decided, Decision::Unavailable).await;
    let reviewing = Wait {
        later: Later {
            stage: Some(Stage::Reviewing),
        },
        deadline: operations.now + 2 * AGO,
        room: Shares::new(1),
    };
    let noted = operations.store.wait(old, reviewing, operations.now).await;
    assert_eq!(noted.unwrap(), Noted::Stored);
    let deadline = moment(operations.now + Duration::from_hours(1));
    let due = moment(operations.now + Duration::from_mins(10));
    let line = |id: ConfirmationId, step: &str, ago: Duration| {
        let begun = moment(operations.now - ago);
        format!("{id}  {step:<17}  {begun}  {deadline}  {due}\n")
    };
    let expected = line(old, "later (reviewing)", 2 * AGO) + &line(new, "queued", AGO);
    assert_eq!(operations.said(&["list"]), expected);
}

#[tokio::test]
async fn undecided_ones_are_one_array_for_programs() {
    let operations = Operations::open().await;
    assert_eq!(operations.json(&["list"]), json!([]));
    let id = operations.waits(1, AGO).await;
    let object = json!({
        "id": id.to_string(), "step": "queued", "attempt": null, "stage": null,
        "begun_at": moment(operations.now - AGO),
        "deadline": moment(operations.now + Duration::from_hours(1)),
        "due_at": moment(operations.now + Duration::from_mins(10)),
        "lease_until": null, "ending": null, "user": null, "decided_at": null,
    });
    assert_eq!(operations.json(&["list"]), json!([object]));
    assert_eq!(operations.json(&["show", &id.to_string()]), object);
}

#[tokio::test]
async fn one_is_shown_also_after_it_was_decided() {
    let operations = Operations::open().await;
    let id = operations.waits(1, AGO).await;
    let show = &["show", &id.to_string()];
    let begun = format!(
        "confirmation  {id}\nstep          queued\nbegun         {}\n",
        moment(operations.now - AGO)
    );
    let said = operations.said(show);
    assert!(said.starts_with(&begun), "{said}");
    let asked = moment(operations.now + Duration::from_mins(10));
    assert!(
        said.ends_with(&format!("\nasked         {asked}\n")),
        "{said}"
    );
    operations.decide(id, Decision::Valid(ada(), None)).await;
    let said = operations.said(show);
    let user = UserId::from_bytes([7; 16]);
    let decided = moment(operations.now);
    let end = format!("\nending        confirmed\nuser          {user}\ndecided       {decided}\n");
    assert!(said.ends_with(&end), "{said}");
    let object = operations.json(show);
    assert_eq!(
        [
            &object["step"],
            &object["ending"],
            &object["user"],
            &object["due_at"]
        ],
        [
            &json!("decided"),
            &json!("confirmed"),
            &json!(user.to_string()),
            &Value::Null
        ]
    );
}

#[tokio::test]
async fn what_is_no_id_or_not_there_is_one_line_and_a_token_is_not_repeated() {
    let operations = Operations::open().await;
    let unknown = ConfirmationId::from_bytes([9; 16]).to_string();
    for command in ["show", "cancel", "ask-again"] {
        for wrong in [
            TOKEN,
            "",
            &unknown.to_uppercase().replace('9', "A"),
            &unknown[1..],
        ] {
            let line = operations.problem(&[command, wrong]);
            assert_eq!(
                line,
                "ID: an id is 32 hexadecimal digits in lower case (vestibule confirmation list shows them)"
            );
        }
        let line = operations.problem(&[command, &unknown]);
        assert!(
            line.starts_with(&format!("there is no confirmation {unknown}")),
            "{line}"
        );
    }
}

#[tokio::test]
async fn a_cancelled_one_is_listed_no_longer_and_says_so() {
    let operations = Operations::open().await;
    let first = operations.waits(1, AGO).await;
    let second = operations.waits(2, AGO).await;
    let third = operations.waits(3, AGO).await;
    let line = operations.said(&["cancel", &first.to_string()]);
    assert_eq!(line, format!("{first} is cancelled\n"));
    assert_eq!(
        operations.json(&["cancel", &second.to_string()]),
        json!({ "id": second.to_string(), "cancelled": true })
    );
    assert_eq!(operations.listed(), [third.to_string()]);
    let shown = operations.json(&["show", &first.to_string()]);
    assert_eq!(shown["ending"], "cancelled");
    let session = operations.store.session(SessionId::from_bytes([1; 16]));
    assert_eq!(session.await.unwrap(), None);
    let line = operations.problem(&["cancel", &first.to_string()]);
    assert!(
        line.starts_with("it was decided before, and that stands: cancelled, at "),
        "{line}"
    );
}

#[tokio::test]
async fn a_confirmed_one_is_taken_back_unless_its_session_has_gone_to_a_browser() {
    let operations = Operations::open().await;
    let waiting = operations.waits(1, AGO).await;
    let exchanged = operations.waits(2, AGO).await;
    for id in [waiting, exchanged] {
        operations.decide(id, Decision::Valid(ada(), None)).await;
    }
    let session = SessionId::from_bytes([2; 16]);
    let bound = operations.store.session(session).await.unwrap().unwrap();
    let secret = SecretHash::from_bytes([200; 32]);
    let timing = vestibule::timing::Timing::default();
    let established = bound
        .exchange(secret, None, operations.now, &timing)
        .unwrap();
    assert!(
        operations
            .store
            .replace_session(&established)
            .await
            .unwrap()
    );
    operations.said(&["cancel", &waiting.to_string()]);
    let shown = operations.json(&["show", &waiting.to_string()]);
    assert_eq!(shown["ending"], "cancelled");
    let line = operations.problem(&["cancel", &exchanged.to_string()]);
    assert!(
        line.starts_with("it was decided before, and that stands: confirmed, at "),
        "{line}"
    );
    let kept = operations.store.session(session).await.unwrap();
    assert_eq!(kept, Some(established));
}

#[tokio::test]
async fn a_server_whose_memory_has_the_sessions_is_left_to_settle_a_cancel() {
    let operations = Operations::open().await;
    let id = operations.waits(1, AGO).await;
    let memory = [("SESSION_STORE", "memory")];
    said(&operations.run_with(&["cancel", &id.to_string()], &memory));
    let stored = operations.store.confirmation(id).await.unwrap().unwrap();
    assert!(matches!(stored.state, State::Decided(_)), "{stored:?}");
    said(&operations.run_with(&["show", &id.to_string()], &memory));
    let stored = operations.store.confirmation(id).await.unwrap().unwrap();
    assert!(matches!(stored.state, State::Decided(_)), "{stored:?}");
}

#[tokio::test]
async fn one_that_waits_is_asked_about_again() {
    let operations = Operations::open().await;
    let id = operations.waits(1, AGO).await.to_string();
    let line = operations.said(&["ask-again", &id]);
    assert_eq!(
        line,
        format!("{id} is due now: a worker asks as soon as it can\n")
    );
    let line = operations.said(&["ask-again", &id]);
    assert_eq!(
        line,
        format!("{id} is due already: a worker asks as soon as it can\n")
    );
    assert!(
        operations
            .said(&["list"])
            .ends_with("  as soon as a worker can\n")
    );
    let other = operations.waits(2, AGO).await.to_string();
    assert_eq!(
        operations.json(&["ask-again", &other]),
        json!({ "id": other, "state": "due" })
    );
}

#[tokio::test]
async fn one_about_which_no_validator_can_be_asked_says_why() {
    let operations = Operations::open().await;
    let ours = LinkToken::generate(&SystemEntropy).token(&keys());
    let ours_id = operations.waits_with(1, AGO, &ours).await;
    let decided = operations.waits(2, AGO).await;
    let used = Decision::Rejected(Rejection::Used);
    operations.decide(decided, used).await;
    let token = TOKEN.parse().unwrap();
    let due = operations.now + AGO;
    let overdue = operations.begin(3, AGO, due, Duration::ZERO, &token).await;
    for (id, begins) in [
        (ours_id, "it is about a link of Vestibule's own"),
        (decided, "it was decided: used, at "),
        (overdue, "it is past its deadline"),
    ] {
        let line = operations.problem(&["ask-again", &id.to_string()]);
        assert!(line.starts_with(begins), "{line}");
        assert!(!line.contains(ours.expose()), "{line}");
    }
}

#[tokio::test]
async fn each_change_is_an_audit_line_and_what_changes_nothing_is_none() {
    let operations = Operations::open().await;
    let id = operations.waits(1, AGO).await.to_string();
    for (words, event) in [
        (["ask-again", &id], Some("confirmation_asked_again")),
        (["ask-again", &id], None),
        (["show", &id], None),
        (["cancel", &id], Some("confirmation_cancelled")),
        (["cancel", &id], None),
    ] {
        let output = operations.run_with(&words, &[("RUST_LOG", "info")]);
        let log = String::from_utf8(output.stderr).unwrap();
        let lines = log.lines().filter(|line| line.contains("vestibule::audit"));
        let lines: Vec<_> = lines.collect();
        assert_eq!(
            lines.len(),
            usize::from(event.is_some()),
            "{words:?}: {log}"
        );
        if let Some(event) = event {
            let line = lines[0];
            assert!(
                line.contains(event) && line.contains("detail=\"by_operator\""),
                "{line}"
            );
        }
    }
}
