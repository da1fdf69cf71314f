use crate::{
    Builder,
    http::listener,
    testing::{IN_USE, TestApp, TestBrowser, within},
    validator::{Reason, Token, ValidationError, Verdict},
};
use axum::http::HeaderMap;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::{self, Instant},
};
use vestibule::tls;

const CONTROLLED: (&str, &str) = ("OPS_ADDR", "127.0.0.1:0");

/// Every address of the control, with a request that it would carry out.
const REQUESTS: [(&str, &str, &str); 5] = [
    (
        "PUT",
        "/practice/tokens/t-1",
        r#"{"answers":[{"verdict":"valid"}]}"#,
    ),
    ("GET", "/practice/mail", ""),
    ("GET", "/practice/confirmations", ""),
    ("POST", "/practice/clock", r#"{"advance":"20m"}"#),
    ("POST", "/practice/sign-in", r#"{"subject":"grace"}"#),
];

/// What the private listener has answered.
#[derive(Debug)]
struct Answer {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{self:#?}"))
    }
}

async fn send(
    app: &TestApp,
    method: &str,
    path: &str,
    body: &str,
    headers: &[(&str, &str)],
) -> Answer {
    let client = Client::builder()
        .tls_backend_preconfigured(tls::client_config(tls::machine_roots()))
        .no_proxy()
        .build()
        .unwrap();
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    let url = format!("http://{}{path}", app.ops_addr().unwrap());
    let mut request = client.request(method, url).body(body.to_owned());
    if !body.is_empty() {
        request = request.header("content-type", "application/json");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    Answer {
        status: response.status().as_u16(),
        headers: response.headers().clone(),
        text: response.text().await.unwrap(),
    }
}

async fn ask(app: &TestApp, method: &str, path: &str, body: &Value) -> Answer {
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    send(app, method, path, &body, &[]).await
}

async fn script(app: &TestApp, token: &str, answers: Value) {
    let path = format!("/practice/tokens/{token}");
    let set = ask(app, "PUT", &path, &json!({ "answers": answers })).await;
    assert_eq!(set.status, 204, "{set:#?}");
}

async fn advance(app: &TestApp, time: &str) {
    let moved = ask(app, "POST", "/practice/clock", &json!({ "advance": time })).await;
    assert_eq!(moved.status, 200, "{moved:#?}");
}

/// A browser with the cookies of a sign-in.
async fn signed_in(app: &TestApp, body: Value) -> TestBrowser<'_> {
    let answer = ask(app, "POST", "/practice/sign-in", &body).await;
    assert_eq!(answer.status, 200, "{answer:#?}");
    let answer = answer.json();
    let cookies = answer["cookies"].as_array().unwrap().iter();
    cookies.fold(app.browser(), |browser, cookie| {
        let text = |field: &str| cookie[field].as_str().unwrap();
        browser.with_cookie(text("name"), text("value"))
    })
}

#[tokio::test]
async fn the_validator_answers_as_a_test_says_and_is_asked_by_the_worker() {
    let app = TestApp::with(&[CONTROLLED]).await;
    let grace =
        json!({ "issuer": "https://id.example", "subject": "grace", "name": "Grace Hopper" });
    let answers = json!([{ "status": 503 }, { "verdict": "valid", "identity": grace }]);
    script(&app, "order-4711", answers).await;
    let mut browser = app.browser();
    browser.begin("order-4711").await;
    assert_eq!(browser.outcome("order-4711").await, "/profile");
    browser
        .open("/profile")
        .await
        .assert_status(200)
        .assert_says("Grace Hopper");
    let path = "/practice/confirmations?token=order-4711";
    let told = ask(&app, "GET", path, &Value::Null).await.json();
    assert_eq!(
        (&told[0]["asked"], &told[0]["ending"], &told[1]),
        (&json!(2), &json!("confirmed"), &Value::Null)
    );
    assert!(!told.to_string().contains("4711"), "{told}");
}

#[tokio::test]
async fn it_answers_later_and_calls_back_as_a_test_says() {
    let app = TestApp::with(&[CONTROLLED]).await;
    script(&app, "t-1", json!([{ "status": 202, "retry_after": 60 }])).await;
    let mut browser = app.browser();
    browser.begin("t-1").await;
    let later = within(async || {
        let path = "/practice/confirmations?token=t-1";
        let told = ask(&app, "GET", path, &Value::Null).await.json();
        (told[0]["step"] == "later").then_some(told)
    })
    .await;
    assert_eq!(later[0]["asked"], 1);
    script(
        &app,
        "t-1",
        json!([{ "verdict": "invalid", "reason": "used" }]),
    )
    .await;
    // A minute passes for the worker, which is asleep until then.
    advance(&app, "61s").await;
    assert_eq!(browser.outcome("t-1").await, "/login?reason=used");
}

#[tokio::test]
async fn a_deadline_is_reached_as_soon_as_the_clock_is_moved_past_it() {
    let app = TestApp::with(&[CONTROLLED]).await;
    let mut browser = app.browser();
    browser.begin("down-1").await;
    let told = async || {
        let told = ask(&app, "GET", "/practice/confirmations", &Value::Null).await;
        told.json()[0].clone()
    };
    let asked = within(async || Some(told().await).filter(|told| told["asked"] == 1)).await;
    assert_eq!(asked["ending"], Value::Null);
    advance(&app, "2min").await;
    let ended = within(async || Some(told().await).filter(|told| !told["ending"].is_null()));
    assert_eq!(ended.await["ending"], "unavailable");
}

#[tokio::test]
async fn mails_are_told_with_link_and_code_to_whom_they_were_sent() {
    let app = TestApp::with(&[CONTROLLED]).await;
    app.browser()
        .submit("/login/link", &[("email", "Grace@example.com")])
        .await
        .assert_status(303);
    let mails = within(async || {
        let path = "/practice/mail?to=grace@example.com";
        let mails = ask(&app, "GET", path, &Value::Null).await.json();
        (!mails[0].is_null()).then_some(mails)
    })
    .await;
    let link = mails[0]["link"].as_str().unwrap();
    let code = mails[0]["code"].as_str().unwrap();
    assert!(
        link.starts_with("http://127.0.0.1:3000/confirm/"),
        "{mails}"
    );
    assert!(code.len() == 6 && mails[0]["id"] == 1, "{mails}");
    let path = link.trim_start_matches("http://127.0.0.1:3000");
    let page = app.browser().open(path).await;
    page.assert_says("Sign in here");
    let others = ask(
        &app,
        "GET",
        "/practice/mail?to=ada@example.com",
        &Value::Null,
    )
    .await;
    assert_eq!(others.json(), json!([]));
    // It expires by the same clock.
    advance(&app, "1day").await;
    let page = app.browser().open(path).await;
    page.assert_says("This link no longer works");
}

#[tokio::test]
async fn mails_that_go_to_a_server_are_not_told() {
    let elsewhere = [
        CONTROLLED,
        ("PRACTICE", "on"),
        ("SMTP_URL", "smtp://127.0.0.1:9"),
        ("MAIL_FROM", "no-reply@example.com"),
    ];
    let app = TestApp::with(&elsewhere).await;
    let line = "mail goes to SMTP_URL";
    assert_refused(&app, ("GET", "/practice/mail", ""), 404, line).await;
}

#[tokio::test]
async fn the_cookies_of_a_sign_in_are_a_session_like_any_other() {
    let app = TestApp::with(&[CONTROLLED]).await;
    let grace = json!({ "subject": "grace", "name": "Grace Hopper", "email": "grace@example.com" });
    let mut browser = signed_in(&app, grace.clone()).await;
    assert_eq!(
        browser.cookies(),
        ["vestibule-known", "vestibule-session"],
        "nothing of the way there is left"
    );
    browser
        .open("/profile")
        .await
        .assert_status(200)
        .assert_says("Grace Hopper")
        .assert_sets_nothing();
    // The same user, in another browser, and another one.
    let mut second = signed_in(&app, grace).await;
    let page = second.open("/profile").await;
    assert_eq!(page.body.matches("Grace Hopper").count(), 1, "{page:#?}");
    let mut other = signed_in(
        &app,
        json!({ "subject": "grace", "issuer": "https://b.example" }),
    )
    .await;
    other
        .open("/profile")
        .await
        .assert_does_not_say("Grace Hopper");
    let mails = ask(&app, "GET", "/practice/mail", &Value::Null).await;
    assert_eq!(mails.json(), json!([]), "no one is warned of a new browser");
    advance(&app, "91days").await;
    browser
        .open("/profile")
        .await
        .assert_leads_to("/login?next=%2Fprofile");
}

#[tokio::test]
async fn a_user_who_is_disabled_is_signed_in_by_nothing() {
    let app = TestApp::with(&[CONTROLLED]).await;
    signed_in(&app, json!({ "subject": "grace" })).await;
    app.change("update users set disabled = 1 where subject = 'grace'")
        .await;
    let refused = ask(
        &app,
        "POST",
        "/practice/sign-in",
        &json!({ "subject": "grace" }),
    )
    .await;
    assert_eq!(
        (refused.status, refused.text.as_str()),
        (409, "this user is disabled\n")
    );
}

#[tokio::test]
async fn where_browsers_come_there_is_no_control() {
    let app = TestApp::with(&[CONTROLLED]).await;
    let json = [("content-type", "application/json")];
    for (method, path, body) in REQUESTS {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        for site in ["", "none", "same-origin"] {
            let mut sender = app.browser().sending("sec-fetch-site", site);
            let answer = sender.send(method.clone(), path, &json, body.into()).await;
            // The page of the mailbox has the address of its control.
            let is_page = path == "/practice/mail" && answer.body.starts_with("<!DOCTYPE html>");
            assert!(
                is_page || [403, 404].contains(&answer.status),
                "{answer:#?}"
            );
            answer.assert_sets_nothing();
        }
    }
}

#[tokio::test]
async fn a_server_in_use_has_no_control_on_its_private_listener_either() {
    let app = TestApp::with(&[&IN_USE[..], &[CONTROLLED]].concat()).await;
    for (method, path, body) in REQUESTS {
        let answer = send(&app, method, path, body, &[]).await;
        assert_eq!(answer.status, 404, "{method} {path}: {answer:#?}");
    }
    let health = send(&app, "GET", "/healthz", "", &[]).await;
    assert_eq!((health.status, health.text.as_str()), (200, "ok"));
    let ready = send(&app, "GET", "/readyz", "", &[]).await;
    assert_eq!(ready.text, "database: ok\nsessions: ok\nworker: ok\n");
}

async fn used(_: Token) -> Result<Verdict, ValidationError> {
    Ok(Verdict::Invalid(Reason::Used))
}

#[tokio::test]
async fn an_application_is_controlled_unless_it_judges_itself() {
    for judges in [false, true] {
        let own = |builder: Builder| {
            if judges {
                builder.validator(used)
            } else {
                builder
            }
        };
        let app = TestApp::in_application(&[CONTROLLED], own, |routes, _| routes).await;
        for (method, path, body) in REQUESTS {
            let answer = send(&app, method, path, body, &[]).await;
            assert_eq!(answer.status == 404, judges, "{method} {path}: {answer:#?}");
            assert!(
                answer.status < 300 || judges,
                "{method} {path}: {answer:#?}"
            );
        }
    }
}

#[tokio::test]
async fn nothing_listens_unless_it_is_asked_for() {
    assert_eq!(TestApp::start().await.ops_addr(), None);
}

#[tokio::test]
async fn what_a_proxy_or_a_page_sends_is_refused() {
    let app = TestApp::with(&[CONTROLLED]).await;
    for header in [
        ("forwarded", "for=192.0.2.7"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-host", "localhost"),
        ("x-forwarded-proto", "http"),
        ("via", "1.1 proxy"),
        ("x-real-ip", "127.0.0.1"),
        ("host", "attacker.example"),
        ("host", "localhost.attacker.example:3080"),
        ("host", "192.0.2.7"),
        ("origin", "http://attacker.example"),
        ("origin", "null"),
        ("origin", "http://127.0.0.1:3000"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-site", "none"),
    ] {
        for (method, path, body) in REQUESTS {
            let answer = send(&app, method, path, body, &[header]).await;
            assert_eq!(answer.status, 403, "{header:?} {path}: {answer:#?}");
            assert_eq!(answer.text.matches('\n').count(), 1, "{answer:#?}");
        }
    }
    let told = ask(&app, "GET", "/practice/confirmations", &Value::Null).await;
    assert_eq!(told.json(), json!([]), "none of them has done anything");
    for host in ["localhost", "127.0.0.1:1", "[::1]"] {
        let answer = send(&app, "GET", "/practice/mail", "", &[("host", host)]).await;
        assert_eq!(answer.status, 200, "{host}: {answer:#?}");
        assert_eq!(answer.headers["cache-control"], "no-store");
    }
}

#[tokio::test]
async fn a_form_of_a_page_is_no_request() {
    let app = TestApp::with(&[CONTROLLED]).await;
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    ] {
        let client = Client::builder()
            .tls_backend_preconfigured(tls::client_config(tls::machine_roots()))
            .no_proxy()
            .build()
            .unwrap();
        let url = format!("http://{}/practice/sign-in", app.ops_addr().unwrap());
        let request = client.post(url).header("content-type", kind);
        let answer = request.body(r#"{"subject":"grace"}"#).send().await.unwrap();
        assert_eq!(answer.status(), 415, "{kind}");
    }
}

#[tokio::test]
async fn a_body_that_stops_in_the_middle_is_given_up() {
    let app = TestApp::with(&[CONTROLLED]).await;
    let mut sender = TcpStream::connect(app.ops_addr().unwrap()).await.unwrap();
    let head = "POST /practice/sign-in HTTP/1.1\r\nhost: 127.0.0.1\r\nexpect: 100-continue\r\n\
                content-type: application/json\r\ncontent-length: 20\r\n\r\n";
    sender.write_all(head.as_bytes()).await.unwrap();
    let mut answer = [0; 100];
    // It is asked to go on once its body is waited for.
    let told = sender.read(&mut answer).await.unwrap();
    assert!(answer[..told].starts_with(b"HTTP/1.1 100 "));
    sender.write_all(br#"{"subject""#).await.unwrap();
    time::pause();
    let start = Instant::now();
    let told = sender.read(&mut answer).await.unwrap();
    assert!(answer[..told].starts_with(b"HTTP/1.1 408 "));
    let waited = start.elapsed();
    let late = waited.saturating_sub(listener::ANSWER_WITHIN);
    assert!(late < Duration::from_secs(1), "{waited:?}");
}

/// The request is refused with this status and one line that starts like this.
async fn assert_refused(app: &TestApp, request: (&str, &str, &str), status: u16, line: &str) {
    let (method, path, body) = request;
    let answer = send(app, method, path, body, &[]).await;
    assert_eq!(answer.status, status, "{request:?}: {answer:#?}");
    assert!(answer.text.starts_with(line), "{request:?}: {answer:#?}");
    assert_eq!(
        answer.text.find('\n'),
        Some(answer.text.len() - 1),
        "{answer:#?}"
    );
}

#[tokio::test]
async fn what_the_validator_cannot_answer_is_refused_with_one_line() {
    let app = TestApp::with(&[CONTROLLED]).await;
    let mut stranger = app.browser();
    stranger
        .submit("/login/link", &[("email", "ada@example.com")])
        .await;
    let link = app.mail(1).await.link;
    let own = link.replace("/confirm/", "/practice/tokens/");
    let valid = r#"{"answers":[{"verdict":"valid"}]}"#;
    for (path, body, line) in [
        ("/practice/tokens/a+b", valid, "a token has 1 to 512"),
        (&*own, valid, "this is a link of Vestibule's own"),
        ("/practice/tokens/t", "{}", "Failed to deserialize"),
        ("/practice/tokens/t", r#"{"answers":[]}"#, "answers: there"),
        (
            "/practice/tokens/t",
            r#"{"answers":[{"verdict":"yes"}]}"#,
            "answers[0]: verdict is not",
        ),
    ] {
        assert_refused(&app, ("PUT", path, body), 422, line).await;
    }
    let other = "this address has another method";
    assert_refused(&app, ("GET", "/practice/tokens/t", ""), 405, other).await;
}

#[tokio::test]
async fn what_cannot_be_told_is_refused_with_one_line() {
    let app = TestApp::with(&[CONTROLLED]).await;
    for (path, status, line) in [
        ("/practice/mail?to=ada", 422, "to: "),
        ("/practice/mail?from=a@b.example", 400, "Failed to"),
        ("/practice/confirmations?token=a%20b", 422, "token: a token"),
        ("/practice", 404, "there is nothing here"),
    ] {
        assert_refused(&app, ("GET", path, ""), status, line).await;
    }
}

#[tokio::test]
async fn a_time_that_cannot_pass_and_a_user_who_cannot_be_are_refused_with_one_line() {
    let app = TestApp::with(&[CONTROLLED]).await;
    let clock = "/practice/clock";
    let sign_in = "/practice/sign-in";
    for (path, body, line) in [
        (clock, r#"{"advance":"-20m"}"#, "advance: not a time"),
        (clock, r#"{"advance":"20"}"#, "advance: not a time"),
        (clock, r#"{"advance":"11years"}"#, "the clock can be moved"),
        (clock, r#"{"back":"1s"}"#, "Failed to deserialize"),
        (sign_in, r#"{"subject":""}"#, "issuer and subject have"),
        (
            sign_in,
            r#"{"subject":"a","issuer":"vestibule"}"#,
            "the issuer vestibule is reserved",
        ),
        (sign_in, r#"{"subject":"a","admin":true}"#, "Failed to"),
    ] {
        assert_refused(&app, ("POST", path, body), 422, line).await;
    }
    let long = format!(r#"{{"subject":"{}"}}"#, "x".repeat(70_000));
    let answer = send(&app, "POST", sign_in, &long, &[]).await;
    assert_eq!(answer.status, 413, "{answer:#?}");
}
