//! Ours beside the application's: neither changes the other.

use super::{app, shop};
use crate::{
    Builder, RawSettings, Vestibule,
    testing::{IN_USE, PRACTICE_USER, TestApp},
};
use axum::{
    Router,
    body::{Body, Bytes},
    extract::{DefaultBodyLimit, Request},
    http::{Method, header},
    middleware::{Next, from_fn},
    response::Response,
};
use std::{
    net::Ipv4Addr,
    panic::{AssertUnwindSafe, catch_unwind},
};
use tempfile::TempDir;
use tower::ServiceExt as _;

#[tokio::test]
async fn what_is_unknown_below_the_base_is_not_found_here_and_all_else_is_the_applications() {
    let app = app().await;
    let mut browser = app.browser();
    for path in ["/auth/nowhere", "/auth/orders/7"] {
        let page = browser.open(path).await.assert_status(404);
        page.assert_says("<!DOCTYPE html>")
            .assert_says("href=\"/auth/");
    }
    for path in ["/auth", "/auth/", "/auth/login", "/auth/confirm/valid-1"] {
        browser.open(path).await.assert_status(200);
    }
    for path in [
        "/nowhere",
        "/login",
        "/authlogin",
        "/healthz",
        "/favicon.ico",
    ] {
        let answer = browser.open(path).await.assert_status(404);
        assert_eq!(
            (answer.headers.len(), &*answer.body),
            (0, ""),
            "{answer:#?}"
        );
    }
}

#[tokio::test]
async fn an_address_that_both_have_is_noticed_at_once_and_a_wildcard_takes_none_of_ours() {
    let app = app().await;
    let with = |path: &str| Router::new().route(path, axum::routing::get(async || "its own"));
    for path in ["/auth/login", "/auth", "/auth/", "/auth/confirm/{id}"] {
        let merged = || with(path).merge(app.router());
        let panic = catch_unwind(AssertUnwindSafe(merged)).unwrap_err();
        let said = panic.downcast_ref::<String>().unwrap();
        assert!(said.contains(path.trim_end_matches("{id}")), "{said}");
    }
    let data = TempDir::new().unwrap();
    let settings = [
        ("VESTIBULE_DATA", data.path().to_str().unwrap()),
        ("PUBLIC_URL", "http://127.0.0.1:3000/auth"),
    ];
    let builder = Vestibule::builder(RawSettings::from_pairs(settings).unwrap());
    let mounted = builder.build().await.unwrap();
    let routes = with("/{*all}").merge(mounted.routes);
    let app = TestApp::of(routes, data, mounted.running);
    let mut browser = app.browser();
    browser.open("/nowhere").await.assert_says("its own");
    for (path, status) in [("/auth/nowhere", 404), ("/auth/", 200), ("/auth", 200)] {
        let page = browser.open(path).await.assert_status(status);
        page.assert_does_not_say("its own");
    }
}

#[tokio::test]
async fn the_application_keeps_its_own_fallback() {
    let app = TestApp::in_application(
        &[],
        |builder| builder,
        |routes, vestibule| shop(routes, &vestibule).fallback(async || "its own"),
    )
    .await;
    let answer = app.browser().open("/nowhere").await.assert_status(200);
    answer.assert_says("its own");
    app.browser().open("/auth/nowhere").await.assert_status(404);
}

/// Requests of each kind that a guard of ours would refuse, or mark.
async fn asked(routes: &Router) -> Vec<Response> {
    let long = "x".repeat(1 << 20);
    let mut answers = Vec::new();
    for (method, path, headers) in [
        (Method::GET, "/plain", &[][..]),
        (Method::GET, "/nowhere", &[]),
        (Method::POST, "/plain", &[("sec-fetch-site", "cross-site")]),
        (
            Method::POST,
            "/plain",
            &[("origin", "https://other.example")],
        ),
        (Method::GET, "/plain", &[("service-worker", "script")]),
        (Method::GET, "/plain", &[("host", "other.example")]),
        (Method::GET, "/plain", &[("x-forwarded-for", "192.0.2.1")]),
        (Method::DELETE, "/", &[]),
    ] {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        // Nor does a listener have to tell who connects.
        let request = request.body(Body::from(long.clone())).unwrap();
        answers.push(routes.clone().oneshot(request).await.unwrap());
    }
    answers
}

