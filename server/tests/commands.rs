//! The commands beside a server: what each says, to people and to programs, and that what is wrong
//! is one line.

use serde_json::{Value, json};
use std::{
    io::Write as _,
    path::Path,
    process::{Command, Output, Stdio},
};
use tempfile::TempDir;
use vestibule::{
    clock::{Clock as _, SystemClock},
    secret::{Keys, SystemEntropy},
    store::{UserStore as _, sqlite::SqliteStore},
    user::{Identity, User, UserId},
};

/// What a command comes to with this password on its standard input, knowing nothing of this
/// machine's own settings.
fn run_with(data: &Path, words: &[&str], password: &str, settings: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
    command
        .args(words)
        .env_clear()
        .env("VESTIBULE_DATA", data)
        .env("RUST_LOG", "error");
    command
        .envs(settings.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that does not read it may have ended before.
    let _ = writeln!(child.stdin.take().unwrap(), "{password}");
    child.wait_with_output().unwrap()
}

fn run(data: &Path, words: &[&str]) -> Output {
    run_with(data, words, "correct-horse-battery-9", &[])
}

/// What it said on its standard output; nothing else was said and nothing went wrong.
fn said(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && error.is_empty(), "{error}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn json_of(output: &Output) -> Value {
    serde_json::from_str(&said(output)).unwrap()
}

/// The one line on the standard error of a command that failed.
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
    error
        .strip_prefix("vestibule: ")
        .expect("it says who speaks")
        .trim_end()
        .to_owned()
}

/// Takes a moment out of an object: how many seconds it is from now.
fn take_moment(object: &mut Value, field: &str) -> i64 {
    let moment = object.as_object_mut().unwrap().remove(field).unwrap();
    let moment = humantime::parse_rfc3339(moment.as_str().unwrap()).unwrap();
    let moment = moment
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    i64::try_from(moment).unwrap() - SystemClock.now().as_millis() / 1000
}

#[test]
fn a_user_is_added_listed_and_removed_for_people() {
    let data = TempDir::new().unwrap();
    let add = [
        "user",
        "add",
        "--email",
        "Ada@example.com",
        "--name",
        "Ada King",
    ];
    assert_eq!(said(&run(data.path(), &["user", "list"])), "");
    assert_eq!(
        said(&run(data.path(), &add)),
        "ada@example.com can sign in\n"
    );
    let again = said(&run(data.path(), &add));
    assert_eq!(
        again,
        "ada@example.com has the new password and is signed out everywhere\n"
    );
    let list = said(&run(data.path(), &["user", "list"]));
    let columns: Vec<_> = list.trim_end_matches('\n').split('\t').collect();
    assert_eq!(
        (columns.len(), &columns[..3]),
        (5, &["ada@example.com", "Ada King", "vestibule"][..])
    );
    let remove = ["user", "remove", "--email", "ADA@example.com"];
    assert_eq!(
        said(&run(data.path(), &remove)),
        "ada@example.com is removed and signed out everywhere\n"
    );
    assert_eq!(said(&run(data.path(), &["user", "list"])), "");
}

