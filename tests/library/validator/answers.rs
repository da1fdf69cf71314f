//! What each answer of the service counts as.

use super::service::Service;
use crate::support::{ada, soon, token};
use std::time::Duration;
use vestibule::{
    clock::Timestamp,
    confirmation::ConfirmationId,
    user::Identity,
    validator::{HttpValidator, Reason, ValidationError, Validator as _, Verdict},
};

const ID: ConfirmationId = ConfirmationId::from_bytes([0xab; 16]);
const DEADLINE: Timestamp = Timestamp::from_millis(1_767_225_660_250);

async fn ask(address: &str) -> Result<Verdict, ValidationError> {
    let validator = HttpValidator::new(address, Some("hush".into())).unwrap();
    let asked = token("a-token");
    soon("the validator", validator.validate(ID, &asked, DEADLINE)).await
}

async fn answered(status: &str, headers: &str, body: &str) -> Result<Verdict, ValidationError> {
    ask(&Service::that_answers(status, headers, body).await.address).await
}

fn is_temporary(answer: &Result<Verdict, ValidationError>) -> bool {
    matches!(answer, Err(ValidationError::Temporary { .. }))
}

#[tokio::test]
async fn it_is_asked_with_the_token_the_idempotency_key_and_the_secret() {
    let service =
        Service::that_answers("200 OK", "", r#"{"verdict":"invalid","reason":"used"}"#).await;
    ask(&service.address).await.unwrap();
    let request = service.request().await;
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /validate HTTP/1.1\r\n"), "{head}");
    assert!(
        head.contains(&format!("idempotency-key: {}", "ab".repeat(16))),
        "{head}"
    );
    assert!(head.contains("authorization: Bearer hush"), "{head}");
    assert!(
        !head.contains("a-token"),
        "a token in the head would be in access logs"
    );
    assert!(head.contains("prefer: respond-async\r\n"), "{head}");
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    let asked = serde_json::json!({
        "token": "a-token",
        "confirmation": "ab".repeat(16),
        "deadline": "2026-01-01T00:01:00.250Z",
    });
    assert_eq!(body, asked);
}

#[tokio::test]
async fn a_good_token_is_its_identitys() {
    let body = r#"{"verdict":"valid","identity":{"issuer":"practice","subject":"Ada","name":"Ada","email":"Ada@example.com"}}"#;
    assert_eq!(
        answered("200 OK", "", body).await,
        Ok(Verdict::Valid(ada(), None))
    );
    let body = r#"{"verdict":"valid","identity":{"issuer":"practice","subject":"Ada"},"more":"is ignored"}"#;
    let unnamed = Identity {
        name: None,
        email: None,
        ..ada()
    };
    assert_eq!(
        answered("200 OK", "", body).await,
        Ok(Verdict::Valid(unnamed, None))
    );
}

#[tokio::test]
async fn a_token_that_is_not_good_comes_with_its_reason() {
    for (word, reason) in [
        ("invalid", Reason::Invalid),
        ("expired", Reason::Expired),
        ("used", Reason::Used),
    ] {
        let body = format!(r#"{{"verdict":"invalid","reason":"{word}"}}"#);
        assert_eq!(
            answered("200 OK", "", &body).await,
            Ok(Verdict::Invalid(reason))
        );
    }
}

#[tokio::test]
async fn garbage_is_a_temporary_failure() {
    let garbage = [
        "",
        "valid",
        "{",
        "[]",
        "{}",
        r#"{"verdict":"yes"}"#,
        r#"{"verdict":"valid"}"#,
        r#"{"verdict":"invalid"}"#,
        r#"{"verdict":"invalid","reason":"cancelled"}"#,
        r#"{"verdict":"invalid","reason":"because"}"#,
        r#"{"verdict":"valid","identity":{"issuer":"practice"}}"#,
        r#"{"verdict":"valid","identity":{"issuer":"","subject":"Ada"}}"#,
        r#"{"verdict":"valid","identity":{"issuer":"practice","subject":"A\ndmin"}}"#,
        "<!doctype html><title>Sign in to the guest network</title>",
    ];
    for body in garbage {
        let answer = answered("200 OK", "", body).await;
        assert!(is_temporary(&answer), "{body}: {answer:?}");
    }
}

#[tokio::test]
async fn an_answer_of_10_megabytes_is_a_temporary_failure() {
    let padding = "x".repeat(10 * 1024 * 1024);
    let body = format!(r#"{{"verdict":"invalid","reason":"used","padding":"{padding}"}}"#);
    let answer = answered("200 OK", "", &body).await;
    assert!(is_temporary(&answer), "{answer:?}");
}

#[tokio::test]
async fn a_redirect_is_a_temporary_failure_and_not_followed() {
    let elsewhere =
        Service::that_answers("200 OK", "", r#"{"verdict":"invalid","reason":"used"}"#).await;
    for status in [
        "301 Moved Permanently",
        "302 Found",
        "307 Temporary Redirect",
        "308 Permanent Redirect",
    ] {
        let answer = answered(status, &format!("location: {}\r\n", elsewhere.address), "").await;
        assert!(is_temporary(&answer), "{status}: {answer:?}");
    }
}

#[tokio::test]
async fn a_verdict_under_another_status_is_none() {
    for status in [
        "201 Created",
        "500 Oops",
        "502 Bad Gateway",
        "503 Not Now",
        "408 Slow",
    ] {
        let answer = answered(status, "", r#"{"verdict":"invalid","reason":"used"}"#).await;
        assert!(is_temporary(&answer), "{status}: {answer:?}");
    }
}

#[tokio::test]
async fn an_accepted_question_is_answered_later_whatever_it_says_of_when() {
    for (header, seconds) in [
        ("", 30),
        ("retry-after: 7\r\n", 7),
        ("retry-after:  7 \r\n", 7),
        ("retry-after: 0\r\n", 1),
        ("retry-after: 3600\r\n", 3600),
        ("retry-after: 3601\r\n", 3600),
        ("retry-after: 99999999999999999999999\r\n", 3600),
        ("retry-after: -5\r\n", 30),
        ("retry-after: 1.5\r\n", 30),
        ("retry-after: soon\r\n", 30),
        ("retry-after: \r\n", 30),
        ("retry-after: Fri, 31 Dec 1999 23:59:59 GMT\r\n", 30),
        ("retry-after: \u{e9}\r\n", 30),
    ] {
        for body in ["", "{", r#"{"verdict":"invalid","reason":"used"}"#] {
            let answer = answered("202 Accepted", header, body).await;
            let later = ValidationError::Later {
                ask_again: Duration::from_secs(seconds),
                stage: None,
            };
            assert_eq!(answer, Err(later), "{header}");
        }
    }
}

#[tokio::test]
async fn a_question_too_many_is_throttled_and_no_verdict() {
    for (header, seconds) in [
        ("", None),
        ("retry-after: 7\r\n", Some(7)),
        ("retry-after: 86400\r\n", Some(60)),
    ] {
        let answer = answered(
            "429 Many",
            header,
            r#"{"verdict":"invalid","reason":"used"}"#,
        )
        .await;
        let throttled = ValidationError::Throttled {
            retry_after: seconds.map(Duration::from_secs),
        };
        assert_eq!(answer, Err(throttled));
    }
}

#[tokio::test]
async fn a_refusal_of_how_it_is_asked_is_permanent() {
    for status in [
        "400 Bad Request",
        "401 Unauthorized",
        "403 Forbidden",
        "404 Not Found",
    ] {
        let answer = answered(status, "", "").await;
        assert!(
            matches!(answer, Err(ValidationError::Permanent { .. })),
            "{status}: {answer:?}"
        );
    }
}

#[tokio::test]
async fn a_wish_for_a_pause_is_heard_within_reason() {
    let wishes = [
        ("7", Some(7)),
        (" 0", Some(0)),
        ("86400", Some(60)),
        ("Fri, 31 Dec 1999 23:59:59 GMT", None),
        ("-1", None),
    ];
    for (wish, seconds) in wishes {
        let answer = answered("503 Not Now", &format!("retry-after: {wish}\r\n"), "").await;
        let Err(ValidationError::Temporary { retry_after, .. }) = answer else {
            panic!("{wish}: {answer:?}")
        };
        assert_eq!(retry_after, seconds.map(Duration::from_secs), "{wish}");
    }
}

#[tokio::test]
async fn a_connection_that_breaks_off_is_a_temporary_failure() {
    let half = b"HTTP/1.1 200 OK\r\ncontent-length: 400\r\n\r\n{\"verdict\":\"inv".to_vec();
    for response in [
        None,
        Some(Vec::new()),
        Some(b"HTTP/1.1 200".to_vec()),
        Some(half),
        Some(b"220 smtp\r\n".to_vec()),
    ] {
        let answer = ask(&Service::that_says(response.clone()).await.address).await;
        assert!(is_temporary(&answer), "{response:?}: {answer:?}");
    }
}

#[tokio::test]
async fn a_refused_connection_is_a_temporary_failure() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let answer = ask(&format!("http://{closed}/")).await;
    assert!(is_temporary(&answer), "{answer:?}");
}

#[tokio::test]
async fn no_failure_repeats_what_is_secret() {
    let body = r#"{"verdict":"a-token hush"}"#;
    for status in ["200 OK", "500 a-token hush", "401 a-token hush"] {
        let said = format!("{:?}", answered(status, "", body).await);
        assert!(
            !said.contains("a-token") && !said.contains("hush"),
            "{said}"
        );
    }
    let unreachable = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let said = format!(
        "{:?}",
        ask(&format!("http://user:hush@{unreachable}/?key=hush")).await
    );
    assert!(!said.contains("hush"), "{said}");
}

#[test]
fn only_an_http_address_can_be_asked() {
    for bad in [
        "",
        "validator",
        "/validate",
        "ftp://host/",
        "file:///etc/passwd",
        "mailto:a@b",
        "http://",
    ] {
        assert!(HttpValidator::new(bad, None).is_err(), "{bad}");
    }
    assert!(HttpValidator::new("https://validator.example.com/check", None).is_ok());
}

#[tokio::test]
async fn where_a_sign_in_leads_is_a_path_or_is_passed_over() {
    let identity = r#""identity":{"issuer":"practice","subject":"Ada","name":"Ada","email":"Ada@example.com"}"#;
    for (redirect, next) in [
        (r#""/orders?a=1""#, Some("/orders?a=1")),
        (r#""https://evil.example/""#, None),
        (r#""//evil.example""#, None),
        (r#""/\\evil.example""#, None),
        (r#""""#, None),
        ("null", None),
        ("7", None),
        (r#"{"to":"/orders"}"#, None),
    ] {
        let body = format!(r#"{{"verdict":"valid",{identity},"redirect":{redirect}}}"#);
        let next = next.map(|next| next.parse().unwrap());
        assert_eq!(
            answered("200 OK", "", &body).await,
            Ok(Verdict::Valid(ada(), next)),
            "{redirect}"
        );
    }
}