#[tokio::test]
async fn nothing_of_ours_is_on_the_applications_routes() {
    let app = app().await;
    let alone = Router::new()
        .route(
            "/plain",
            axum::routing::any(async |body: Bytes| body.len().to_string()),
        )
        .route("/", axum::routing::get(async || "stranger"));
    let expected = asked(&alone).await;
    for (with, without) in asked(&app.router()).await.iter().zip(&expected) {
        assert_eq!(with.status(), without.status());
        assert_eq!(with.headers(), without.headers());
    }
}

#[tokio::test]
async fn nothing_of_the_applications_is_on_our_routes() {
    let mark = async |request: Request, next: Next| {
        let mut response = next.run(request).await;
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_SECURITY_POLICY,
            "default-src *".parse().unwrap(),
        );
        response
    };
    let app = TestApp::in_application(
        &[],
        |builder| builder,
        |routes, vestibule| {
            shop(Router::new(), &vestibule)
                .layer(from_fn(mark))
                .merge(routes)
                // Around all of it: ours is nearer.
                .layer(DefaultBodyLimit::disable())
        },
    )
    .await;
    let mut browser = app.browser();
    let theirs = browser.open("/plain").await;
    assert_eq!(
        theirs.header("content-security-policy"),
        Some("default-src *")
    );
    for path in ["/auth/login", "/auth/nowhere", "/auth/healthz"] {
        let ours = browser.open(path).await;
        let policy = ours.header("content-security-policy");
        assert!(
            policy.is_some_and(|policy| policy.contains("frame-ancestors 'none'")),
            "{ours:#?}"
        );
    }
    let long = "x".repeat(20_000);
    let answer = browser.submit("/auth/login", &[("email", &long)]).await;
    answer.assert_status(413);
    let foreign = [("sec-fetch-site", "cross-site")];
    browser
        .post("/auth/login", &foreign, &[])
        .await
        .assert_status(403);
}

#[tokio::test]
async fn a_listener_that_does_not_tell_who_connects_is_noticed_at_once() {
    let app = app().await;
    for path in ["/auth/login", "/auth/healthz", "/shop/orders"] {
        let request = Request::get(path).header(header::HOST, "127.0.0.1:3000");
        let request = request.body(Body::empty()).unwrap();
        let answer = app.browser().answer(request).await.assert_status(500);
        answer.assert_says("into_make_service_with_connect_info::<std::net::SocketAddr>()");
    }
}

#[tokio::test]
async fn routes_that_are_nested_below_another_path_are_noticed_at_once() {
    let app = TestApp::in_application(
        &[],
        |builder| builder,
        |routes, _| Router::new().nest("/x", routes),
    )
    .await;
    let answer = app.browser().open("/x/auth/confirm/secret-7").await;
    let answer = answer.assert_status(500);
    answer
        .assert_says("merge them")
        .assert_does_not_say("secret-7");
}

#[tokio::test]
async fn practice_mode_is_for_this_machine_alone_wherever_the_application_listens() {
    let app = app().await;
    let elsewhere = app.browser().at(Ipv4Addr::new(192, 0, 2, 1));
    let rebound = app.browser().sending("host", "evil.example:3000");
    let proxied = app.browser().sending("x-forwarded-for", "192.0.2.1");
    for mut browser in [elsewhere, rebound, proxied] {
        for path in ["/auth/login", "/auth/confirm/valid-1", "/shop/orders"] {
            browser
                .open(path)
                .await
                .assert_status(403)
                .assert_sets_nothing();
        }
        browser.open("/plain").await.assert_status(200);
    }
}

