use crate::testing::{PRACTICE_USER, TestApp};

#[tokio::test]
async fn a_sign_in_has_its_session_before_it_comes_to_a_page_that_is_not_ours() {
    let app = TestApp::with(&[("CONFIRM_REDIRECT", "/orders?id=7&x=a+b#new")]).await;
    let mut browser = app.browser();
    browser.begin("valid-1").await.assert_status(200);
    let way = browser.outcome("valid-1").await;
    assert_eq!(way, "/enter?next=%2Forders%3Fid%3D7%26x%3Da%2Bb%23new");
    for (name, value) in [
        ("sec-purpose", "prefetch"),
        ("sec-fetch-dest", "image"),
        ("sec-fetch-mode", "cors"),
    ] {
        let answer = browser.sending(name, value).open(&way).await;
        assert!(!answer.sets("vestibule-session"), "{answer:#?}");
        assert!(answer.location().unwrap().starts_with("/login?next="));
    }
    let answer = browser.open(&way).await;
    assert!(answer.sets("vestibule-session"), "{answer:#?}");
    answer.assert_leads_to("/orders?id=7&x=a+b#new");
    browser.open("/profile").await.assert_status(200);
    let again = browser.open(&way).await;
    again.assert_leads_to("/orders?id=7&x=a+b#new");
}

#[tokio::test]
async fn the_way_leads_to_no_other_origin_and_to_none_of_our_own_forms() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    browser.begin("valid-2").await.assert_status(200);
    let way = browser.outcome("valid-2").await;
    assert_eq!(way, "/profile", "a page of ours exchanges by itself");
    browser.open(&way).await.assert_status(200);
    for next in [
        "",
        "?next=",
        "?next=https://evil.example/",
        "?next=//evil.example",
        "?next=%2F%5Cevil.example",
        "?next=/enter%3Fnext%3D%2Fx",
        "?next=/%2565nter",
        "?next=/%254cogout",
        "?next=/logout",
        "?next=/login",
        "?next=/a/../b",
        "?other=/x",
    ] {
        let answer = browser.open(&format!("/enter{next}")).await;
        answer.assert_leads_to("/profile");
    }
    let answer = browser.open("/enter?next=/a/login%3Fb%3D1").await;
    answer.assert_leads_to("/a/login?b=1");
}

#[tokio::test]
async fn a_stranger_signs_in_first_and_is_led_on() {
    let app = TestApp::start().await;
    let asked = app.browser().open("/enter?next=%2Forders%3Fid%3D7").await;
    asked.assert_leads_to("/login?next=%2Forders%3Fid%3D7");
    let fields = [
        ("email", "practice@example.com"),
        ("password", "open-sesame-42"),
        ("next", "/orders?id=7"),
    ];
    let signed_in = app.browser().submit("/login", &fields).await;
    signed_in.assert_leads_to("/orders?id=7");
    // A user who would be signed in by going on takes the same way.
    let mut browser = app.browser();
    browser.begin("valid-3").await.assert_status(200);
    browser.outcome("valid-3").await;
    let login = browser.open("/login?next=%2Forders%3Fid%3D7").await;
    login.assert_leads_to("/enter?next=%2Forders%3Fid%3D7");
}

#[tokio::test]
async fn a_browser_that_is_sent_back_again_and_again_is_told_why() {
    let app = TestApp::with(&[("PUBLIC_URL", "http://127.0.0.1:3000/auth")]).await;
    let mut browser = app.browser();
    browser.submit("/auth/login", &PRACTICE_USER).await;
    let way = "/auth/enter?next=%2Forders%3Fid%3D7";
    for _ in 0..2 {
        browser.open(way).await.assert_leads_to("/orders?id=7");
    }
    let page = browser.open(way).await.assert_status(508);
    page.assert_says("/v1/authorize");
    let other = browser.open("/auth/enter?next=%2Forders%3Fid%3D8").await;
    other.assert_leads_to("/orders?id=8");
    browser.open(way).await.assert_leads_to("/orders?id=7");
    // Ten seconds later.
    browser.open(way).await;
    browser.forget("vestibule-entered");
    browser.open(way).await.assert_leads_to("/orders?id=7");
}
