use crate::testing::{TestApp, TestBrowser, TestResponse};

async fn authorise(browser: &mut TestBrowser<'_>, channel: &str, token: &str) -> TestResponse {
    let own = [("sec-fetch-site", "same-origin")];
    let fields = [
        ("socket_id", "1.2"),
        ("channel_name", channel),
        ("token", token),
    ];
    browser.post("/pusher/auth", &own, &fields).await
}

#[tokio::test]
async fn a_browser_hears_of_its_own_confirmation_and_of_no_other() {
    let app = TestApp::start().await;
    let mut own = app.browser();
    let begun = own.begin("down-1").await;
    let channel = begun
        .between("\"channel\":\"", "\"")
        .expect("it has a channel");
    let answer = authorise(&mut own, channel, "down-1").await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    answer.assert_status(200).assert_says("\"auth\":");
    let mut other = app.browser();
    other.begin("down-1").await.assert_status(200);
    for (channel, token) in [
        (channel, "down-1"),
        ("private-confirm-0", "down-1"),
        ("", ""),
    ] {
        let refused = authorise(&mut other, channel, token).await;
        refused.assert_status(403);
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_told_what_is_missing() {
    let app = TestApp::start().await;
    let own = [("sec-fetch-site", "same-origin")];
    let answer = app
        .browser()
        .post("/pusher/auth", &own, &[("socket_id", "1.2")])
        .await;
    answer.assert_status(400).assert_says("one channel_name");
}