/// A proxy may hide itself but not what host the browser names.
#[tokio::test]
async fn practice_mode_takes_no_form_of_a_host_that_is_not_this_machine() {
    let app = app().await;
    for (origin, status) in [
        ("https://shop.example", 403),
        ("http://127.0.0.1:3000", 303),
    ] {
        let browser = app.browser().below("/auth").sending("origin", origin);
        let mut browser = browser.sending("sec-fetch-site", "same-origin");
        let form = browser.submit("/auth/login", &PRACTICE_USER).await;
        form.assert_status(status);
    }
}

/// The application listens, so what is said of that to a server of ours says nothing.
#[tokio::test]
async fn where_a_server_of_ours_would_listen_is_not_read() {
    for addr in ["0.0.0.0:3000", "nonsense"] {
        let settings = [("LEPTOS_SITE_ADDR", addr)];
        let own = |builder: Builder| builder.validator(super::journeys::judge);
        let app = TestApp::in_application(&settings, own, |routes, _| routes).await;
        app.browser().open("/auth/healthz").await.assert_status(200);
    }
}

#[tokio::test]
async fn a_session_is_no_ones_on_a_host_that_is_not_ours() {
    let app = app().await;
    let mut browser = app.browser().below("/auth");
    browser.sign_in().await;
    let page = browser.open("/").await;
    page.assert_says("SignedIn");
    let page = browser.sending("host", "evil.example").open("/").await;
    page.assert_status(200).assert_says("stranger");
}

/// Why an application with these settings does not start.
async fn refused(settings: &[(&str, &str)], own_validator: bool) -> String {
    let data = TempDir::new().unwrap();
    let folder = [("VESTIBULE_DATA", data.path().to_str().unwrap())];
    let settings = RawSettings::from_pairs(settings.iter().copied()).unwrap();
    let mut builder = Vestibule::builder(settings.or(folder).unwrap());
    if own_validator {
        builder = builder.validator(super::journeys::judge);
    }
    let line = builder.build().await.unwrap_err().to_string();
    assert!(!line.contains('\n'), "{line}");
    line
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused_in_one_line() {
    for settings in [&[][..], &[("PUBLIC_URL", "http://127.0.0.1:3000")], &IN_USE] {
        let line = refused(settings, false).await;
        assert!(line.starts_with("PUBLIC_URL: it has no path"), "{line}");
        assert!(
            line.ends_with("(example: https://app.example/auth)"),
            "{line}"
        );
    }
    let base = ("PUBLIC_URL", "http://127.0.0.1:3000/auth");
    for setting in [
        ("VALIDATOR_URL", "http://127.0.0.1:9/"),
        ("VALIDATOR_SECRET", "hush"),
    ] {
        let line = refused(&[base, IN_USE[2], setting], true).await;
        assert!(
            line.starts_with(setting.0) && line.contains("leave it out"),
            "{line}"
        );
    }
    let line = refused(&[("PUBLIC_URL", "https://app.example/auth")], true).await;
    assert!(line.starts_with("VESTIBULE_SECRET: missing"), "{line}");
}

#[tokio::test]
async fn two_with_other_keys_do_not_share_a_database() {
    let data = TempDir::new().unwrap();
    let start = async |secret: &str| {
        let settings = [
            ("VESTIBULE_DATA", data.path().to_str().unwrap()),
            ("PUBLIC_URL", "https://app.example/auth"),
            ("VESTIBULE_SECRET", secret),
        ];
        let settings = RawSettings::from_pairs(settings).unwrap();
        let builder = Vestibule::builder(settings).validator(super::journeys::judge);
        builder.build().await
    };
    let first = start(IN_USE[2].1).await.unwrap();
    let other = start("q3JvX0c8nS1wYzR5uTgB2yLhPkVo7mEaQ9dKfCs4wUI=").await;
    let line = other.unwrap_err().to_string();
    assert!(
        line.contains("vestibule.db") && !line.contains('\n'),
        "{line}"
    );
    first.running.shutdown().await;
}
