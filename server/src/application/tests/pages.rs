//! Pages of the application's that need a user.

use super::app;
use crate::testing::{PRACTICE_USER, TestResponse};
use axum::http::{HeaderName, Method};
use std::collections::BTreeSet;

const LOGIN: &str = "/auth/login?next=%2Fshop%2Forders%3Fid%3D7";

/// What makes a request another one than a navigation.
const NO_NAVIGATION: [(&str, &str); 5] = [
    ("sec-fetch-dest", "image"),
    ("sec-fetch-dest", "iframe"),
    ("sec-fetch-mode", "cors"),
    ("sec-purpose", "prefetch"),
    ("sec-purpose", "prefetch;prerender"),
];

#[track_caller]
fn assert_cached_as(response: &TestResponse, value: Option<&str>) {
    assert_eq!(response.header("cache-control"), value, "{response:#?}");
}

#[tokio::test]
async fn a_stranger_signs_in_first_and_is_led_back_to_the_applications_own_path() {
    let app = app().await;
    let mut browser = app.browser().below("/auth");
    let led = browser.open("/shop/orders?id=7").await;
    assert_cached_as(&led, Some("no-store"));
    assert!(led.header("content-security-policy").is_some(), "{led:#?}");
    led.assert_leads_to(LOGIN).assert_sets_nothing();
    let fields = [
        PRACTICE_USER[0],
        PRACTICE_USER[1],
        ("next", "/shop/orders?id=7"),
    ];
    let signed_in = browser.submit("/auth/login", &fields).await;
    signed_in.assert_leads_to("/shop/orders?id=7");
    let page = browser.open("/shop/orders?id=7").await.assert_status(200);
    page.assert_says("for Practice user");
}

#[tokio::test]
async fn only_a_navigation_exchanges_a_session_and_its_answer_is_kept_by_no_cache() {
    let app = app().await;
    let mut browser = app.browser().below("/auth");
    browser.begin("valid-1").await.assert_status(200);
    browser.outcome("valid-1").await;
    for (name, value) in NO_NAVIGATION {
        let mut other = browser.sending(name, value);
        for path in ["/shop/orders", "/shop/cached", "/danger"] {
            other.open(path).await.assert_sets_nothing();
        }
    }
    for method in [Method::HEAD, Method::POST, Method::PUT] {
        let other = browser.clone();
        let answer = other.send_to(method, "/shop/orders", &[("accept", "text/html")]);
        answer.await.assert_sets_nothing();
    }
    let page = browser.open("/shop/cached").await.assert_status(200);
    assert!(page.sets("vestibule-session.auth"), "{page:#?}");
    assert_cached_as(&page, Some("no-store"));
    assert_eq!(
        browser.cookies(),
        ["vestibule-known.auth", "vestibule-session.auth"],
        "the pending cookie is gone"
    );
    let page = browser.open("/shop/cached").await.assert_status(200);
    assert_cached_as(&page, Some("public, max-age=60"));
    let page = browser.open("/shop/orders").await.assert_status(200);
    assert_cached_as(&page, Some("private, no-cache"));
    page.assert_sets_nothing().assert_says("for Ada Lovelace");
}

#[tokio::test]
async fn no_cache_shares_a_page_that_may_still_ask_who_is_signed_in() {
    let app = app().await;
    let mut browser = app.browser().below("/auth");
    let page = browser.open("/streamed").await.assert_status(200);
    assert_cached_as(&page, None);
    browser.sign_in().await;
    let page = browser.open("/streamed").await.assert_status(200);
    assert_cached_as(&page, Some("private, no-cache"));
    let page = browser.open("/plain").await.assert_status(200);
    assert_cached_as(&page, None);
}

/// The shop's handlers by themselves send no other headers than these.
#[tokio::test]
async fn a_users_page_gets_no_header_but_cache_control_and_only_if_it_asks_who_they_are() {
    let app = app().await;
    let mut browser = app.browser().below("/auth");
    browser.sign_in().await;
    let own = ["content-type", "content-length"];
    for (path, added) in [
        ("/plain", None),
        ("/", Some("cache-control")),
        ("/shop/orders", Some("cache-control")),
        ("/danger", Some("cache-control")),
    ] {
        let page = browser.open(path).await.assert_status(200);
        let names: BTreeSet<&str> = page.headers.keys().map(HeaderName::as_str).collect();
        assert_eq!(names, own.into_iter().chain(added).collect(), "{page:#?}");
    }
}

