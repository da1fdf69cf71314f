//! The application's own page that links lead to.

use super::super::{SignedIn, Vestibule};
use crate::testing::{PRACTICE_USER, TestApp, TestBrowser, TestResponse};
use axum::{
    Router,
    extract::Request,
    http::{Method, header},
    middleware::{Next, from_fn},
    routing::{any, get},
};
use leptos::prelude::*;
use std::panic::AssertUnwindSafe;
use vestibule_app::{Confirm, island::settings::Settings};

/// The application's page, as it would be cached, framed, and tell where its visitors come from.
fn shop(vestibule: &Vestibule) -> Router {
    // Leptos starts on this runtime when an application lists its pages.
    leptos_axum::generate_route_list(|| ());
    let welcome = leptos_axum::render_app_to_stream(|| view! { <main><Confirm /></main> });
    let careless = [
        (header::CACHE_CONTROL, "public, max-age=60"),
        (header::CONTENT_SECURITY_POLICY, "img-src 'self'"),
        (header::REFERRER_POLICY, "unsafe-url"),
        ("cdn-cache-control".parse().unwrap(), "max-age=60"),
    ];
    let welcome = get(async move |request| (careless, welcome(request).await));
    let other = any(async || "of the shop");
    let nested = Router::new()
        .route("/welcome/{token}", welcome)
        .route("/welcome/terms", other.clone())
        .route("/coupons/{token}", other.clone());
    Router::new()
        .nest("/shop", nested)
        .route("/other", other)
        .fallback(async || "nowhere")
        .layer(vestibule.landing("/shop/welcome/{token}"))
}

async fn app() -> TestApp {
    in_application(|vestibule| shop(&vestibule)).await
}

async fn in_application(shop: impl FnOnce(Vestibule) -> Router) -> TestApp {
    TestApp::in_application(
        &[],
        |builder| builder,
        |routes, vestibule| shop(vestibule).merge(routes),
    )
    .await
}

/// What its page does by itself.
async fn begin(browser: &mut TestBrowser<'_>, token: &str) {
    let fields = [("token", token), ("again", "false")];
    browser.call("begin", &fields).await.assert_status(200);
}

/// What the page tells the island.
fn settings(page: &TestResponse) -> Settings {
    let packed = page.between("data-settings=\"", "\"").unwrap();
    Settings::unpack(packed).unwrap()
}

#[tokio::test]
async fn a_page_of_the_applications_is_a_landing() {
    let app = app().await;
    let mut browser = app.browser().below("/auth");
    let page = browser.open("/shop/welcome/valid-1?next=/orders").await;
    let settings = settings(&page);
    assert_eq!(settings.token, "valid-1");
    assert!(settings.channel.starts_with("private-confirm-"));
    assert_eq!(settings.base, "/auth");
    assert_eq!(settings.next.as_deref(), Some("/orders"));
    page.assert_status(200)
        .assert_says("<main><leptos-island")
        .assert_says("action=\"/auth/confirm/valid-1\"");
    assert!(browser.cookies()[0].starts_with("vestibule-pending-"));
    let again = browser.open("/shop/welcome/valid-1").await;
    again.assert_sets_nothing();
    begin(&mut browser, "valid-1").await;
    let way = browser.outcome("valid-1").await;
    browser.open(&way).await;
    // Opened once more, it leads where it has led.
    let again = browser.open("/shop/welcome/valid-1?next=/orders").await;
    again.assert_leads_to("/auth/enter?next=%2Forders");
}

#[tokio::test]
async fn the_page_is_kept_by_no_cache_shown_in_no_frame_and_its_address_told_to_no_one() {
    let app = app().await;
    let page = app.browser().open("/shop/welcome/valid-1").await;
    assert_eq!(page.header("cache-control"), Some("no-store"));
    assert_eq!(page.header("cdn-cache-control"), None);
    assert_eq!(page.header("referrer-policy"), Some("strict-origin"));
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    let policies = page.headers.get_all(header::CONTENT_SECURITY_POLICY);
    let policies: Vec<_> = policies.iter().collect();
    assert_eq!(policies, ["img-src 'self'", "frame-ancestors 'none'"]);
}

