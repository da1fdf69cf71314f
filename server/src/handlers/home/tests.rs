use crate::testing::TestApp;

#[tokio::test]
async fn in_practice_mode_the_first_page_has_links_to_try() {
    let app = TestApp::start().await;
    let home = app.browser().open("/").await.assert_status(200);
    let link = home.between("href=\"/confirm/valid-", "\"").unwrap();
    assert_eq!(link.len(), 8, "a fresh token each time: {link}");
    let again = app.browser().open("/").await;
    assert!(again.between("href=\"/confirm/valid-", "\"") != Some(link));
}

#[tokio::test]
async fn a_server_in_use_leads_from_its_first_page_to_the_login_page() {
    let app = TestApp::with(&crate::testing::IN_USE).await;
    app.browser().open("/").await.assert_leads_to("/login");
}

#[tokio::test]
async fn what_is_not_there_is_a_page_that_says_so() {
    let app = TestApp::start().await;
    for path in ["/nowhere", "/profile/nowhere", "/login/wait"] {
        let page = app.browser().open(path).await;
        page.assert_status(404).assert_says("<h1>");
    }
}

/// A reload, the history and Enter in the address bar ask for the address of a form.
#[tokio::test]
async fn each_form_leads_to_the_page_that_it_is_on() {
    let app = TestApp::start().await;
    let stranger = app.browser();
    let mut user = app.browser();
    user.sign_in().await;
    for (form, page) in [
        ("/login/link", "/login"),
        ("/login/wait/valid-1/code", "/login/wait/valid-1"),
        ("/login/wait/valid-1/again", "/login/wait/valid-1"),
        ("/confirm/valid-1/pick", "/confirm/valid-1"),
        ("/confirm/valid-1/cancel", "/confirm/valid-1"),
        ("/confirm/%E2%82%AC/cancel", "/confirm/%E2%82%AC"),
        ("/continue", "/profile"),
        ("/logout", "/profile"),
        ("/profile/sessions/end", "/profile"),
    ] {
        for browser in [&stranger, &user] {
            let answer = browser.clone().open(form).await;
            answer.assert_leads_to(page).assert_sets_nothing();
        }
    }
    user.open("/profile").await.assert_status(200);
    // Forms on a page of their own address.
    user.open("/login").await.assert_status(303);
    for page in ["/profile/password", "/profile/address"] {
        user.open(page).await.assert_status(200);
    }
}
