mod jsonwebtoken;
mod verdicts;

use crate::testing::{PRACTICE_USER, TestApp, TestBrowser, TestResponse};
use axum::http::Method;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::Value;

const BASE: (&str, &str) = ("PUBLIC_URL", "http://127.0.0.1:3000/auth");
/// The same, behind a proxy that is trusted.
const BEHIND_PROXY: [(&str, &str); 3] =
    [BASE, ("TRUSTED_PROXIES", "127.0.0.1"), ("PRACTICE", "on")];
/// The headers of a browser that goes to a page.
const NAVIGATION: [(&str, &str); 2] = [
    ("sec-fetch-mode", "navigate"),
    ("sec-fetch-dest", "document"),
];

async fn signed_in(app: &TestApp) -> TestBrowser<'_> {
    let mut browser = app.browser();
    let answer = browser.submit("/auth/login", &PRACTICE_USER).await;
    answer.assert_status(303);
    browser
}

/// Asks as a proxy does for a request of the browser.
async fn authorize(browser: &mut TestBrowser<'_>, headers: &[(&str, &str)]) -> TestResponse {
    let path = "/auth/v1/authorize";
    let answer = browser.send(Method::GET, path, headers, String::new());
    answer.await.assert_sets_nothing()
}

async fn session(browser: &mut TestBrowser<'_>) -> TestResponse {
    let path = "/auth/v1/session";
    let answer = browser.send(Method::GET, path, &[], String::new());
    answer.await.assert_sets_nothing()
}

fn decode(part: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(part).unwrap()
}

/// The claims of an assertion that one of the published keys verifies.
async fn verified(app: &TestApp, assertion: &str) -> Value {
    let jwks = app.browser().open("/auth/.well-known/jwks.json").await;
    let keys: Value = serde_json::from_str(&jwks.body).unwrap();
    let (signed, signature) = assertion.rsplit_once('.').unwrap();
    let (header, claims) = signed.split_once('.').unwrap();
    let header: Value = serde_json::from_slice(&decode(header)).unwrap();
    assert_eq!(
        (&header["alg"], &header["typ"]),
        (&"ES256".into(), &"JWT".into())
    );
    let keys = keys["keys"].as_array().unwrap();
    let key = keys.iter().find(|key| key["kid"] == header["kid"]).unwrap();
    let [x, y] = ["x", "y"].map(|name| decode(key[name].as_str().unwrap()));
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, [&[4][..], &x, &y].concat())
        .verify(signed.as_bytes(), &decode(signature))
        .unwrap();
    serde_json::from_slice(&decode(claims)).unwrap()
}

#[tokio::test]
async fn an_established_session_is_told_of_and_what_is_told_is_signed_and_addressed() {
    let app = TestApp::with(&[BASE]).await;
    let mut browser = signed_in(&app).await;
    let answer = authorize(&mut browser, &[]).await.assert_status(200);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("vary"), Some("Cookie"));
    assert_eq!(answer.header("remote-email"), None, "it was not asked for");
    let claims = verified(&app, answer.header("vestibule-assertion").unwrap()).await;
    let told: Value = serde_json::from_str(&session(&mut browser).await.body).unwrap();
    let user = told["user"]["id"].as_str().unwrap();
    assert_eq!(answer.header("remote-user"), Some(user));
    for (claim, value) in [
        ("iss", "http://127.0.0.1:3000/auth".into()),
        ("aud", "http://127.0.0.1:3000".into()),
        ("sub", user.into()),
        ("amr", Value::from(vec!["pwd"])),
        ("sid", told["session"]["handle"].clone()),
        ("email", "practice@example.com".into()),
        (
            "idp",
            serde_json::json!({ "iss": "vestibule", "sub": "practice@example.com" }),
        ),
    ] {
        assert_eq!(claims[claim], value, "{claim} in {claims}");
    }
    let time = |claim: &str| claims[claim].as_i64().unwrap();
    assert_eq!(time("exp") - time("iat"), 60);
    assert!(time("auth_time") <= time("iat"));
    assert_eq!(told["user"]["issuer"], "vestibule");
    assert_eq!(told["session"]["method"], "password");
    assert_eq!(told["session"]["fresh"], true);
    assert!(told["session"]["expires"].as_str() > told["session"]["since"].as_str());
    let handle = told["session"]["handle"].as_str().unwrap();
    assert_eq!(handle.len(), 32);
    let ids = app.session_ids().await;
    assert!(
        ids.iter().all(|id| id != handle),
        "no id of a session leaves the server"
    );
}

