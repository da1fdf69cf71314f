use crate::testing::{IN_USE, TestApp};

#[tokio::test]
async fn links_lead_to_the_name_that_the_browser_knows_this_machine_by() {
    let app = TestApp::start().await;
    let browser = app.browser();
    let ask = [("email", "practice@example.com")];
    let asked = browser.clone().submit("/login/link", &ask).await;
    asked.assert_status(303);
    app.mail(1).await;
    for host in ["localhost:3000", "127.0.0.1:3000", "[::1]:3000"] {
        let page = browser.sending("host", host).open("/practice/mail").await;
        page.assert_says(&format!("href=\"http://{host}/confirm/"));
    }
    let foreign = browser.sending("host", "elsewhere.example:3000");
    let page = foreign.clone().open("/practice/mail").await;
    page.assert_status(403).assert_does_not_say("/confirm/");
}

#[tokio::test]
async fn a_server_in_use_has_no_mailbox() {
    let app = TestApp::with(&IN_USE).await;
    app.browser()
        .open("/practice/mail")
        .await
        .assert_status(404);
}
