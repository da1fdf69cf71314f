//! From a link to a page of the application's.

use super::{SignedIn, shop};
use crate::{
    testing::{TestApp, TestBrowser},
    validator::*,
};
use axum::{Router, routing::get};
use std::time::Duration;

/// The application's own validator.
pub(super) async fn judge(token: Token) -> Result<Verdict, ValidationError> {
    match token.expose() {
        "panics" => panic!("as it was told"),
        "blocks" => {
            std::thread::park_timeout(Duration::from_hours(1));
            Err(ValidationError::temporary("it was woken"))
        }
        "no" => Ok(Verdict::Invalid(Reason::Expired)),
        who => {
            let identity = Identity::new("https://shop.example", who);
            Ok(Verdict::Valid(identity, "/shop/orders".parse().ok()))
        }
    }
}

async fn own_validator(settings: &[(&str, &str)]) -> TestApp {
    TestApp::in_application(
        settings,
        |builder| builder.validator(judge),
        |routes, vestibule| shop(routes, &vestibule),
    )
    .await
}

/// Follows a link to the page that it leads to.
pub(super) async fn follow(browser: &mut TestBrowser<'_>, token: &str) -> String {
    browser.begin(token).await.assert_status(200);
    browser.outcome(token).await
}

#[tokio::test]
async fn the_applications_own_validator_judges() {
    let app = own_validator(&[]).await;
    let mut browser = app.browser().below("/auth");
    let way = follow(&mut browser, "ada").await;
    assert_eq!(way, "/auth/enter?next=%2Fshop%2Forders");
    browser.open(&way).await.assert_leads_to("/shop/orders");
    let page = browser.open("/shop/orders").await.assert_status(200);
    page.assert_says("for ada");
    let mut other = app.browser().below("/auth");
    let way = follow(&mut other, "no").await;
    assert_eq!(way, "/auth/login?reason=expired");
    // The practice links are for the practice validator.
    other.open("/auth").await.assert_leads_to("/auth/login");
}

#[tokio::test]
async fn a_validator_that_panics_or_blocks_holds_no_other_sign_in_up() {
    let app = own_validator(&[("CONFIRM_DEADLINE", "400ms"), ("CONFIRM_ATTEMPT", "200ms")]).await;
    let mut bad = ["panics", "blocks"].map(|token| (app.browser().below("/auth"), token));
    for (browser, token) in &mut bad {
        browser.begin(token).await.assert_status(200);
    }
    let mut browser = app.browser().below("/auth");
    let way = follow(&mut browser, "ada").await;
    browser.open(&way).await.assert_leads_to("/shop/orders");
    for (browser, token) in &mut bad {
        let fields = [("token", *token)];
        crate::testing::within(async || {
            let status = browser.call("status", &fields).await;
            assert!(!status.body.contains("redirect"), "no verdict: {status:#?}");
            status.body.contains("unavailable").then_some(())
        })
        .await;
    }
}

#[tokio::test]
async fn two_in_one_process_and_on_one_host_know_nothing_of_each_other() {
    let instance = async |base: &str, page: &'static str| {
        let public = format!("http://127.0.0.1:3000{base}");
        TestApp::in_application(
            &[("PUBLIC_URL", &public), ("CONFIRM_REDIRECT", page)],
            |builder| builder,
            |routes, vestibule| {
                let who = get(async |user: SignedIn| user.display_name().to_owned());
                let own = Router::new().route(page, who);
                own.route_layer(vestibule.require_user()).merge(routes)
            },
        )
        .await
    };
    let app = instance("/a", "/orders").await;
    let app = app.beside(instance("/b", "/letters").await);
    let mut browser = app.browser();
    for (base, page, other) in [("/a", "/orders", "/letters"), ("/b", "/letters", "/orders")] {
        let mut here = browser.below(base);
        let way = follow(&mut here, "valid-1").await;
        here.open(&way).await.assert_leads_to(page);
        let shown = here.open(page).await.assert_status(200);
        shown.assert_says("Ada Lovelace");
        browser.take_cookies_of(&here);
        // Who is signed in at one is a stranger at the other, as long as they are.
        let status = browser.open(other).await.status;
        assert_eq!(status, if base == "/a" { 303 } else { 200 }, "{base}");
    }
    // Signing out of one is not signing out of the other.
    browser.submit("/a/logout", &[]).await.assert_status(303);
    browser.open("/orders").await.assert_status(303);
    browser.open("/letters").await.assert_status(200);
    assert_eq!(
        browser
            .cookies()
            .into_iter()
            .filter(|name| name.contains("session"))
            .collect::<Vec<_>>(),
        ["vestibule-session.b"]
    );
}