#[tokio::test]
async fn a_session_that_is_not_established_is_no_ones_and_asking_exchanges_nothing() {
    let app = TestApp::with(&[BASE]).await;
    let mut browser = app.browser();
    let state = async |browser: &mut TestBrowser<'_>| {
        authorize(browser, &NAVIGATION).await.assert_status(401);
        let answer = session(browser).await.assert_status(401);
        let body: Value = serde_json::from_str(&answer.body).unwrap();
        assert_eq!(body["enter"], "/auth/enter");
        body["state"].as_str().unwrap().to_owned()
    };
    assert_eq!(state(&mut browser).await, "none");
    browser.open("/auth/confirm/slow-1").await;
    assert_eq!(
        state(&mut browser).await,
        "none",
        "a landing has begun nothing"
    );
    browser.submit("/auth/confirm/slow-1", &[]).await;
    assert_eq!(state(&mut browser).await, "pending");
    browser.open("/auth/confirm/valid-1").await;
    browser.submit("/auth/confirm/valid-1", &[]).await;
    browser.outcome_at("/auth", "valid-1").await;
    assert_eq!(state(&mut browser).await, "bound");
    assert_eq!(state(&mut browser).await, "bound", "it was not exchanged");
    browser.open("/auth/profile").await.assert_status(200);
    authorize(&mut browser, &[]).await.assert_status(200);
    let told: Value = serde_json::from_str(&session(&mut browser).await.body).unwrap();
    assert_eq!(told["session"]["method"], "validator");
    let mut copy = browser.clone();
    browser.submit("/auth/logout", &[]).await.assert_status(303);
    authorize(&mut copy, &[]).await.assert_status(401);
    assert_eq!(session(&mut copy).await.status, 401);
}

#[tokio::test]
async fn a_browser_that_goes_to_a_page_is_led_to_sign_in_and_a_script_is_told_no() {
    let app = TestApp::with(&BEHIND_PROXY).await;
    let mut browser = app.browser();
    let url = ("x-original-url", "https://app.example/orders?a=1&b=2");
    let enter = "http://127.0.0.1:3000/auth/enter?next=%2Forders%3Fa%3D1%26b%3D2";
    let page = [&NAVIGATION[..], &[url]].concat();
    let answer = authorize(&mut browser, &page).await.assert_status(401);
    assert_eq!(answer.location(), Some(enter));
    let for_text = [url, ("accept", "text/html,*/*")];
    let answer = authorize(&mut browser, &for_text).await.assert_status(401);
    assert_eq!(answer.location(), Some(enter));
    for other in [
        &[url, ("sec-fetch-mode", "cors"), ("accept", "text/html")][..],
        &[url, ("accept", "application/json")],
        &[url],
        &[page[0], page[1], url, ("x-original-method", "POST")],
        &[page[0], ("sec-fetch-dest", "iframe"), url],
    ] {
        let answer = authorize(&mut browser, other).await.assert_status(401);
        assert_eq!((answer.location(), &*answer.body), (None, ""), "{other:?}");
    }
    for path in [
        "/auth/v1/authorize?redirect",
        "/auth/v1/authorize?redirect=/orders?a=1&b=2",
    ] {
        let redirect = |method| browser.clone().send_to(method, path, &page);
        let answer = redirect(Method::GET).await.assert_status(303);
        assert_eq!(answer.location(), Some(enter));
        let answer = redirect(Method::POST).await.assert_status(401);
        assert_eq!(answer.location(), None);
    }
}

