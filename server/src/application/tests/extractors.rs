//! What handlers learn.

use super::{app, shop};
use crate::{SignedIn, testing::TestApp};
use axum::{Router, extract::State, routing::get};
use leptos::prelude::*;
use std::time::SystemTime;
use vestibule::{
    clock::{Clock as _, SystemClock},
    entry::Method,
};

/// All that is known, in a line.
async fn facts(State(()): State<()>, user: SignedIn) -> String {
    let now = SystemTime::from(SystemClock.now());
    let age = now.duration_since(user.since()).unwrap();
    assert!(age.as_secs() < 60 && user.is_fresh());
    assert!(user.method() == Method::Validator && user.session().len() == 32);
    format!(
        "{}|{}|{}|{:?}|{:?}",
        user.id(),
        user.issuer(),
        user.subject(),
        user.name(),
        user.email()
    )
}

#[tokio::test]
async fn a_handler_learns_who_it_is_and_an_optional_one_that_it_is_no_one() {
    let app = TestApp::in_application(
        &[],
        |builder| builder,
        |routes, vestibule| {
            shop(routes, &vestibule)
                .route("/facts", get(facts))
                .layer(vestibule.layer())
        },
    )
    .await;
    let mut browser = app.browser().below("/auth");
    let page = browser.open("/").await.assert_status(200);
    assert_eq!(page.header("cache-control"), Some("private, no-cache"));
    assert_eq!(page.body, "stranger");
    browser.begin("valid-1").await.assert_status(200);
    let way = browser.outcome("valid-1").await;
    // A session that is only bound is no one's here, and stays to be exchanged.
    let page = browser.open("/").await.assert_status(200);
    assert_eq!(page.body, "stranger");
    browser.open(&way).await.assert_status(200);
    let page = browser.open("/facts").await.assert_status(200);
    let facts: Vec<_> = page.body.split('|').collect();
    assert_eq!(facts[0].len(), 32, "{page:#?}");
    assert_eq!(
        facts[3..],
        ["Some(\"Ada Lovelace\")", "Some(\"ada@example.com\")"]
    );
    // Its session's own id stays here.
    let page = browser.open("/").await.assert_status(200);
    let secret = &app.session_ids().await[0];
    assert_eq!(
        page.body,
        format!("SignedIn {{ id: UserId({}), .. }}", facts[0])
    );
    assert!(!page.body.contains(secret.as_str()));
}

#[tokio::test]
async fn a_handler_that_needs_a_user_leads_a_browser_to_get_its_session() {
    let app = TestApp::in_application(
        &[],
        |builder| builder,
        |routes, vestibule| {
            let nested = Router::new().route("/facts", get(facts));
            let all = Router::new().nest("/my", nested).merge(routes);
            all.layer(vestibule.layer())
        },
    )
    .await;
    let mut browser = app.browser().below("/auth");
    let way = "/auth/enter?next=%2Fmy%2Ffacts%3Fa%3Db";
    browser.open("/my/facts?a=b").await.assert_leads_to(way);
    let script = browser.sending("sec-fetch-mode", "cors");
    script.clone().open("/my/facts").await.assert_status(401);
    browser.begin("valid-1").await.assert_status(200);
    browser.outcome("valid-1").await;
    // The page itself exchanges nothing.
    let led = browser.open("/my/facts?a=b").await;
    led.assert_leads_to(way).assert_sets_nothing();
    let entered = browser.open(way).await;
    assert!(entered.sets("vestibule-session.auth"), "{entered:#?}");
    entered.assert_leads_to("/my/facts?a=b");
    browser.open("/my/facts?a=b").await.assert_status(200);
}

#[tokio::test]
async fn without_a_layer_no_one_is_taken_for_a_stranger() {
    let optional = async |user: Option<SignedIn>| format!("{user:?}");
    let app = TestApp::in_application(
        &[],
        |builder| builder,
        |routes, _| {
            routes
                .route("/one", get(optional))
                .route("/other", get(async |_: SignedIn| "let in"))
        },
    )
    .await;
    for path in ["/one", "/other"] {
        let answer = app.browser().open(path).await.assert_status(500);
        answer.assert_says(".layer(vestibule.layer())");
    }
}

#[tokio::test]
async fn where_it_cannot_be_told_no_one_is_let_in_and_no_one_is_a_stranger() {
    let app = app().await;
    let mut browser = app.browser().below("/auth");
    browser.sign_in().await;
    app.change("drop table sessions").await;
    for (path, says) in [("/", "Try again"), ("/shop/orders", "<!DOCTYPE html>")] {
        let answer = browser.open(path).await.assert_status(503);
        answer.assert_sets_nothing().assert_says(says);
    }
}

#[server(prefix = "/functions", endpoint = "who")]
async fn who() -> Result<String, ServerFnError> {
    let user: Option<SignedIn> = leptos_axum::extract().await?;
    Ok(user.map_or("stranger".to_owned(), |user| user.display_name().to_owned()))
}

#[tokio::test]
async fn a_server_function_learns_it_as_well_and_never_exchanges() {
    let app = TestApp::in_application(
        &[],
        |builder| builder,
        |routes, vestibule| {
            let functions = Router::new()
                .route(
                    "/functions/{*function}",
                    axum::routing::post(leptos_axum::handle_server_fns),
                )
                .layer(vestibule.layer());
            functions.merge(routes)
        },
    )
    .await;
    let mut browser = app.browser().below("/auth");
    let own = [
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-mode", "cors"),
    ];
    browser.begin("valid-1").await.assert_status(200);
    let way = browser.outcome("valid-1").await;
    let answer = browser.post("/functions/who", &own, &[]).await;
    answer
        .assert_status(200)
        .assert_sets_nothing()
        .assert_says("stranger");
    browser.open(&way).await.assert_status(200);
    let answer = browser.post("/functions/who", &own, &[]).await;
    answer.assert_status(200).assert_says("Ada Lovelace");
    // What is wrong with the store is for the log, not for browsers.
    app.change("drop table sessions").await;
    let answer = browser.post("/functions/who", &own, &[]).await;
    answer
        .assert_status(500)
        .assert_says("Unavailable")
        .assert_does_not_say("sessions");
}
