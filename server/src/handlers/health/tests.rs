use crate::testing::TestApp;

#[tokio::test]
async fn a_server_whose_parts_all_answer_is_ready() {
    let app = TestApp::start().await;
    let ready = app.browser().open("/readyz").await;
    assert_eq!(ready.header("cache-control"), Some("no-store"));
    let ready = ready.assert_status(200);
    for part in ["database", "sessions", "worker"] {
        assert!(ready.body.contains(part), "{ready:#?}");
    }
    let healthy = app.browser().open("/healthz").await;
    healthy.assert_status(200).assert_says("ok");
}
