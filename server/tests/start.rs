//! A start that cannot be is one line on the standard error, exit code 1, and nothing damaged.

use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Output, Stdio},
};
use tempfile::TempDir;

const SECRET: &str = "Y1ZtJ0vW8n3qkRu5xTgB2yLhPzXo7mEaQ9dKfCs4wUI=";

/// The server in `data`, knowing nothing of this machine's own settings.
fn vestibule(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
    command
        .env_clear()
        .env("VESTIBULE_DATA", data)
        .env("LEPTOS_SITE_ADDR", "127.0.0.1:0");
    command
}

/// The server's output, which must be one line.
fn one_line(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.starts_with("vestibule: "), "{said}");
    said
}

/// A server in `data` that is listening.
fn started(data: &Path) -> Child {
    let mut server = vestibule(data)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.as_mut().unwrap())
        .read_line(&mut line)
        .unwrap();
    assert!(line.starts_with("listening on http://127.0.0.1:"), "{line}");
    server
}

/// A data folder that a server has been started in and stopped in.
fn used_folder() -> TempDir {
    let data = TempDir::new().unwrap();
    let mut server = started(data.path());
    server.kill().unwrap();
    server.wait().unwrap();
    data
}

/// With huge pages, an idle server would hold twice the memory.
#[cfg(target_os = "linux")]
#[test]
fn a_server_has_small_pages() {
    let data = TempDir::new().unwrap();
    let mut server = started(data.path());
    let status = fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    server.kill().unwrap();
    server.wait().unwrap();
    assert!(!status.contains("THP_enabled:\t1"), "{status}");
}

#[test]
fn a_port_that_is_taken_is_named() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = holder.local_addr().unwrap();
    let data = TempDir::new().unwrap();
    let output = vestibule(data.path())
        .env("LEPTOS_SITE_ADDR", taken.to_string())
        .output()
        .unwrap();
    let said = one_line(&output);
    assert!(
        said.contains("LEPTOS_SITE_ADDR") && said.contains(&taken.to_string()),
        "{said}"
    );
    assert_eq!(
        fs::read_dir(data.path()).unwrap().count(),
        0,
        "nothing is written before the port is had"
    );
    drop(holder);
}

#[test]
fn a_private_port_that_is_taken_is_named() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = holder.local_addr().unwrap();
    let data = TempDir::new().unwrap();
    let output = vestibule(data.path())
        .env("OPS_ADDR", taken.to_string())
        .output()
        .unwrap();
    let said = one_line(&output);
    let named = format!("vestibule: OPS_ADDR: {taken} cannot be listened on: ");
    assert!(said.starts_with(&named), "{said}");
    assert_eq!(fs::read_dir(data.path()).unwrap().count(), 0);
}

#[test]
fn what_is_told_to_stop_as_soon_as_it_says_that_it_listens_ends_as_it_should() {
    let data = TempDir::new().unwrap();
    for _ in 0..5 {
        let mut server = vestibule(data.path())
            .env("OPS_ADDR", "127.0.0.1:0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(server.stdout.take().unwrap()).lines();
        let mut said = lines.map(Result::unwrap);
        let private = said.next().unwrap();
        assert!(
            private.starts_with("operations at http://127.0.0.1:"),
            "{private}"
        );
        assert!(said.next().unwrap().starts_with("listening on "));
        kill_process(Pid::from_child(&server), Signal::TERM).unwrap();
        let ended = server.wait().unwrap();
        assert!(ended.success(), "{ended}");
    }
}

#[test]
fn a_data_folder_that_cannot_be_used_is_named() {
    let place = TempDir::new().unwrap();
    let file = place.path().join("file");
    fs::write(&file, "mine").unwrap();
    let said = one_line(&vestibule(&file.join("data")).output().unwrap());
    assert!(
        said.contains("file/data") && said.contains("VESTIBULE_DATA"),
        "{said}"
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), "mine");
}

#[test]
fn a_file_that_is_no_database_is_named_and_left_alone() {
    let data = used_folder();
    let database = data.path().join("vestibule.db");
    for beside in ["vestibule.db-wal", "vestibule.db-shm"] {
        let _ = fs::remove_file(data.path().join(beside));
    }
    fs::write(&database, "a letter to my mother ".repeat(100)).unwrap();
    let said = one_line(&vestibule(data.path()).output().unwrap());
    assert!(said.contains("vestibule.db"), "{said}");
    assert!(
        fs::read_to_string(&database)
            .unwrap()
            .starts_with("a letter")
    );
}

#[test]
fn a_database_of_another_key_is_refused() {
    let data = used_folder();
    let other = SECRET;
    let mut practice = vestibule(data.path());
    let said = one_line(
        &practice
            .env("VESTIBULE_SECRET", other)
            .env("PRACTICE", "on")
            .output()
            .unwrap(),
    );
    assert!(said.contains("another key"), "{said}");
}

#[test]
fn a_wrong_setting_is_named_by_flag_and_by_variable() {
    let data = TempDir::new().unwrap();
    let by_variable = vestibule(data.path())
        .env("CONFIRM_DEADLINE", "soon")
        .output()
        .unwrap();
    let by_flag = vestibule(data.path())
        .args(["--confirm-deadline", "soon"])
        .output()
        .unwrap();
    for output in [by_variable, by_flag] {
        assert_eq!(
            one_line(&output),
            "vestibule: CONFIRM_DEADLINE: not a time with its unit (example: 60s)\n",
        );
    }
}

#[test]
fn a_server_and_a_worker_apart_need_a_store_that_they_can_share() {
    let data = TempDir::new().unwrap();
    let real = [
        ("VALIDATOR_URL", "http://127.0.0.1:9/"),
        ("VESTIBULE_SECRET", SECRET),
    ];
    for words in [&["serve", "--no-worker"][..], &["worker"]] {
        let said = one_line(&vestibule(data.path()).args(words).output().unwrap());
        assert!(
            said.contains("VALIDATOR_URL: missing; practice mode is one process"),
            "{said}"
        );
        let said = one_line(
            &vestibule(data.path())
                .args(words)
                .envs(real)
                .output()
                .unwrap(),
        );
        assert!(
            said.contains("DATABASE_URL: a SQLite file is one process's"),
            "{said}"
        );
    }
    assert_eq!(
        fs::read_dir(data.path()).unwrap().count(),
        0,
        "nothing was made"
    );
}

#[test]
fn a_database_or_a_redis_that_cannot_be_reached_is_named_without_its_password() {
    let data = TempDir::new().unwrap();
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    for (key, scheme) in [("DATABASE_URL", "postgres"), ("REDIS_URL", "redis")] {
        let url = format!("{scheme}://ada:hush@{closed}/0");
        let said = one_line(
            &vestibule(data.path())
                .env(key, url)
                .env("PRACTICE", "on")
                .output()
                .unwrap(),
        );
        assert!(
            said.contains(&format!("{scheme}://{closed}/0")) && !said.contains("hush"),
            "{said}"
        );
    }
}
