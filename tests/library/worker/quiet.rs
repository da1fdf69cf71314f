//! Secrets and tokens are in no log and in no announcement.

use crate::support::{Browser, Harness, ada, everything_logged, listen, token};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use std::{fmt::Write as _, sync::Arc, time::Duration};
use vestibule::{
    pending::PendingCookie,
    publisher::PublishError,
    secret::Keys,
    token::Token,
    validator::{Reason, ValidationError, Verdict},
    worker::Environment,
};

const PAUSE: Duration = Duration::from_secs(2);

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// The secret parts of a browser's sign-in.
fn unspeakable(browser: &Browser, token: &Token) -> Vec<(&'static str, String)> {
    let text = browser.cookie(token).expect("it has landed");
    let secret = PendingCookie::claimed_secret(text).expect("it is one of ours");
    vec![
        ("the token", token.expose().to_owned()),
        ("the cookie", text.to_owned()),
        ("the pending secret", hex(secret.expose())),
        (
            "the pending secret",
            URL_SAFE_NO_PAD.encode(secret.expose()),
        ),
        ("the pending secret", format!("{:?}", secret.expose())),
        (
            "the pending secret's hash",
            hex(&secret.hash().as_bytes()[..16]),
        ),
    ]
}

/// The session secret that a browser got.
fn of_session(browser: &Browser) -> Vec<(&'static str, String)> {
    let secret = browser.session.as_ref().expect("it is signed in");
    let writings = [
        secret.to_cookie(),
        hex(secret.expose()),
        format!("{:?}", secret.expose()),
    ];
    writings
        .map(|writing| ("the session secret", writing))
        .into()
}

fn assert_unspoken(place: &str, said: &str, unspeakable: &[(&str, String)]) {
    for (what, writing) in unspeakable {
        assert!(!said.contains(writing.as_str()), "{what} is in {place}");
    }
}

#[tokio::test]
async fn no_log_line_holds_a_secret_or_a_token() {
    listen();
    let harness = Harness::open().await;
    let good = token("a-good-token-for-the-log");
    let worker = harness.start_worker();
    harness.publisher.fail(Some(PublishError {
        what: "no Pusher server".into(),
        retry: false,
    }));
    let mut browser = harness.begun(&good).await;
    let mut hush = unspeakable(&browser, &good);
    let what = "the validator is down".into();
    harness
        .question()
        .await
        .answer(Err(ValidationError::Temporary {
            what,
            retry_after: Some(PAUSE),
        }));
    harness
        .clock
        .somebody_sleeps_until(harness.now() + PAUSE)
        .await;
    harness.advance(PAUSE);
    harness
        .question()
        .await
        .answer(Ok(Verdict::Valid(ada(), None)));
    worker.stop();
    worker.stopped().await;
    browser.enter().await;
    hush.extend(of_session(&browser));
    browser.who().await;
    browser.sign_out().await;
    let log = everything_logged();
    assert!(
        log.contains("the validator is down"),
        "the log must be heard"
    );
    assert!(log.contains("not announced"), "the log must be heard");
    assert_unspoken("the log", &log, &hush);
}

#[tokio::test]
async fn no_complaint_about_a_sealed_token_holds_it() {
    listen();
    let harness = Harness::open().await;
    let sealed = token("a-sealed-token-for-the-log");
    harness.start_worker_with(Environment {
        keys: Arc::new(Keys::from_secret(&[8; 32])),
        ..harness.environment.clone()
    });
    let browser = harness.begun(&sealed).await;
    harness.outcome().await;
    let log = everything_logged();
    assert!(log.contains("sealed under a key"), "the log must be heard");
    assert_unspoken("the log", &log, &unspeakable(&browser, &sealed));
}

#[tokio::test]
async fn no_announcement_holds_a_secret_or_identifies_a_user() {
    let answers = [
        Ok(Verdict::Valid(ada(), None)),
        Ok(Verdict::Invalid(Reason::Expired)),
        Err(ValidationError::temporary("words of its own")),
        Err(ValidationError::Permanent {
            what: "words of its own".into(),
        }),
    ];
    for answer in answers {
        let harness = Harness::open().await;
        let link = token("a-token-for-the-channel");
        harness.start_worker();
        let browser = harness.begun(&link).await;
        let confirmation = harness.confirmation(&browser, &link).await;
        harness.question().await.answer(answer);
        let (channel, announcement) = harness.announced().await;
        let said = format!("{channel} {} {}", announcement.event(), announcement.data());
        let mut hush = unspeakable(&browser, &link);
        hush.push(("the confirmation's id", confirmation.id.to_string()));
        hush.push(("the session's id", confirmation.session.to_string()));
        hush.push(("what the validator said", "words of its own".into()));
        hush.extend(
            [ada().name, ada().email]
                .into_iter()
                .flatten()
                .map(|personal| ("who it is", personal)),
        );
        assert_unspoken("an announcement", &said, &hush);
    }
}

#[tokio::test]
async fn debug_prints_nothing_secret_of_what_the_library_hands_out() {
    let harness = Harness::open().await;
    let link = token("a-token-for-debug");
    harness.start_worker();
    let mut browser = harness.bound(&link, ada()).await;
    let mut hush = unspeakable(&browser, &link);
    let confirmation = harness.confirmation(&browser, &link).await;
    let mut said = format!(
        "{:?} {confirmation:?} {:?}",
        browser.shown(),
        browser.status(&link).await
    );
    let entry = browser.enter().await;
    hush.extend(of_session(&browser));
    let _ = write!(
        said,
        "{entry:?} {:?} {:?}",
        browser.shown(),
        browser.who().await
    );
    hush.extend(
        [ada().name, ada().email]
            .into_iter()
            .flatten()
            .map(|personal| ("who it is", personal)),
    );
    assert_unspoken("the debug output", &said, &hush);
}
