use super::*;
use crate::testing::within;
use axum::{
    body::{Body, to_bytes},
    http::{Request, Response},
};
use tower::ServiceExt as _;

fn grace() -> Identity {
    Identity {
        issuer: "https://id.example".into(),
        subject: "grace".into(),
        name: Some("Grace Hopper".into()),
        email: Some("grace@example.com".into()),
    }
}

/// What a browser with this cookie is told, as a document or by a form.
async fn ask(server: &Server, path: &str, cookie: &str, form: Option<&str>) -> Response<Body> {
    let method = if form.is_some() { "POST" } else { "GET" };
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", server.addr().to_string())
        .header("cookie", cookie)
        .header("sec-fetch-site", "same-origin")
        .header("sec-fetch-mode", "navigate")
        .header("sec-fetch-dest", "document")
        .header("content-type", "application/x-www-form-urlencoded");
    let body = Body::from(form.unwrap_or_default().to_owned());
    let request = request.body(body).unwrap();
    server.router().oneshot(request).await.unwrap()
}

/// Opens a link and begins with it, without scripts.
async fn begin(server: &Server, token: &str) {
    let path = format!("/confirm/{token}");
    let landing = ask(server, &path, "", None).await;
    let cookie = landing.headers()["set-cookie"].to_str().unwrap();
    let cookie = cookie.split(';').next().unwrap();
    assert_eq!(ask(server, &path, cookie, Some("")).await.status(), 303);
}

async fn ending(server: &Server, token: &str) -> ConfirmationState {
    within(async || {
        let begun = server.confirmations(token).await;
        begun.into_iter().find(|begun| begun.ending.is_some())
    })
    .await
}

#[tokio::test]
async fn whom_it_signs_in_is_signed_in_until_the_time_has_passed() {
    let server = Server::start().await;
    let browser = server.sign_in(&grace()).await;
    let page = ask(&server, "/profile", &browser.cookie, None).await;
    assert_eq!(page.status(), 200);
    let page = to_bytes(page.into_body(), usize::MAX).await.unwrap();
    assert!(String::from_utf8_lossy(&page).contains("Grace Hopper"));
    assert_eq!(server.sign_in(&grace()).await.user, browser.user);
    server.advance(Duration::from_hours(91 * 24)).await;
    let page = ask(&server, "/profile", &browser.cookie, None).await;
    assert_eq!(page.status(), 303);
    server.shutdown().await;
}

#[tokio::test]
async fn its_validator_answers_as_it_is_told() {
    let server = Server::with(&[("CONFIRM_START", "click")]).await;
    let second = Duration::from_secs(1);
    let valid = Answer::valid(&grace());
    for (token, answers, ending_of, asked) in [
        (
            "a",
            vec![Answer::status(503), valid.clone()],
            "confirmed",
            2,
        ),
        ("b", vec![Answer::invalid(Reason::Used)], "used", 1),
        (
            "c",
            vec![Answer::calling_back(second, valid.clone())],
            "confirmed",
            1,
        ),
        (
            "d",
            vec![Answer::later(60), valid.after(second)],
            "confirmed",
            2,
        ),
    ] {
        server.answers(token, answers).await;
        begin(&server, token).await;
        let first = async || {
            server
                .confirmations(token)
                .await
                .first()?
                .asked
                .checked_sub(1)
        };
        within(first).await;
        if token == "d" {
            within(async || {
                let begun = server.confirmations(token).await;
                (begun[0].step == "later").then_some(())
            })
            .await;
            server.advance(second * 60).await;
        }
        let ended = ending(&server, token).await;
        let ended = (ended.ending.as_deref(), ended.asked);
        assert_eq!(ended, (Some(ending_of), asked), "{token}");
    }
}

#[tokio::test]
async fn its_mails_can_be_read() {
    let server = Server::start().await;
    let asked = ask(
        &server,
        "/login/link",
        "",
        Some("email=grace%40example.com"),
    )
    .await;
    assert_eq!(asked.status(), 303);
    let mail = within(async || server.mails("grace@example.com").await.pop()).await;
    let link = format!("http://{}/confirm/", server.addr());
    assert!(mail.link.unwrap().starts_with(&link));
    assert_eq!(mail.code.unwrap().len(), 6);
    assert_eq!(server.mails("ada@example.com").await, []);
}

#[tokio::test]
#[should_panic(expected = "answers[0]: status: not from 200 to 599")]
async fn what_cannot_be_answered_is_a_panic_that_says_why() {
    let server = Server::start().await;
    server.answers("t", [Answer::status(99)]).await;
}

#[tokio::test]
#[should_panic(expected = "only practice mode can be controlled")]
async fn a_server_in_use_is_none() {
    Server::with(&crate::testing::IN_USE).await;
}