#[tokio::test]
async fn without_scripts_the_landing_has_a_form_that_begins() {
    let app = app().await;
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
async fn where_there_is_nothing_to_confirm_vestibule_answers() {
    let app = app().await;
    let mut browser = app.browser().below("/auth");
    for (opened, leads) in [
        ("valid-1%22%29?next=/a", "valid-1?next=/a"),
        ("valid-1/", "valid-1"),
        ("%3Cvalid-1%3E?next=%00", "valid-1?next=%00"),
    ] {
        let junk = browser.open(&format!("/shop/welcome/{opened}")).await;
        junk.assert_leads_to(&format!("/shop/welcome/{leads}"))
            .assert_sets_nothing();
    }
    let no_token = browser.open("/shop/welcome/%20").await.assert_status(404);
    no_token.assert_says("<!DOCTYPE html>");
    browser.sign_in().await;
    app.change("drop table sessions").await;
    let down = browser.open("/shop/welcome/valid-1").await;
    down.assert_status(503)
        .assert_sets_nothing()
        .assert_does_not_say("data-settings");
}

#[tokio::test]
async fn a_user_who_is_signed_in_is_told_so_before_they_go_on() {
    let app = app().await;
    let mut browser = app.browser().below("/auth");
    browser.sign_in().await;
    let page = browser.open("/shop/welcome/valid-1?next=/orders").await;
    page.assert_leads_to("/auth/confirm/valid-1?next=/orders")
        .assert_sets_nothing();
}

#[tokio::test]
async fn a_link_that_another_browser_has_asked_for_lets_that_one_in() {
    let app = app().await;
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
    let app = app().await;
    let mut browser = app.browser().below("/auth");
    for (path, says) in [
        ("/other", "of the shop"),
        ("/shop/coupons/valid-1", "of the shop"),
        ("/shop/welcome/terms", "of the shop"),
        ("/shop/welcome/valid-1/terms", "nowhere"),
        ("/shop/welcome/", "nowhere"),
    ] {
        let page = browser.open(path).await.assert_status(200);
        assert_eq!(page.header("cache-control"), None);
        assert_eq!(page.header("referrer-policy"), None);
        page.assert_sets_nothing().assert_says(says);
    }
    let posted = browser.clone();
    let posted = posted.send_to(Method::POST, "/shop/welcome/valid-1", &[]);
    posted.await.assert_status(405).assert_sets_nothing();
}

#[tokio::test]
async fn no_one_is_led_back_to_a_link_after_signing_in() {
    let app = app().await;
    let mut browser = app.browser().below("/auth");
    let [email, password] = PRACTICE_USER;
    let fields = [email, password, ("next", "/shop/welcome/valid-1?x=1")];
    let signed_in = browser.submit("/auth/login", &fields).await;
    signed_in.assert_leads_to("/auth/profile");
}

#[tokio::test]
async fn an_image_that_embeds_a_link_gets_no_cookie() {
    let app = app().await;
    let mut image = app.browser().sending("sec-fetch-dest", "image");
    let page = image.open("/shop/welcome/valid-1").await;
    page.assert_status(200)
        .assert_sets_nothing()
        .assert_says("data-settings");
}

#[tokio::test]
async fn layers_that_contradict_each_other_say_so() {
    let page = async || "the page";
    let twice = in_application(|vestibule| {
        let landing = || vestibule.landing("/welcome/{token}");
        let page = Router::new().route("/welcome/{token}", get(page));
        page.layer(landing()).layer(landing())
    })
    .await;
    let answer = twice.browser().open("/welcome/valid-1").await;
    answer.assert_status(500).assert_says("landing() is around");
    let needs_a_user = in_application(|vestibule| {
        let page = Router::new().route("/welcome/{token}", get(page));
        page.layer(vestibule.landing("/welcome/{token}"))
            .layer(vestibule.require_user())
    })
    .await;
    let mut browser = needs_a_user.browser().below("/auth");
    // The token is not kept with the sign-in that is asked for.
    let led = browser.open("/welcome/valid-1").await;
    led.assert_leads_to("/auth/login");
    browser.sign_in().await;
    let answer = browser.open("/welcome/valid-1").await;
    answer.assert_status(500).assert_says("needs no user");
    let within = in_application(|vestibule| {
        let page = Router::new().route("/welcome/{token}", get(page));
        page.route_layer(vestibule.require_user())
            .layer(vestibule.landing("/welcome/{token}"))
    })
    .await;
    let answer = within.browser().open("/welcome/valid-1").await;
    answer.assert_status(500).assert_says("needs no user");
}

#[tokio::test]
async fn an_application_may_ask_who_it_is_on_the_way_to_the_page() {
    let app = in_application(|vestibule| {
        let ask = async |_: Option<SignedIn>, request: Request, next: Next| next.run(request).await;
        let page = Router::new().route("/welcome/{token}", get(async || "the page"));
        page.layer(vestibule.landing("/welcome/{token}"))
            .layer(from_fn(ask))
            .layer(vestibule.layer())
    })
    .await;
    let mut browser = app.browser().below("/auth");
    browser.sign_in().await;
    let page = browser.open("/welcome/valid-1").await;
    page.assert_leads_to("/auth/confirm/valid-1");
}

#[tokio::test]
#[should_panic(expected = "CONFIRM_REDIRECT leads to such a page")]
async fn no_sign_in_leads_to_a_link() {
    TestApp::in_application(
        &[("CONFIRM_REDIRECT", "/welcome/tour?a=1")],
        |builder| builder,
        |routes, vestibule| routes.layer(vestibule.landing("/welcome/{token}")),
    )
    .await;
}

#[tokio::test]
async fn a_path_that_does_not_end_in_a_token_is_refused() {
    in_application(|vestibule| {
        for path in [
            "/welcome/{link}",
            "/welcome",
            "welcome/{token}",
            "/{shop}/{token}",
            "/{token}",
            "/a{token}",
        ] {
            let vestibule = vestibule.clone();
            let refused = std::panic::catch_unwind(AssertUnwindSafe(|| vestibule.landing(path)));
            let says = refused
                .err()
                .and_then(|panic| panic.downcast::<String>().ok());
            let says = says.unwrap_or_else(|| panic!("{path} is taken"));
            assert!(says.contains(&format!("landing(\"{path}\")")), "{says}");
        }
        Router::new()
    })
    .await;
}
