//! What happens to accounts is in the log, without e-mail addresses or secrets.

use crate::support::{Browser, Database, Process, Validator, free_port, until};
use reqwest::StatusCode;
use std::time::Duration;

const EMAIL: &str = "grace.hopper@example.com";
const PASSWORD: &str = "correct-horse-battery-7";

fn credentials(password: &str) -> String {
    format!("email={EMAIL}&password={password}")
}

#[tokio::test]
async fn what_happens_to_an_account_is_told_under_one_target_without_its_address_or_a_secret() {
    let database = Database::sqlite();
    let port = free_port();
    let validator = Validator::taking(Duration::ZERO).await;
    Process::add_user(&database, EMAIL, PASSWORD).await;
    let server = Process::serving(port, &database, &validator, &[("RUST_LOG", "trace")]).await;
    let browser = Browser::at(port);
    assert_eq!(
        browser
            .post("/login", &credentials("guessed-wrong-7"))
            .await,
        StatusCode::UNPROCESSABLE_ENTITY
    );
    assert_eq!(
        browser.post("/login", &credentials(PASSWORD)).await,
        StatusCode::SEE_OTHER
    );
    assert_eq!(
        browser
            .post(
                "/pusher/auth",
                "socket_id=1.2&channel_name=private-x&token=mine"
            )
            .await,
        403
    );
    assert_eq!(
        browser.post("/profile/sessions/end", "choice=others").await,
        StatusCode::SEE_OTHER
    );
    let new = "another-battery-of-horses-8";
    assert_eq!(
        browser
            .post(
                "/profile/password",
                &format!("current={PASSWORD}&password={new}")
            )
            .await,
        StatusCode::SEE_OTHER
    );
    assert_eq!(
        browser.post("/logout", "everywhere=1").await,
        StatusCode::SEE_OTHER
    );
    let other = Browser::at(port);
    let mut attempts = 0;
    while other.post("/login", &credentials("guessed-wrong-7")).await
        != StatusCode::TOO_MANY_REQUESTS
    {
        attempts += 1;
        assert!(
            attempts <= 20,
            "an account is tried so often and no oftener"
        );
    }
    let elsewhere = Browser::knowing(port, "elsewhere.example");
    assert_eq!(elsewhere.look("/login").await.0, 403);
    Browser::at(port).sign_in("good").await;
    for (event, outcome, rest) in [
        ("sign_in", "refused", "means=password detail=\"wrong\""),
        ("sign_in", "done", "means=password"),
        ("forged", "refused", "detail=\"channel\""),
        ("sessions_ended", "done", "user="),
        ("password_set", "done", "user="),
        ("sign_out", "done", "detail=\"everywhere\""),
        ("too_often", "refused", "detail=\"password\""),
        ("forged", "refused", "detail=\"host\""),
        ("sign_in", "done", "means=confirmation"),
    ] {
        until(&format!("{event} {outcome} {rest}"), || async {
            let lines = server.lines();
            let is_it = |line: &&String| {
                line.contains("request{client=")
                    && line.contains("vestibule::audit: ")
                    && line.contains(&format!("event=\"{event}\" outcome=\"{outcome}\""))
                    && line.contains(rest)
            };
            lines.iter().find(is_it).map(|_| ())
        })
        .await;
    }
    for secret in [
        EMAIL,
        "grace.hopper",
        PASSWORD,
        new,
        "guessed-wrong-7",
        "127.0.0.1:9",
    ] {
        let lines = server.lines();
        let told = lines
            .iter()
            .find(|line| line.contains("vestibule::audit") && line.contains(secret));
        assert_eq!(told, None, "{secret}");
    }
    server.kill().await;
}
