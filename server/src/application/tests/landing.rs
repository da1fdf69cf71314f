//! The application's own page for a landing.

use super::super::Vestibule;
use crate::testing::{TestApp, TestBrowser};
use axum::{
    Router,
    http::{Method, header},
    routing::{any, get},
};
use leptos::prelude::*;
use vestibule_app::Confirm;

/// The application's page, as it would be cached and tell where its visitors come from.
fn shop(routes: Router, vestibule: &Vestibule) -> Router {
    // Leptos starts on this runtime when an application lists its pages.
    leptos_axum::generate_route_list(|| ());
    let welcome = leptos_axum::render_app_to_stream(|| view! { <main><Confirm /></main> });
    let careless = [
        (header::CACHE_CONTROL, "public, max-age=60"),
        (header::REFERRER_POLICY, "unsafe-url"),
    ];
    let welcome = get(async move |request| (careless, welcome(request).await));
    let other = any(async || "of the shop");
    let nested = Router::new()
        .route("/welcome/{token}", welcome)
        .route("/coupons/{token}", other.clone());
    Router::new()
        .nest("/shop", nested)
        .route("/other", other)
        .layer(vestibule.landing("/shop/welcome/{token}"))
        .merge(routes)
}

async fn app(settings: &[(&str, &str)]) -> TestApp {
    TestApp::in_application(
        settings,
        |builder| builder,
        |routes, vestibule| shop(routes, &vestibule),
    )
    .await
}

/// What its page does by itself.
async fn begin(browser: &mut TestBrowser<'_>, token: &str) {
    let fields = [("token", token), ("again", "false")];
    browser.call("begin", &fields).await.assert_status(200);
}

#[tokio::test]
async fn a_page_of_the_applications_is_a_landing() {
    let app = app(&[]).await;
    let mut browser = app.browser().below("/auth");
    let page = browser.open("/shop/welcome/valid-1?next=/orders").await;
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert_eq!(page.header("referrer-policy"), Some("strict-origin"));
    let settings = page.between("data-settings=\"", "\"").unwrap();
    let settings: Vec<&str> = settings.split(' ').collect();
    assert_eq!(settings[0], "valid-1");
    assert!(settings[1].starts_with("private-confirm-"), "{settings:?}");
    assert_eq!(settings[5..7], ["/auth", "/orders"]);
    page.assert_status(200)
        .assert_says("<main><leptos-island")
        .assert_says("action=\"/auth/confirm/valid-1\"");
    assert!(browser.cookies()[0].starts_with("vestibule-pending-"));
    browser
        .open("/shop/welcome/valid-1")
        .await
        .assert_sets_nothing();
    begin(&mut browser, "valid-1").await;
    let way = browser.outcome("valid-1").await;
    browser.open(&way).await;
    // Opened once more, it leads where it has led.
    let again = browser.open("/shop/welcome/valid-1?next=/orders").await;
    again.assert_leads_to("/auth/enter?next=%2Forders");
}

#[tokio::test]
async fn without_scripts_the_landing_has_a_form_that_begins() {
    let app = app(&[]).await;
    // A browser that says nothing of where its forms come from.
    let mut browser = app
        .browser()
        .below("/auth")
        .sending("sec-fetch-site", "")
        .sending("sec-fetch-mode", "")
        .sending("sec-fetch-dest", "");
    let page = browser.open("/shop/welcome/valid-1").await;
    let proof = page.between("name=\"proof\" value=\"", "\"").unwrap();
    let refused = browser.submit("/auth/confirm/valid-1", &[]).await;
    refused.assert_status(403);
    let begun = browser
        .submit("/auth/confirm/valid-1", &[("proof", proof)])
        .await;
    begun.assert_leads_to("/auth/confirm/valid-1/wait");
}

#[tokio::test]
async fn what_is_no_landing_is_answered_by_us() {
    let app = app(&[]).await;
    let mut browser = app.browser().below("/auth");
    let junk = browser.open("/shop/welcome/valid-1%22%29?next=/a").await;
    junk.assert_leads_to("/shop/welcome/valid-1?next=/a")
        .assert_sets_nothing();
    let no_token = browser.open("/shop/welcome/%20").await.assert_status(404);
    assert!(no_token.header("content-security-policy").is_some());
    browser.sign_in().await;
    app.change("drop table sessions").await;
    let down = browser.open("/shop/welcome/valid-1").await;
    down.assert_status(503)
        .assert_sets_nothing()
        .assert_does_not_say("data-settings");
}

#[tokio::test]
async fn a_link_that_another_browser_has_asked_for_lets_that_one_in() {
    let app = app(&[]).await;
    let mut asks = app.browser().below("/auth");
    let fields = [("email", "ada@example.com")];
    let waits = asks.submit("/auth/login/link", &fields).await;
    let waits = waits.location().unwrap().to_owned();
    let waiting = waits.rsplit_once('/').unwrap().1;
    let own = asks.open(&format!("/shop/welcome/{waiting}")).await;
    own.assert_leads_to(&waits).assert_sets_nothing();
    let mailed = app.mail_below("/auth", 1).await.link;
    let link = mailed.rsplit_once('/').unwrap().1;
    let page = app.browser().open(&format!("/shop/welcome/{link}")).await;
    page.assert_status(200)
        .assert_says("ada@example.com")
        .assert_says(&format!("action=\"/auth/confirm/{link}/pick\""))
        .assert_does_not_say("<main><leptos-island");
}

#[tokio::test]
async fn no_other_page_of_the_applications_is_touched() {
    let app = app(&[]).await;
    let mut browser = app.browser().below("/auth");
    for path in ["/other", "/shop/coupons/valid-1"] {
        let page = browser.open(path).await.assert_status(200);
        assert_eq!(page.header("cache-control"), None);
        assert_eq!(page.header("referrer-policy"), None);
        page.assert_sets_nothing().assert_says("of the shop");
    }
    let posted = browser.clone();
    let posted = posted.send_to(Method::POST, "/shop/welcome/valid-1", &[]);
    posted.await.assert_status(405).assert_sets_nothing();
}

#[tokio::test]
async fn an_image_that_embeds_a_link_gets_no_cookie() {
    let app = app(&[]).await;
    let mut image = app.browser().sending("sec-fetch-dest", "image");
    let page = image.open("/shop/welcome/valid-1").await;
    page.assert_sets_nothing();
}

#[tokio::test]
#[should_panic(expected = "landing(\"/welcome/{link}\"): the path has to end in /{token}")]
async fn a_page_without_a_token_is_none() {
    TestApp::in_application(
        &[],
        |builder| builder,
        |routes, vestibule| routes.layer(vestibule.landing("/welcome/{link}")),
    )
    .await;
}
