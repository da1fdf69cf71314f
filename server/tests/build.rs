//! A server and a site that were not built together: the log says so, and pages keep to the form
//! that needs no script.

#[path = "support/landing.rs"]
mod landing;
mod support;

use std::{
    fs,
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};
use support::{Server, has_status};
use tempfile::TempDir;
use vestibule_app::build_id;

/// A site whose client carries this mark, if there is one.
fn site(mark: Option<&str>) -> TempDir {
    let site = TempDir::new().unwrap();
    fs::create_dir(site.path().join("pkg")).unwrap();
    if let Some(mark) = mark {
        fs::write(site.path().join("pkg/vestibule.js"), "export {}").unwrap();
        fs::write(
            site.path().join("pkg/vestibule.wasm"),
            format!("\0asm {mark}"),
        )
        .unwrap();
    }
    site
}

/// A server with this site.
fn server(site: &TempDir) -> Server {
    Server::start(&[("LEPTOS_SITE_ROOT", &site.path().display().to_string())])
}

const OTHERS: [Option<&str>; 4] = [
    None,
    Some(""),
    Some("vestibule-build:0123456789abcdef;release;"),
    Some("vestibule-build:0123456789abcdef;debug;"),
];

#[test]
fn a_page_has_a_script_only_if_it_is_of_the_same_build() {
    let good = server(&site(Some(build_id::MARK))).get("/confirm/valid", &[]);
    assert!(
        good.contains("<script") && good.contains("/pkg/vestibule"),
        "{good}"
    );
    assert!(
        good.contains(&format!("data-build=\"{}\"", build_id::OF_PAGE)),
        "{good}"
    );
    for other in OTHERS {
        let server = server(&site(other));
        let plain = server.get("/confirm/valid", &[]);
        assert!(
            !plain.contains("<script") && !plain.contains("data-build"),
            "{other:?}: {plain}"
        );
        let (begun, cookies) = landing::call_begin(&server, "valid");
        assert!(has_status(&begun, 200), "{begun}");
        assert!(
            has_status(&server.post("/confirm/valid", &[&cookies], ""), 303),
            "the form works"
        );
    }
}

#[test]
fn one_line_at_the_start_says_that_the_site_is_of_another_build() {
    for (mark, wrong) in OTHERS
        .into_iter()
        .map(|other| (other, true))
        .chain([(Some(build_id::MARK), false)])
    {
        let site = site(mark);
        let data = TempDir::new().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
        command
            .env_clear()
            .env("VESTIBULE_DATA", data.path())
            .env("LEPTOS_SITE_ADDR", "127.0.0.1:0");
        command
            .env("LEPTOS_SITE_ROOT", site.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut server = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.as_mut().unwrap())
            .read_line(&mut line)
            .unwrap();
        server.kill().unwrap();
        let log = String::from_utf8(server.wait_with_output().unwrap().stderr).unwrap();
        let told = log
            .lines()
            .filter(|line| line.contains("plain form"))
            .count();
        assert_eq!(told, usize::from(wrong), "{mark:?}: {log}");
    }
}