#[tokio::test]
async fn what_cannot_be_led_to_sign_in_is_unauthorized() {
    let app = app().await;
    let browser = app.browser();
    for path in ["/shop/orders", "/danger"] {
        for (name, value) in &NO_NAVIGATION[..3] {
            let answer = browser.sending(name, value).open(path).await;
            assert_cached_as(&answer, Some("no-store"));
            answer.assert_status(401);
        }
        let program = browser.clone().send_to(Method::GET, path, &[]).await;
        program.assert_status(401);
    }
    // A form cannot be sent again by going there.
    let form = browser.clone().submit("/shop/orders", &[]).await;
    form.assert_leads_to("/auth/login");
    let text_browser =
        browser.send_to(Method::GET, "/shop/orders?id=7", &[("accept", "text/html")]);
    text_browser.await.assert_leads_to(LOGIN);
}

#[tokio::test]
async fn no_one_becomes_another_user_without_having_been_asked() {
    let app = app().await;
    let mut browser = app.browser().below("/auth");
    browser.sign_in().await;
    browser.begin_by_form("valid-1").await;
    browser.outcome("valid-1").await;
    let page = browser.open("/shop/orders").await.assert_status(200);
    assert!(
        page.header("content-security-policy").is_some(),
        "{page:#?}"
    );
    let ada = page
        .between("name=\"choice\" value=\"", "\"")
        .map(str::to_owned);
    page.assert_sets_nothing()
        .assert_says("Ada Lovelace")
        .assert_says("action=\"/auth/continue\"");
    let script = browser.sending("sec-fetch-mode", "cors");
    let answer = script.clone().open("/shop/orders").await;
    answer.assert_status(200).assert_says("for Practice user");
    let chosen = [("choice", ada.as_deref().unwrap())];
    browser
        .submit("/auth/continue", &chosen)
        .await
        .assert_status(303);
    let page = browser.open("/shop/orders").await.assert_status(200);
    page.assert_says("for Ada Lovelace");
}

#[tokio::test]
async fn a_sign_in_that_is_not_fresh_is_repeated_first() {
    let app = app().await;
    let mut browser = app.browser().below("/auth");
    browser.begin("valid-1").await.assert_status(200);
    browser.outcome("valid-1").await;
    // It exchanges as well.
    let page = browser.open("/danger").await.assert_status(200);
    assert!(page.sets("vestibule-session.auth"), "{page:#?}");
    page.assert_says("for Ada Lovelace");
    app.age_sessions().await;
    let led = browser.open("/danger?id=7").await;
    led.assert_leads_to("/auth/login?next=%2Fdanger%3Fid%3D7&again=1");
    let script = browser
        .sending("sec-fetch-mode", "cors")
        .open("/danger")
        .await;
    script.assert_status(401).assert_does_not_say("Ada");
    browser.open("/shop/orders").await.assert_status(200);
}

#[tokio::test]
async fn a_layer_within_another_asks_and_exchanges_nothing_twice() {
    let app = crate::testing::TestApp::in_application(
        &[],
        |builder| builder,
        |routes, vestibule| {
            super::shop(axum::Router::new(), &vestibule)
                .route_layer(vestibule.require_user())
                .merge(routes)
        },
    )
    .await;
    let mut browser = app.browser().below("/auth");
    browser.begin("valid-1").await.assert_status(200);
    browser.outcome("valid-1").await;
    let page = browser.open("/danger").await.assert_status(200);
    let set = page.cookies();
    let sessions = set
        .iter()
        .filter(|(name, _)| name.starts_with("vestibule-session"));
    assert_eq!(sessions.count(), 1, "{page:#?}");
}

#[tokio::test]
async fn a_layer_around_our_own_routes_says_so_and_leads_no_one_in_a_circle() {
    let app = crate::testing::TestApp::in_application(
        &[],
        |builder| builder,
        |routes, vestibule| routes.route_layer(vestibule.require_user()),
    )
    .await;
    let page = app.browser().open("/auth/login").await.assert_status(500);
    page.assert_says("merge them after");
}
