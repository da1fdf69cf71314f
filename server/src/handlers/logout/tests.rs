use crate::testing::{PRACTICE_USER, TestApp};

#[tokio::test]
async fn signing_out_leaves_nothing_in_the_browser_but_that_it_is_known() {
    let app = TestApp::start().await;
    for form in [&[][..], &[("everywhere", "1")]] {
        let mut browser = app.browser();
        browser.sign_in().await;
        let answer = browser.submit("/logout", form).await;
        assert_eq!(
            answer.header("clear-site-data"),
            Some("\"cache\", \"storage\"")
        );
        answer.assert_leads_to("/login");
        assert_eq!(browser.cookies(), ["vestibule-known"]);
        browser.open("/profile").await.assert_status(303);
    }
}

#[tokio::test]
async fn signing_out_leaves_what_an_application_beside_us_has_stored() {
    let app = TestApp::with(&[("PUBLIC_URL", "http://127.0.0.1:3000/auth")]).await;
    let mut browser = app.browser();
    browser.submit("/auth/login", &PRACTICE_USER).await;
    let answer = browser.submit("/auth/logout", &[]).await;
    assert_eq!(answer.header("clear-site-data"), Some("\"cache\""));
    answer.assert_leads_to("/auth/login");
}

#[tokio::test]
async fn signing_out_leads_to_where_the_form_says_on_this_host_alone() {
    let app = TestApp::with(&[("PUBLIC_URL", "http://127.0.0.1:3000/auth")]).await;
    for (next, leads) in [
        ("/goodbye?a=1", "/goodbye?a=1"),
        ("/", "/"),
        ("", "/auth/login"),
        ("//evil.example", "/auth/login"),
        ("/\\evil.example", "/auth/login"),
        ("https://evil.example/", "/auth/login"),
        ("/auth/confirm/other", "/auth/login"),
    ] {
        let mut browser = app.browser();
        browser.submit("/auth/login", &PRACTICE_USER).await;
        let answer = browser.submit("/auth/logout", &[("next", next)]).await;
        answer.assert_leads_to(leads);
        browser.open("/auth/profile").await.assert_status(303);
    }
}

#[tokio::test]
async fn another_site_signs_no_one_out() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    browser.sign_in().await;
    let foreign = [("sec-fetch-site", "cross-site")];
    let answer = browser.post("/logout", &foreign, &[]).await;
    assert_eq!(answer.header("clear-site-data"), None);
    answer.assert_status(403).assert_sets_nothing();
    browser.open("/profile").await.assert_status(200);
}

#[tokio::test]
async fn everywhere_ends_the_sessions_of_other_browsers_too() {
    let app = TestApp::start().await;
    let mut here = app.browser();
    here.sign_in().await;
    let mut there = app.browser();
    there.sign_in().await;
    here.submit("/logout", &[("everywhere", "1")]).await;
    there.open("/profile").await.assert_status(303);
}
