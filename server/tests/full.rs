//! A disk that is full: what would have to be stored is put off, and everything else goes on.

#![cfg(target_os = "linux")]

#[path = "support/landing.rs"]
mod landing;
mod support;

use std::process::Command;
use support::{Server, has_status};

/// Lets the server's files grow up to `bytes`, as a disk does that is full or has room again.
fn limit_files(server: &Server, bytes: &str) {
    let pid = server.child.id().to_string();
    let set = Command::new("prlimit")
        .args(["--pid", &pid, &format!("--fsize={bytes}:")])
        .status();
    assert!(set.expect("prlimit is there, of util-linux").success());
}

/// Opens a link and continues by its form, with `more` lines in the heads.
fn continued(server: &Server, token: &str, more: &[&str]) -> String {
    let path = format!("/confirm/{token}");
    let cookies = landing::cookies_of(server, &path, more);
    server.post(&path, &[more, &[&*cookies]].concat(), "")
}

fn begin(server: &Server, number: u32) -> String {
    continued(server, &format!("down-{number}"), &[])
}

/// Signs in with the password of practice mode, and returns the session cookie.
fn signed_in(server: &Server) -> String {
    let response = server.post(
        "/login",
        &[],
        "email=practice@example.com&password=open-sesame-42",
    );
    let cookie = response
        .lines()
        .find_map(|line| line.strip_prefix("set-cookie: "));
    let cookie = cookie
        .and_then(|cookie| cookie.split(';').next())
        .expect("the password is right");
    format!("Cookie: {cookie}")
}

#[test]
fn on_a_full_disk_a_begin_is_put_off_pages_and_people_go_on_and_room_is_enough_to_recover() {
    let server = Server::start(&[]);
    let cookie = signed_in(&server);
    assert!(has_status(&begin(&server, 1), 303));

    limit_files(&server, "1");
    let refused = begin(&server, 2);
    assert!(
        has_status(&refused, 503) && refused.contains("retry-after: 5"),
        "{refused}"
    );
    let refused = landing::call_begin(&server, "down-2").0;
    assert!(
        has_status(&refused, 503) && refused.contains("retry-after: 5"),
        "{refused}"
    );
    assert!(
        has_status(&server.get("/profile", &[&cookie]), 200),
        "a signed-in user stays signed in"
    );
    for page in ["/", "/login", "/confirm/down-3"] {
        assert!(has_status(&server.get(page, &[]), 200), "{page}");
    }
    let landed = landing::cookies_of(&server, "/confirm/down-3", &[]);
    assert!(has_status(
        &server.get("/confirm/down-3/wait", &[&landed]),
        200
    ));

    limit_files(&server, "unlimited");
    assert!(has_status(&begin(&server, 2), 303));
    assert!(has_status(&server.get("/profile", &[&cookie]), 200));
}
