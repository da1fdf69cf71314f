use crate::testing::TestApp;

#[tokio::test]
async fn the_return_path_is_kept_where_a_user_is_asked_who_they_want_to_be() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    browser.sign_in().await;
    let fields = [
        ("email", "ada@example.com"),
        ("choice", "/profile/password"),
    ];
    let asked = browser.submit("/login/link", &fields).await;
    let form = format!("{}/code", asked.location().unwrap());
    let code = app.mail(1).await.code.unwrap();
    let typed = browser.submit(&form, &[("code", &code)]).await;
    typed.assert_status(303);
    let question = browser.open("/profile").await.assert_status(200);
    let choice = question.between("name=\"choice\" value=\"", "\"").unwrap();
    let chosen = browser
        .clone()
        .submit("/continue", &[("choice", choice)])
        .await;
    chosen.assert_leads_to("/profile/password");
    question.assert_says("ada@example.com");
}

#[tokio::test]
async fn a_user_who_stays_is_asked_no_more() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    browser.sign_in().await;
    browser.begin("valid-1").await.assert_status(200);
    browser.outcome("valid-1").await;
    let question = browser.open("/profile").await.assert_status(200);
    question.assert_says("Ada Lovelace");
    for choice in ["other", ""] {
        let refused = browser.submit("/continue", &[("choice", choice)]).await;
        refused.assert_status(403);
    }
    let stays = browser.submit("/continue", &[("choice", "stay")]).await;
    stays.assert_leads_to("/profile");
    let profile = browser.open("/profile").await.assert_status(200);
    profile
        .assert_says("practice@example.com")
        .assert_does_not_say("Ada Lovelace");
}
