//! A validator calls back.

use crate::testing::{IN_USE, TestApp, TestResponse};
use axum::{
    body::{Body, Bytes},
    extract::ConnectInfo,
    http::{Method, Request, StatusCode},
};
use futures_util::stream;
use std::{convert::Infallible, net::SocketAddr};
use tower::ServiceExt as _;
use vestibule::{
    clock::{Clock as _, SystemClock, Timestamp},
    secret::WebhookKeys,
};

const PATH: &str = "/v1/verdicts";
const OLD: &str = "whsec_plJ3nmyCDGBKInavdOK15jsl2qfyVgrs";
const NEW: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const ADA: &str =
    r#""verdict":"valid","identity":{"issuer":"https://id.example","subject":"4711"}"#;
const USED: &str = r#""verdict":"invalid","reason":"used""#;

async fn in_use() -> TestApp {
    in_use_with(&[]).await
}

async fn in_use_with(settings: &[(&'static str, &str)]) -> TestApp {
    let both = format!("{NEW},{OLD}");
    let keys = ("VALIDATOR_CALLBACK_SECRET", both.as_str());
    TestApp::with(&[&IN_USE[..], &[keys], settings].concat()).await
}

/// A validator, with the key with which it signs.
struct Caller<'a> {
    app: &'a TestApp,
    keys: WebhookKeys,
    now: Timestamp,
}

impl<'a> Caller<'a> {
    fn new(app: &'a TestApp, key: &str) -> Self {
        Self {
            app,
            keys: key.parse().unwrap(),
            now: SystemClock.now(),
        }
    }

    /// Says this of a confirmation.
    async fn says(&self, confirmation: &str, what: &str) -> TestResponse {
        let body = format!(r#"{{"confirmation":"{confirmation}",{what}}}"#);
        self.calls(&body, &body).await
    }

    /// Signs one body and sends another.
    async fn calls(&self, signed: &str, sent: &str) -> TestResponse {
        let (timestamp, signature) = self.keys.sign("msg-1", self.now, signed.as_bytes());
        let headers = [
            ("webhook-id", "msg-1"),
            ("webhook-timestamp", &timestamp),
            ("webhook-signature", &signature),
        ];
        self.sends(&headers, sent).await
    }

    async fn sends(&self, headers: &[(&str, &str)], body: &str) -> TestResponse {
        let mut caller = self.app.browser();
        let answer = caller.send(Method::POST, PATH, headers, body.to_owned());
        answer.await.assert_sets_nothing()
    }
}

#[tokio::test]
async fn a_verdict_signs_the_browser_in_that_waits_and_the_first_one_stands() {
    let app = in_use().await;
    let mut browser = app.browser();
    browser.begin("a-link").await.assert_status(200);
    let id = app.confirmation_ids().await.remove(0);
    let validator = Caller::new(&app, NEW);
    for (says, status) in [(ADA, 204), (ADA, 204), (USED, 409)] {
        validator.says(&id, says).await.assert_status(status);
    }
    // Keys rotate: the one before is as good.
    let other = Caller::new(&app, OLD);
    other.says(&id, ADA).await.assert_status(204);
    assert_eq!(browser.outcome("a-link").await, "/profile");
    let profile = browser.open("/profile").await;
    profile.assert_status(200).assert_says("4711");
}

#[tokio::test]
async fn a_stage_is_shown_and_a_cancel_stands() {
    let app = in_use().await;
    let mut browser = app.browser();
    browser.begin_by_form("a-link").await.assert_status(303);
    let id = app.confirmation_ids().await.remove(0);
    let validator = Caller::new(&app, NEW);
    let almost = r#""verdict":"pending","step":"almost""#;
    validator.says(&id, almost).await.assert_status(204);
    let waits = browser.open("/confirm/a-link/wait").await;
    waits.assert_says("The check is almost done.");
    browser.submit("/confirm/a-link/cancel", &[]).await;
    for says in [ADA, almost] {
        let late = validator.says(&id, says).await.assert_status(410);
        assert_eq!(
            late.body,
            "the confirmation was cancelled, or ended without a verdict\n"
        );
    }
}

#[tokio::test]
async fn a_step_without_room_for_one_more_that_waits_is_to_be_said_again_and_a_verdict_counts() {
    let app = in_use_with(&[("CONFIRM_PER_CLIENT", "2")]).await;
    let validator = Caller::new(&app, NEW);
    let mut ids = Vec::new();
    for link in ["one", "two"] {
        app.browser().begin(link).await.assert_status(200);
        let new = app.confirmation_ids().await;
        ids.extend(new.into_iter().find(|id| !ids.contains(id)));
    }
    let almost = r#""verdict":"pending","step":"almost""#;
    validator.says(&ids[0], almost).await.assert_status(204);
    let refused = validator.says(&ids[1], almost).await.assert_status(503);
    assert_eq!(refused.header("retry-after"), Some("60"));
    validator.says(&ids[0], almost).await.assert_status(204);
    validator.says(&ids[1], ADA).await.assert_status(204);
}

#[tokio::test]
async fn what_is_not_genuine_is_told_nothing() {
    let app = in_use().await;
    let mut browser = app.browser();
    browser.begin("a-link").await;
    let id = app.confirmation_ids().await.remove(0);
    let validator = Caller::new(&app, NEW);
    let stranger = Caller::new(&app, "whsec_dGhpcyBpcyBub3QgcmFuZG9tIQ+/8J+YgQ3JxZaR");
    let body = format!(r#"{{"confirmation":"{id}",{ADA}}}"#);
    let other = body.replace("4711", "4712");
    let mut refused = vec![
        stranger.says(&id, ADA).await,
        validator.calls(&body, &other).await,
        // Signed as it reads, and not as it is written.
        validator.calls(&body, &body.replacen(':', ": ", 1)).await,
        validator.sends(&[], &body).await,
    ];
    for minutes in [-6, 6] {
        let mut late = Caller::new(&app, NEW);
        late.now = Timestamp::from_millis(late.now.as_millis() + minutes * 60_000);
        refused.push(late.says(&id, ADA).await);
    }
    let (timestamp, signature) = validator.keys.sign("a", validator.now, body.as_bytes());
    for headers in [
        [
            ("webhook-id", "b"),
            ("webhook-timestamp", &*timestamp),
            ("webhook-signature", &*signature),
        ],
        [
            ("webhook-id", ""),
            ("webhook-timestamp", &*timestamp),
            ("webhook-signature", &*signature),
        ],
        [
            ("webhook-id", "a"),
            ("webhook-timestamp", ""),
            ("webhook-signature", &*signature),
        ],
        [
            ("webhook-id", "a"),
            ("webhook-timestamp", &*timestamp),
            ("webhook-signature", ""),
        ],
    ] {
        refused.push(validator.sends(&headers, &body).await);
    }
    for answer in refused {
        let answer = answer.assert_status(401);
        assert_eq!(answer.body, "");
    }
    // Nothing of it has signed anyone in.
    let profile = browser.open("/profile").await;
    profile.assert_leads_to("/login?next=%2Fprofile");
}

#[tokio::test]
async fn what_its_address_says_decides_nothing() {
    let app = in_use().await;
    let mut attacker = app.browser();
    let mut victim = app.browser();
    attacker.begin("a-link").await;
    let seen = app.confirmation_ids().await.remove(0);
    victim.begin("another-link").await;
    let ids = app.confirmation_ids().await;
    let other = ids.into_iter().find(|id| *id != seen).unwrap();
    let validator = Caller::new(&app, NEW);
    let body = format!(r#"{{"confirmation":"{seen}",{ADA}}}"#);
    let (timestamp, signature) = validator.keys.sign("a", validator.now, body.as_bytes());
    let headers = [
        ("webhook-id", "a"),
        ("webhook-timestamp", &*timestamp),
        ("webhook-signature", &*signature),
    ];
    for address in [format!("{PATH}?{other}"), format!("{PATH}/{other}")] {
        let mut captured = app.browser();
        captured
            .send(Method::POST, &address, &headers, body.clone())
            .await;
    }
    // It has not been decided for the other one.
    validator.says(&other, USED).await.assert_status(204);
}

#[tokio::test]
async fn what_is_genuine_and_wrong_is_told_in_a_line() {
    let app = in_use().await;
    let validator = Caller::new(&app, NEW);
    let unknown = "0f".repeat(16);
    for (body, status, line) in [
        (
            format!(r#"{{"confirmation":"{unknown}",{ADA}}}"#),
            404,
            "no such confirmation, or it ended long ago",
        ),
        ("hush".into(), 422, "it is not JSON (line 1, column 1)"),
        // A gzip bomb is not unpacked.
        (
            "\u{1f}\u{8b}\u{8}".into(),
            422,
            "it is not JSON (line 1, column 1)",
        ),
        (format!("{{{ADA}}}"), 422, "confirmation is missing"),
        (
            format!(r#"{{"confirmation":"{unknown}",{USED},{USED}}}"#),
            422,
            "a field is missing, is there twice, or has another type (line 1, column 96)",
        ),
        (
            format!(r#"{{"confirmation":"{unknown}","verdict":"valid"}}"#),
            422,
            "identity is missing",
        ),
        (
            "x".repeat(64 * 1024 + 1),
            413,
            "the body is over 65536 bytes",
        ),
    ] {
        let answer = validator.calls(&body, &body).await.assert_status(status);
        assert_eq!(answer.body, format!("{line}\n"));
    }
    let (timestamp, signature) = validator.keys.sign("a", validator.now, b"{}");
    let headers = [
        ("webhook-id", "a"),
        ("webhook-timestamp", &*timestamp),
        ("webhook-signature", &*signature),
        ("content-encoding", "gzip"),
    ];
    let compressed = validator.sends(&headers, "{}").await;
    compressed.assert_status(422).assert_says("send it plain");
    let largest = format!(
        r#"{{"confirmation":"{unknown}","pad":"{}",{USED}}}"#,
        "x".repeat(65_000)
    );
    validator.calls(&largest, &largest).await.assert_status(404);
}

#[tokio::test]
async fn a_body_that_says_no_length_ends_at_the_limit() {
    let app = in_use().await;
    let validator = Caller::new(&app, NEW);
    let body = "x".repeat(100 * 1024);
    let (timestamp, signature) = validator.keys.sign("a", validator.now, body.as_bytes());
    let parts: Vec<Result<_, Infallible>> = body
        .as_bytes()
        .chunks(1000)
        .map(|part| Ok(Bytes::copy_from_slice(part)))
        .collect();
    let request = Request::post(PATH)
        .extension(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 40_000))))
        .header("host", "sign-in.example")
        .header("webhook-id", "a")
        .header("webhook-timestamp", timestamp)
        .header("webhook-signature", signature)
        .body(Body::from_stream(stream::iter(parts)))
        .unwrap();
    let answer = app.router().oneshot(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn no_page_of_a_browser_is_listened_to() {
    let app = in_use().await;
    let validator = Caller::new(&app, NEW);
    let body = format!(r#"{{"confirmation":"{}",{ADA}}}"#, "0f".repeat(16));
    let (timestamp, signature) = validator.keys.sign("a", validator.now, body.as_bytes());
    for from_page in [
        ("origin", "https://other.example"),
        ("sec-fetch-site", "same-origin"),
    ] {
        let headers = [
            from_page,
            ("webhook-id", "a"),
            ("webhook-timestamp", &timestamp),
            ("webhook-signature", &signature),
        ];
        // However many, they use nothing up.
        for _ in 0..300 {
            validator.sends(&headers, &body).await.assert_status(403);
        }
    }
    validator.calls(&body, &body).await.assert_status(404);
}

#[tokio::test]
async fn a_callback_decides_none_of_our_own_links() {
    let app = TestApp::with(
        &[
            &IN_USE[..],
            &[
                ("VALIDATOR_CALLBACK_SECRET", NEW),
                ("SMTP_URL", "smtp://127.0.0.1:9"),
                ("MAIL_FROM", "no-reply@sign-in.example"),
                ("REGISTRATION", "open"),
            ],
        ]
        .concat(),
    )
    .await;
    let mut browser = app.browser();
    browser
        .submit("/login/link", &[("email", "ada@example.com")])
        .await
        .assert_status(303);
    let id = app.confirmation_ids().await.remove(0);
    let validator = Caller::new(&app, NEW);
    for says in [ADA, USED, r#""verdict":"pending""#] {
        validator.says(&id, says).await.assert_status(404);
    }
}

#[tokio::test]
async fn an_address_whose_calls_are_not_genuine_is_not_listened_to_for_a_while() {
    let app = in_use().await;
    let stranger = Caller::new(&app, "whsec_dGhpcyBpcyBub3QgcmFuZG9tIQ+/8J+YgQ3JxZaR");
    let id = "0f".repeat(16);
    let mut statuses = Vec::new();
    // Twice as many as there may be within a window: the test may begin near the end of one.
    for _ in 0..600 {
        let answer = stranger.says(&id, ADA).await;
        statuses.push(answer.status);
        if answer.status == 429 {
            let wait: u64 = answer.header("retry-after").unwrap().parse().unwrap();
            assert!((1..=10).contains(&wait), "{wait}");
            break;
        }
        assert_eq!(answer.status, 401);
    }
    assert_eq!(statuses.last(), Some(&429));
}

#[tokio::test]
async fn without_its_key_there_is_no_such_address() {
    let app = TestApp::with(&IN_USE).await;
    let answer = Caller::new(&app, NEW).says(&"0f".repeat(16), ADA).await;
    let answer = answer.assert_status(404);
    assert!(
        answer.body.contains("VALIDATOR_CALLBACK_SECRET"),
        "{answer:?}"
    );
    let mut browser = app.browser();
    browser.open(PATH).await.assert_status(404);
}
