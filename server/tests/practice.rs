//! Practice mode never runs by omission beside settings of a server in use, and nothing that it
//! made signs a user in there.

mod support;

use sqlx::{AssertSqlSafe, ConnectOptions as _, SqliteConnection, sqlite::SqliteConnectOptions};
use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output},
};
use support::{Server, has_status};
use tempfile::TempDir;

const SECRET: (&str, &str) = (
    "VESTIBULE_SECRET",
    "Y1ZtJ0vW8n3qkRu5xTgB2yLhPzXo7mEaQ9dKfCs4wUI=",
);
const VALIDATOR: (&str, &str) = ("VALIDATOR_URL", "http://127.0.0.1:9/");
const PRACTICE: (&str, &str) = ("PRACTICE", "on");

/// A command that opens the database as a server does, and ends.
const LIST: [&str; 2] = ["user", "list"];

/// The practice user's form.
const FORM: &str = "email=practice%40example.com&password=open-sesame-42";

/// What a command comes to in `data`, knowing nothing of this machine's own settings.
fn run(data: &Path, words: &[&str], settings: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
    command
        .args(words)
        .env_clear()
        .env("VESTIBULE_DATA", data)
        .env("LEPTOS_SITE_ADDR", "127.0.0.1:0");
    command.envs(settings.iter().copied()).output().unwrap()
}

/// The one line with which the start of a server, or another command, is refused.
fn refused(data: &Path, words: &[&str], settings: &[(&str, &str)]) -> String {
    let output = run(data, words, settings);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(
        (
            output.status.code(),
            said.lines().count(),
            output.stdout.len()
        ),
        (Some(1), 1, 0),
        "{said}"
    );
    said.strip_prefix("vestibule: ")
        .expect("it says who speaks")
        .trim_end()
        .to_owned()
}

/// Starts a server in `data` and ends it.
fn start(data: &Path, settings: &[(&str, &str)]) {
    drop(serve(data, settings));
}

fn serve(data: &Path, settings: &[(&str, &str)]) -> Server {
    Server::start(&[&[("VESTIBULE_DATA", data.to_str().unwrap())], settings].concat())
}

async fn database(data: &Path) -> SqliteConnection {
    SqliteConnectOptions::new()
        .filename(data.join("vestibule.db"))
        .connect()
        .await
        .unwrap()
}

async fn execute(data: &Path, statement: &'static str) {
    sqlx::query(AssertSqlSafe(statement))
        .execute(&mut database(data).await)
        .await
        .unwrap();
}

#[test]
fn beside_settings_of_a_server_in_use_a_missing_validator_is_an_error() {
    for sign in [
        SECRET,
        ("PUBLIC_URL", "https://127.0.0.1"),
        ("DATABASE_URL", "postgresql://ada:hush@127.0.0.1:9/x"),
        ("REDIS_URL", "rediss://127.0.0.1:9"),
        ("SMTP_URL", "smtp://127.0.0.1:9"),
        ("PUSHER_CLUSTER", "mt1"),
        ("TRUSTED_PROXIES", "10.0.0.0/8"),
        ("VALIDATOR_SECRET", "hush"),
    ] {
        for validator in [None, Some(("VALIDATOR_URL", ""))] {
            let data = TempDir::new().unwrap();
            let settings: Vec<_> = [sign].into_iter().chain(validator).collect();
            for words in [&LIST[..], &["doctor"], &["worker"], &["serve"]] {
                let line = refused(data.path(), words, &settings);
                assert!(
                    line.starts_with("VALIDATOR_URL: ") && line.contains(sign.0),
                    "{words:?} {sign:?}: {line}"
                );
                assert!(
                    line.contains("set, but empty") == validator.is_some()
                        && !line.contains("hush"),
                    "{line}"
                );
            }
            assert_eq!(
                fs::read_dir(data.path()).unwrap().count(),
                0,
                "nothing was made"
            );
        }
    }
}

