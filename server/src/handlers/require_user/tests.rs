use crate::testing::TestApp;

const PATHS: [&str; 2] = ["/profile/password", "/profile/address"];
/// Fields of either form.
const FIELDS: [(&str, &str); 2] = [("password", "six purple lanterns wait"), ("email", "x@y.z")];

#[tokio::test]
async fn a_stranger_is_led_to_the_login_page_and_changes_nothing() {
    let app = TestApp::start().await;
    for path in [PATHS[0], PATHS[1], "/profile/address/x"] {
        for answer in [
            app.browser().open(path).await,
            app.browser().submit(path, &FIELDS).await,
        ] {
            let led = answer.assert_status(303).location().unwrap().to_owned();
            assert!(led.starts_with("/login?next=%2Fprofile%2F"), "{led}");
        }
    }
}

#[tokio::test]
async fn an_old_session_is_asked_for_the_password_once_more_and_led_on() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    browser.sign_in().await;
    browser.open(PATHS[0]).await.assert_status(200);
    app.age_sessions().await;
    // Who it is has not changed.
    browser.open("/profile").await.assert_status(200);
    for path in PATHS {
        let login = format!("/login?next=%2Fprofile%2F{}&again=1", &path[9..]);
        browser.open(path).await.assert_leads_to(&login);
        let answer = browser.submit(path, &FIELDS).await;
        answer.assert_leads_to(&login);
        let page = browser.open(&login).await.assert_status(200);
        page.assert_says(vestibule_app::pages::title::LOGIN_AGAIN)
            .assert_says("value=\"practice@example.com\"");
        let fields = [
            ("email", "practice@example.com"),
            ("password", "open-sesame-42"),
            ("next", path),
        ];
        let mut fresh = app.browser();
        fresh.submit("/login", &fields).await.assert_leads_to(path);
        fresh.open(path).await.assert_status(200);
    }
}

#[tokio::test]
async fn only_a_navigation_exchanges_a_session() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    browser.begin("valid-1").await.assert_status(200);
    browser.outcome("valid-1").await;
    for (name, value) in [
        ("sec-fetch-dest", "iframe"),
        ("sec-fetch-mode", "no-cors"),
        ("sec-purpose", "prefetch;prerender"),
    ] {
        let answer = browser.sending(name, value).open("/profile").await;
        answer.assert_status(303).assert_sets_nothing();
    }
    let profile = browser.open("/profile").await;
    assert!(profile.sets("vestibule-session"), "{profile:#?}");
    profile.assert_status(200);
    assert_eq!(
        browser.cookies(),
        ["vestibule-known", "vestibule-session"],
        "the pending cookie is gone"
    );
}

#[tokio::test]
async fn a_page_that_is_not_there_brings_the_new_session_all_the_same() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    browser.begin("valid-1").await.assert_status(200);
    browser.outcome("valid-1").await;
    // Ada has no password here. The exchange was on the way to the page that says so.
    let page = browser.open("/profile/password").await;
    assert!(page.sets("vestibule-session"), "{page:#?}");
    page.assert_status(404);
    browser.open("/profile").await.assert_status(200);
}