#[tokio::test]
async fn where_a_request_was_going_is_only_believed_as_a_path_of_this_host() {
    let app = TestApp::with(&BEHIND_PROXY).await;
    let enter = async |path: &str, said: &str| {
        let headers = [&NAVIGATION[..], &[("x-original-url", said)]].concat();
        let answer = app.browser().send_to(Method::GET, path, &headers).await;
        let location = answer.location().unwrap().to_owned();
        location.replace("http://127.0.0.1:3000/auth/enter?next=", "")
    };
    let authorize = "/auth/v1/authorize";
    for (said, next) in [
        ("https://app.example/a", "%2Fa"),
        ("https://evil.example/a", "%2Fa"),
        ("https://app.example//evil.example", "%2F"),
        ("https://app.example/%2e%2e/x", "%2F"),
        ("https://app.example/\\evil.example", "%2F"),
        ("https://app.example/auth/logout", "%2F"),
        ("https://app.example", "%2F"),
        ("/a", "%2F"),
        ("", "%2F"),
    ] {
        assert_eq!(enter(authorize, said).await, next, "{said}");
    }
    let long = format!("https://app.example/{}", "a".repeat(2048));
    assert_eq!(enter(authorize, &long).await, "%2F");
    // As Envoy asks.
    let path = "/auth/v1/authorize/orders?a=1&b=2";
    assert_eq!(enter(path, "").await, "%2Forders%3Fa%3D1%26b%3D2");
    assert_eq!(enter("/auth/v1/authorize//evil.example", "").await, "%2F");
    assert_eq!(enter("/auth/v1/authorize/", "").await, "%2F");
    let path = "/auth/v1/authorize/orders?redirect=/x";
    assert_eq!(enter(path, "").await, "%2Forders%3Fredirect%3D%2Fx");
    let path = "/auth/v1/authorize?redirect=/orders?a=1&b=2";
    assert_eq!(enter(path, "").await, "%2Forders%3Fa%3D1%26b%3D2");
    let path = "/auth/v1/authorize?redirect=//evil.example";
    assert_eq!(enter(path, "").await, "%2F");
    // No proxy of ours: what it says is passed over.
    let app = TestApp::with(&[BASE]).await;
    let said = ("x-original-url", "https://app.example/a");
    let headers = [&NAVIGATION[..], &[said]].concat();
    let answer = self::authorize(&mut app.browser(), &headers).await;
    let enter = "http://127.0.0.1:3000/auth/enter?next=%2F";
    assert_eq!(answer.location(), Some(enter));
}

#[tokio::test]
async fn another_sites_page_is_told_nothing_but_its_link_leads_in() {
    let app = TestApp::with(&[BASE]).await;
    let mut browser = signed_in(&app).await;
    let foreign = ("sec-fetch-site", "cross-site");
    for mode in ["cors", "no-cors", "websocket"] {
        let headers = [foreign, ("sec-fetch-mode", mode)];
        let answer = authorize(&mut browser, &headers).await.assert_status(403);
        assert_eq!(answer.header("remote-user"), None);
        let answer = browser
            .send(Method::GET, "/auth/v1/session", &headers, String::new())
            .await;
        answer.assert_status(403).assert_does_not_say("practice");
    }
    let link = [&NAVIGATION[..], &[foreign]].concat();
    authorize(&mut browser, &link).await.assert_status(200);
    // A form of the application's own, as Envoy asks for it; and whatever authorization the
    // application has of its own.
    let own = [
        ("origin", "http://127.0.0.1:3000"),
        ("authorization", "Bearer x"),
    ];
    let answer = browser
        .clone()
        .send_to(Method::POST, "/auth/v1/authorize/orders", &own);
    answer.await.assert_status(200);
    let stranger = [("authorization", "Basic eDp5"), ("remote-user", "x")];
    authorize(&mut app.browser(), &stranger)
        .await
        .assert_status(401);
}

#[tokio::test]
async fn more_headers_are_never_empty_and_printable() {
    let app = TestApp::with(&[BASE, ("IDENTITY_HEADERS", "email,name")]).await;
    let mut browser = app.browser();
    browser.open("/auth/confirm/valid-1").await;
    browser.submit("/auth/confirm/valid-1", &[]).await;
    browser.outcome_at("/auth", "valid-1").await;
    browser.open("/auth/profile").await;
    let answer = authorize(&mut browser, &[]).await.assert_status(200);
    assert_eq!(answer.header("remote-name"), Some("Ada Lovelace"));
    assert_eq!(answer.header("remote-email"), Some("ada@example.com"));
    app.change("update users set name = 'Zoë 100%', email = null")
        .await;
    let answer = authorize(&mut browser, &[]).await.assert_status(200);
    assert_eq!(answer.header("remote-name"), Some("Zo%C3%AB 100%25"));
    let id = answer.header("remote-user").unwrap();
    assert_eq!(
        answer.header("remote-email"),
        Some(&*format!("{id}@users.invalid"))
    );
    app.change("update users set name = ' '").await;
    let answer = authorize(&mut browser, &[]).await.assert_status(200);
    assert_eq!(answer.header("remote-name"), answer.header("remote-user"));
}

#[tokio::test]
async fn while_it_cannot_be_told_no_one_is_let_in() {
    let app = TestApp::with(&[BASE]).await;
    let browser = signed_in(&app).await;
    app.change("alter table sessions rename to away").await;
    for path in [
        "/auth/v1/authorize",
        "/auth/v1/authorize?redirect",
        "/auth/v1/session",
    ] {
        let answer = browser
            .clone()
            .send_to(Method::GET, path, &NAVIGATION)
            .await;
        assert_eq!((answer.status, &*answer.body), (503, ""), "{path}");
    }
}