#[test]
fn practice_mode_that_is_asked_for_runs_beside_them() {
    let data = TempDir::new().unwrap();
    for flag in ["--practice", "--practice=on"] {
        let output = run(
            data.path(),
            &["user", "list", flag],
            &[SECRET, ("TRUSTED_PROXIES", "127.0.0.1")],
        );
        assert!(output.status.success(), "{output:?}");
    }
    let server = serve(data.path(), &[SECRET, PRACTICE]);
    assert!(has_status(&server.post("/login", &[], FORM), 303));
}

#[test]
fn a_database_stays_with_the_mode_that_made_it() {
    let data = TempDir::new().unwrap();
    start(data.path(), &[SECRET, PRACTICE]);
    for settings in [
        &[SECRET, VALIDATOR][..],
        &[SECRET, VALIDATOR, ("PRACTICE", "forget")],
    ] {
        let line = refused(data.path(), &LIST, settings);
        assert!(
            line.contains("vestibule.db was made in practice mode")
                && line.contains("VESTIBULE_DATA"),
            "{line}"
        );
    }
    let data = TempDir::new().unwrap();
    start(data.path(), &[SECRET, VALIDATOR]);
    for settings in [&[][..], &[PRACTICE], &[SECRET, PRACTICE]] {
        let line = refused(data.path(), &LIST, settings);
        assert!(
            line.contains("vestibule.db is in use outside practice mode"),
            "{line}"
        );
    }
    start(data.path(), &[SECRET, VALIDATOR]);
}

#[tokio::test]
async fn practice_mode_s_key_is_no_key_of_a_server_in_use() {
    let data = TempDir::new().unwrap();
    start(data.path(), &[]);
    let key = fs::read_to_string(data.path().join("practice.key")).unwrap();
    let elsewhere = TempDir::new().unwrap();
    for (number, keys) in [key.clone(), format!("{},{key}", SECRET.1)]
        .iter()
        .enumerate()
    {
        for folder in [&data, &elsewhere] {
            let line = refused(
                folder.path(),
                &LIST,
                &[VALIDATOR, ("VESTIBULE_SECRET", keys)],
            );
            assert!(
                line.starts_with("VESTIBULE_SECRET: it is the key of practice mode"),
                "{number}: {line}"
            );
            assert!(!line.contains(&key[10..]), "{line}");
        }
    }
    // As an earlier version stored it.
    let bare = key.trim_start_matches("practice:");
    fs::write(data.path().join("practice.key"), bare).unwrap();
    execute(data.path(), "delete from settings where name = 'mode'").await;
    let own = refused(data.path(), &LIST, &[VALIDATOR, ("VESTIBULE_SECRET", bare)]);
    assert!(
        own.starts_with("VESTIBULE_SECRET: it is the key of practice mode, "),
        "{own}"
    );
    let line = refused(data.path(), &LIST, &[VALIDATOR, SECRET]);
    assert!(line.contains("was made in practice mode"), "{line}");
    start(data.path(), &[]);
}

#[tokio::test]
async fn the_practice_user_signs_in_nowhere_else() {
    let data = TempDir::new().unwrap();
    let practice = serve(data.path(), &[SECRET, PRACTICE]);
    let answer = practice.post("/login", &[], FORM);
    let session = answer
        .lines()
        .find_map(|line| line.strip_prefix("set-cookie: vestibule-session="))
        .unwrap();
    let session = format!(
        "Cookie: vestibule-session={}",
        session.split(';').next().unwrap()
    );
    assert!(has_status(&practice.get("/profile", &[&session]), 200));
    drop(practice);
    // An earlier version did this to a database that was in use.
    execute(data.path(), "delete from settings where name = 'mode'").await;
    execute(data.path(), "create table kept as select * from users").await;
    for words in [
        &LIST[..],
        &["serve"],
        &["link", "create", "--email", "ada@example.com"],
    ] {
        let line = refused(
            data.path(),
            words,
            &[SECRET, VALIDATOR, ("PUBLIC_URL", "https://sign-in.example")],
        );
        assert!(
            line.contains("practice@example.com") && line.contains("PRACTICE=forget"),
            "{line}"
        );
    }
    let server = serve(data.path(), &[SECRET, VALIDATOR, ("PRACTICE", "forget")]);
    assert!(has_status(&server.get("/profile", &[&session]), 303));
    assert!(has_status(&server.post("/login", &[], FORM), 422));
    // Nor if such a version comes to it again while this server runs.
    execute(data.path(), "insert into users select * from kept").await;
    assert!(has_status(&server.post("/login", &[], FORM), 422));
    let page = server.get("/login", &[]);
    assert!(
        !page.contains("practice@example.com") && !page.contains("open-sesame"),
        "{page}"
    );
}

