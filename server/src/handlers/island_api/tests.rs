use crate::testing::TestApp;

#[tokio::test]
async fn a_call_over_the_cap_is_told_to_come_later() {
    let app = TestApp::with(&[("CONFIRM_PER_CLIENT", "1")]).await;
    app.browser().begin("down-1").await.assert_status(200);
    let refused = app.browser().begin("down-2").await;
    assert_eq!(refused.header("retry-after"), Some("60"));
    refused.assert_status(429).assert_says("TooMany");
}

#[tokio::test]
async fn a_begin_that_is_repeated_reports_on_the_same_confirmation() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let first = browser.begin("down-1").await.assert_status(200);
    let channel = first.between("\"channel\":\"", "\"").unwrap();
    let again = [("token", "down-1"), ("again", "false")];
    let again = browser.call("begin", &again).await;
    again
        .assert_status(200)
        .assert_sets_nothing()
        .assert_says(channel);
}

#[tokio::test]
async fn a_cancelled_confirmation_says_so_to_each_call() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    browser.begin("down-1").await.assert_status(200);
    for function in ["cancel", "cancel", "status"] {
        let answer = browser.call(function, &[("token", "down-1")]).await;
        answer.assert_status(200).assert_says("\"cancelled\"");
    }
}

#[tokio::test]
async fn what_the_island_does_not_send_is_refused() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    for (function, fields, status) in [
        ("nothing", &[("token", "x")][..], 404),
        ("begin", &[("token", "x")], 400),
        ("begin", &[("again", "false")], 400),
        ("status", &[], 400),
        ("status", &[("token", "no token")], 404),
    ] {
        let answer = browser.call(function, fields).await;
        assert_eq!(answer.status, status, "{function} {fields:?}: {answer:#?}");
    }
    let html = browser.sending("accept", "text/html");
    let answer = html.clone().call("status", &[("token", "x")]).await;
    answer.assert_status(403);
    let foreign = browser.sending("sec-fetch-site", "cross-site");
    let answer = foreign.clone().call("status", &[("token", "x")]).await;
    answer.assert_status(403);
}

/// Leptos would answer ours in an application's own router as well, and axum would refuse a route
/// of the application's that has the address of one.
#[test]
fn the_applications_functions_may_be_anywhere_below_api() {
    let paths = leptos::server_fn::axum::server_fn_paths();
    let taken: Vec<&str> = paths.map(|(path, _)| path).collect();
    assert!(taken.contains(&"/vestibule/begin"), "{taken:?}");
    assert!(
        !taken.iter().any(|path| path.starts_with("/api")),
        "{taken:?}"
    );
}
