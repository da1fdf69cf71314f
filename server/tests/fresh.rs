//! Actions that an unattended browser must not allow need a new sign-in once the last one is old.

mod support;

use sqlx::{ConnectOptions as _, sqlite::SqliteConnectOptions};
use support::{Server, has_status};
use tempfile::TempDir;

/// Signs the practice user in, and returns the line of their cookie and where they were led.
fn sign_in(server: &Server, next: &str) -> (String, String) {
    let form = format!("email=practice%40example.com&password=open-sesame-42&next={next}");
    let answer = server.post("/login", &[], &form);
    let session = answer
        .lines()
        .find_map(|line| line.strip_prefix("set-cookie: vestibule-session="))
        .expect("a session");
    let session = format!(
        "Cookie: vestibule-session={}",
        session.split(';').next().unwrap()
    );
    (session, location(&answer).to_owned())
}

fn location(answer: &str) -> &str {
    answer
        .lines()
        .find_map(|line| line.strip_prefix("location: "))
        .unwrap_or_default()
}

/// Lets half an hour pass for all sessions.
async fn age(data: &TempDir) {
    let database = SqliteConnectOptions::new().filename(data.path().join("vestibule.db"));
    let mut database = database.connect().await.unwrap();
    sqlx::query("update sessions set since = since - 1800000")
        .execute(&mut database)
        .await
        .unwrap();
}

#[tokio::test]
async fn an_old_session_is_asked_for_the_password_once_more_and_led_on() {
    let data = TempDir::new().unwrap();
    let server = Server::start(&[("VESTIBULE_DATA", data.path().to_str().unwrap())]);
    let (session, _) = sign_in(&server, "");
    assert!(has_status(
        &server.get("/profile/password", &[&session]),
        200
    ));
    age(&data).await;
    assert!(
        has_status(&server.get("/profile", &[&session]), 200),
        "who it is has not changed"
    );
    for path in ["/profile/password", "/profile/address"] {
        let wanted = format!("/login?next=%2Fprofile%2F{}&again=1", &path[9..]);
        assert_eq!(location(&server.get(path, &[&session])), wanted);
        assert_eq!(
            location(&server.post(
                path,
                &[&session],
                "password=six+purple+lanterns+wait&email=x%40y.z"
            )),
            wanted
        );
        let page = server.get(&wanted, &[&session]);
        assert!(
            has_status(&page, 200) && page.contains("Sign in once more"),
            "{page}"
        );
        assert!(page.contains("value=\"practice@example.com\""), "{page}");
        let (session, onward) = sign_in(&server, &path.replace('/', "%2F"));
        assert_eq!(onward, path);
        assert!(has_status(&server.get(path, &[&session]), 200));
    }
}

#[test]
fn a_password_is_changed_only_with_the_current_one() {
    let server = Server::start(&[]);
    let (session, _) = sign_in(&server, "");
    let page = server.get("/profile/password", &[&session]);
    assert!(page.contains("autocomplete=\"current-password\""), "{page}");
    for current in ["", "current=guessed-wrong-7&"] {
        let form = format!("{current}password=six+purple+lanterns+wait");
        let answer = server.post("/profile/password", &[&session], &form);
        assert!(
            has_status(&answer, 422) && answer.contains("That is not your current password."),
            "{answer}"
        );
    }
    // Nor does another address become the user's, by which a password could be set without it.
    assert!(
        server
            .get("/profile/address", &[&session])
            .contains("autocomplete=\"current-password\"")
    );
    let answer = server.post("/profile/address", &[&session], "email=thief%40example.com");
    assert!(
        has_status(&answer, 422) && answer.contains("That is not your current password."),
        "{answer}"
    );
    let answer = server.post(
        "/profile/address",
        &[&session],
        "current=open-sesame-42&email=king%40example.com",
    );
    assert!(
        has_status(&answer, 200) && answer.contains("king@example.com"),
        "{answer}"
    );
    let form = "current=open-sesame-42&password=six+purple+lanterns+wait";
    assert!(has_status(
        &server.post("/profile/password", &[&session], form),
        303
    ));
}

#[test]
fn a_stranger_is_led_to_the_login_page_and_changes_nothing() {
    let server = Server::start(&[]);
    for path in [
        "/profile/password",
        "/profile/address",
        "/profile/address/x",
    ] {
        for answer in [
            server.get(path, &[]),
            server.post(path, &[], "password=six+purple+lanterns+wait&email=x%40y.z"),
        ] {
            assert!(
                has_status(&answer, 303)
                    && location(&answer).starts_with("/login?next=%2Fprofile%2F"),
                "{answer}"
            );
        }
    }
}

#[tokio::test]
async fn a_browser_that_ends_other_sessions_by_an_old_one_stays_known_no_more_than_theirs() {
    let data = TempDir::new().unwrap();
    let server = Server::start(&[("VESTIBULE_DATA", data.path().to_str().unwrap())]);
    let known = "email=practice%40example.com&password=open-sesame-42";
    let known = server.post("/login", &[], known);
    let known = known
        .lines()
        .filter_map(|line| line.strip_prefix("set-cookie: ")?.split(';').next());
    let own = format!("Cookie: {}", known.collect::<Vec<_>>().join("; "));
    assert!(own.contains("vestibule-known="), "{own}");
    age(&data).await;
    for (path, form) in [
        ("/profile/sessions/end", "choice=others"),
        ("/logout", "everywhere=1"),
    ] {
        let answer = server.post(path, &[&own], form);
        assert!(has_status(&answer, 303), "{answer}");
        assert!(!answer.contains("vestibule-known="), "{path}: {answer}");
    }
}