#[test]
fn no_user_is_created_with_the_address_of_the_practice_user() {
    let data = TempDir::new().unwrap();
    let address = ("PUBLIC_URL", "https://sign-in.example");
    for words in [["user", "add"], ["link", "create"]] {
        let words = [&words[..], &["--email", "Practice@Example.com"]].concat();
        let line = refused(data.path(), &words, &[SECRET, VALIDATOR, address]);
        assert_eq!(
            line,
            "--email: practice@example.com is practice mode's own user"
        );
    }
    assert_eq!(
        fs::read_dir(data.path()).unwrap().count(),
        0,
        "nothing was made"
    );
}

#[test]
fn secrets_come_from_files_and_never_from_flags() {
    let data = TempDir::new().unwrap();
    let secrets = TempDir::new().unwrap();
    let file = secrets.path().join("key");
    fs::write(&file, format!("{}\n", SECRET.1)).unwrap();
    let file = file.to_str().unwrap();
    let list = |words: &[&str], settings: &[(&str, &str)]| {
        let output = run(data.path(), &[&["user", "list"], words].concat(), settings);
        assert!(output.status.success(), "{output:?}");
    };
    list(&[], &[VALIDATOR, ("VESTIBULE_SECRET_FILE", file)]);
    list(&["--vestibule-secret-file", file], &[VALIDATOR]);
    let other = format!("sqlite:{}", data.path().join("other.db").display());
    list(&["--database-url", &other], &[VALIDATOR, SECRET]);
    for (flag, value) in [
        ("--vestibule-secret", SECRET.1),
        ("--validator-secret", "hush"),
        ("--smtp-url", "smtps://a:hush@mail.example"),
        ("--database-url", "postgres://a:hush@db.example/x"),
    ] {
        let line = refused(
            data.path(),
            &["user", "list", flag, value],
            &[VALIDATOR, SECRET],
        );
        let key = flag[2..].replace('-', "_").to_uppercase();
        assert!(
            line.starts_with(&format!("{key}: a secret, "))
                && line.contains(&format!("{key}_FILE")),
            "{line}"
        );
        assert!(!line.contains("hush") && !line.contains(SECRET.1), "{line}");
    }
}

#[test]
fn what_others_could_read_is_its_owner_s_alone_once_a_server_has_started() {
    let data = TempDir::new().unwrap();
    let server = serve(data.path(), &[]);
    // It has no time to put its log away.
    drop(server);
    let files = [
        "vestibule.db",
        "vestibule.db-wal",
        "vestibule.db-shm",
        "practice.key",
    ];
    let path = |name: &str| data.path().join(name);
    for (name, mode) in files.iter().zip([0o644, 0o664, 0o606, 0o640]) {
        assert!(path(name).exists(), "{name}");
        fs::set_permissions(path(name), fs::Permissions::from_mode(mode)).unwrap();
    }
    let _server = serve(data.path(), &[]);
    for name in files {
        assert_eq!(
            fs::metadata(path(name)).unwrap().permissions().mode() & 0o777,
            0o600,
            "{name}"
        );
    }
}