#[test]
fn a_user_is_added_listed_and_removed_for_programs() {
    let data = TempDir::new().unwrap();
    assert_eq!(
        json_of(&run(data.path(), &["user", "list", "--json"])),
        json!([])
    );
    let named = [
        "user",
        "add",
        "--email",
        "ada@example.com",
        "--name",
        "Ada \"King\"",
        "--json",
    ];
    let added = json!({"email": "ada@example.com", "name": "Ada \"King\"", "added": true, "signed_out": false});
    assert_eq!(json_of(&run(data.path(), &named)), added);
    let changed = json!({"email": "ada@example.com", "name": "Ada \"King\"", "added": false, "signed_out": true});
    assert_eq!(json_of(&run(data.path(), &named)), changed);
    let nameless =
        json!({"email": "bob@example.com", "name": null, "added": true, "signed_out": false});
    assert_eq!(
        json_of(&run(
            data.path(),
            &["user", "add", "--email", "bob@example.com", "--json"]
        )),
        nameless
    );
    let mut list = json_of(&run(data.path(), &["user", "list", "--json"]));
    for user in list.as_array_mut().unwrap() {
        assert!((-60..=0).contains(&take_moment(user, "since")));
    }
    let user = |email: &str, name: Value| json!({"issuer": "vestibule", "subject": email, "name": name, "email": email, "disabled": false});
    assert_eq!(
        list,
        json!([
            user("ada@example.com", json!("Ada \"King\"")),
            user("bob@example.com", Value::Null)
        ])
    );
    let removed = json!({"email": "ada@example.com", "removed": true});
    assert_eq!(
        json_of(&run(
            data.path(),
            &["user", "remove", "--email", "ada@example.com", "--json"]
        )),
        removed
    );
    assert_eq!(
        json_of(&run(data.path(), &["user", "list", "--json"]))
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[test]
fn no_command_takes_a_character_for_one_of_ascii() {
    let data = TempDir::new().unwrap();
    said(&run(
        data.path(),
        &["user", "add", "--email", "karl@example.com"],
    ));
    for looks_like in [
        "\u{212a}arl@example.com",
        "\u{ff4b}arl@example.com",
        "karl@example\u{3002}com",
        "karl@exam\u{17f}ple.com",
    ] {
        for words in [
            ["user", "add"],
            ["user", "disable"],
            ["user", "enable"],
            ["user", "remove"],
            ["link", "create"],
        ] {
            let line = problem(&run(
                data.path(),
                &[&words[..], &["--email", looks_like]].concat(),
            ));
            assert!(
                line.starts_with("--email: "),
                "{words:?} {looks_like}: {line}"
            );
        }
    }
    let list = json_of(&run(data.path(), &["user", "list", "--json"]));
    assert_eq!(
        (list.as_array().unwrap().len(), &list[0]["disabled"]),
        (1, &json!(false))
    );
}

#[test]
fn commands_and_pages_mean_the_same_by_an_address() {
    let data = TempDir::new().unwrap();
    for (typed, meant) in [
        ("Joe@B\u{fc}cher.example", "joe@xn--bcher-kva.example"),
        ("Ada King <mailto:Ada@Example.com>", "ada@example.com"),
        ("\u{200b}a..b@docomo.ne.jp.", "a..b@docomo.ne.jp"),
    ] {
        let added = said(&run(data.path(), &["user", "add", "--email", typed]));
        assert_eq!(added, format!("{meant} can sign in\n"));
        let link = json_of(&run(
            data.path(),
            &["link", "create", "--json", "--email", typed],
        ));
        assert_eq!(link["email"], meant);
        let removed = said(&run(data.path(), &["user", "remove", "--email", typed]));
        assert_eq!(
            removed,
            format!("{meant} is removed and signed out everywhere\n")
        );
    }
    let add = ["user", "add", "--json", "--email", "Ada.King@Example.com"];
    said(&run(data.path(), &add));
    let list = json_of(&run(data.path(), &["user", "list", "--json"]));
    assert_eq!(
        (&list[0]["subject"], &list[0]["email"]),
        (
            &json!("ada.king@example.com"),
            &json!("Ada.King@example.com")
        )
    );
}

#[test]
fn a_user_is_disabled_and_enabled_again() {
    let data = TempDir::new().unwrap();
    said(&run(
        data.path(),
        &["user", "add", "--email", "ada@example.com"],
    ));
    let disable = ["user", "disable", "--email", "ADA@example.com"];
    assert_eq!(
        said(&run(data.path(), &disable)),
        "ada@example.com is disabled and signed out everywhere\n"
    );
    assert!(said(&run(data.path(), &["user", "list"])).ends_with("\tdisabled\n"));
    let enable = ["user", "enable", "--email", "ada@example.com", "--json"];
    assert_eq!(
        json_of(&run(data.path(), &enable)),
        json!({"email": "ada@example.com", "disabled": false})
    );
    let line = problem(&run(
        data.path(),
        &["user", "disable", "--email", "stranger@example.com"],
    ));
    assert!(
        line.starts_with("--email: there is no user with the address"),
        "{line}"
    );
}

#[tokio::test]
async fn many_users_are_one_array_all_the_same() {
    let data = TempDir::new().unwrap();
    let secret = "gT7yVn2bXqR9sLk4wPzJ6mHcD1uEoAfK8iYxQv3NZ5M=";
    let store = SqliteStore::open(
        &data.path().join("vestibule.db"),
        &Keys::parse(secret).unwrap(),
    )
    .await
    .unwrap();
    let add = (0..1001).map(|number| {
        let identity = Identity {
            issuer: "i".into(),
            subject: format!("{number:04}"),
            name: None,
            email: None,
        };
        let store = &store;
        let user = User::new(
            UserId::generate(&SystemEntropy),
            identity,
            SystemClock.now(),
        );
        async move { store.put_user(&user, None).await.unwrap() }
    });
    futures_util::future::join_all(add).await;
    let settings = [
        ("VESTIBULE_SECRET", secret),
        ("VALIDATOR_URL", "https://v.example/"),
    ];
    let list = json_of(&run_with(
        data.path(),
        &["user", "list", "--json"],
        "",
        &settings,
    ));
    let subjects: Vec<_> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|user| user["subject"].as_str().unwrap())
        .collect();
    assert_eq!(
        subjects,
        (0..1001)
            .map(|number| format!("{number:04}"))
            .collect::<Vec<_>>()
    );
}

#[test]
fn a_link_is_an_address_that_browsers_can_come_to() {
    let data = TempDir::new().unwrap();
    let create = ["link", "create", "--email", "Ada@example.com"];
    let link = said(&run(data.path(), &create));
    assert!(
        link.starts_with("http://127.0.0.1:3000/confirm/") && link.lines().count() == 1,
        "{link}"
    );
    let address = [
        ("PUBLIC_URL", "https://sign-in.example"),
        ("LEPTOS_SITE_ADDR", "127.0.0.1:0"),
    ];
    let public = [address[0], address[1], ("PRACTICE", "on")];
    let json = [&create[..], &["--expires", "90min", "--json"]].concat();
    let mut answer = json_of(&run_with(data.path(), &json, "", &public));
    assert!((5340..=5400).contains(&take_moment(&mut answer, "expires")));
    let link = answer.as_object_mut().unwrap().remove("link").unwrap();
    assert!(
        link.as_str()
            .unwrap()
            .starts_with("https://sign-in.example/confirm/"),
        "{link}"
    );
    assert_eq!(answer, json!({"email": "ada@example.com"}));
}

#[test]
fn a_link_that_no_browser_could_follow_is_not_made() {
    let data = TempDir::new().unwrap();
    let create = ["link", "create", "--email", "ada@example.com"];
    let outside = [
        ("LEPTOS_SITE_ADDR", "0.0.0.0:3000"),
        ("VALIDATOR_URL", "https://v.example/"),
        (
            "VESTIBULE_SECRET",
            "gT7yVn2bXqR9sLk4wPzJ6mHcD1uEoAfK8iYxQv3NZ5M=",
        ),
    ];
    for settings in [&outside[..], &[("LEPTOS_SITE_ADDR", "127.0.0.1:0")]] {
        let line = problem(&run_with(data.path(), &create, "", settings));
        assert!(
            line.starts_with("PUBLIC_URL: missing; browsers cannot be told to come to "),
            "{line}"
        );
    }
}

#[test]
fn what_is_wrong_with_a_command_is_one_line_also_for_programs() {
    let data = TempDir::new().unwrap();
    for (words, begins) in [
        (
            &[
                "user",
                "remove",
                "--email",
                "stranger@example.com",
                "--json",
            ][..],
            "--email: there is no user with the address",
        ),
        (
            &["user", "add", "--email", "unknown", "--json"],
            "--email: \"unknown\" is not an address",
        ),
        (
            &["link", "create", "--email", "unknown", "--json"],
            "--email: \"unknown\" is no address",
        ),
        (
            &[
                "link",
                "create",
                "--email",
                "ada@example.com",
                "--expires",
                "soon",
            ],
            "--expires: \"soon\" is not between",
        ),
        (
            &[
                "link",
                "create",
                "--email",
                "ada@example.com",
                "--expires",
                "1s",
            ],
            "--expires: \"1s\" is not between",
        ),
        (
            &[
                "link",
                "create",
                "--email",
                "ada@example.com",
                "--expires",
                "31days",
            ],
            "--expires: \"31days\" is not",
        ),
        (
            &["user", "list", "--database-url", "mysql://x", "--json"],
            "DATABASE_URL: ",
        ),
    ] {
        let line = problem(&run(data.path(), words));
        assert!(line.starts_with(begins), "{words:?}: {line}");
    }
    let short = problem(&run_with(
        data.path(),
        &["user", "add", "--email", "ada@example.com"],
        "short",
        &[],
    ));
    assert!(
        short.starts_with("the password on the standard input: Use at least 8"),
        "{short}"
    );
    let weak = problem(&run_with(
        data.path(),
        &["user", "add", "--email", "ada@example.com"],
        "password1",
        &[],
    ));
    assert!(
        weak.starts_with("the password on the standard input: That password is easy to guess."),
        "{weak}"
    );
}

#[test]
fn the_keys_that_sign_are_rotated_at_most_every_quarter_of_an_hour_but_at_once_if_need_be() {
    let data = TempDir::new().unwrap();
    let first = json_of(&run(data.path(), &["key", "rotate", "--json"]));
    let line = problem(&run(data.path(), &["key", "rotate"]));
    assert!(
        line.starts_with("the last rotation was too short a time ago") && line.ends_with("--now"),
        "{line}"
    );
    let line = said(&run(data.path(), &["key", "rotate", "--now"]));
    let second = line.split(' ').nth(6).unwrap();
    assert_eq!(second.len(), 43, "{line}");
    assert_ne!(first["key"], second);
}
