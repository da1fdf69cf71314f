use crate::testing::{TestApp, TestBrowser};

const ADA: (&str, &str) = ("email", "ada@example.com");
const PASSWORD: &str = "/profile/password";

/// Asks for a link in another browser, and returns the path of the link in the `number`th mail.
async fn link(app: &TestApp, fields: &[(&str, &str)], number: usize) -> String {
    let asked = app.browser().submit("/login/link", fields).await;
    asked.assert_status(303);
    app.mail(number).await.link
}

/// Opens a link and continues there.
async fn continued<'a>(app: &'a TestApp, link: &str) -> TestBrowser<'a> {
    let mut browser = app.browser();
    browser.open(link).await.assert_status(200);
    browser.submit(link, &[]).await.assert_status(303);
    browser
}

#[tokio::test]
async fn a_link_that_was_asked_for_elsewhere_says_who_asked_and_writes_nothing() {
    let app = TestApp::start().await;
    let link = link(&app, &[ADA], 1).await;
    for _ in 0..3 {
        let page = app.browser().open(&link).await.assert_status(200);
        page.assert_says("ada@example.com")
            .assert_says("Sign in as ");
    }
}

#[tokio::test]
async fn the_number_of_the_waiting_page_lets_that_browser_in() {
    let app = TestApp::start().await;
    let mut waiting = app.browser();
    let asked = waiting.submit("/login/link", &[ADA]).await;
    let wait = asked.location().unwrap().to_owned();
    let page = waiting.open(&wait).await;
    let number = page
        .between("<strong class=\"number\">", "<")
        .map(str::to_owned);
    let number = number.unwrap_or_else(|| panic!("it shows a number: {page:#?}"));
    let link = app.mail(1).await.link;
    let mut phone = app.browser();
    phone.open(&link).await.assert_status(200);
    let pick = format!("{link}/pick");
    let unread = phone.submit(&pick, &[("choice", "seven")]).await;
    unread
        .assert_status(422)
        .assert_says("Enter the two-digit number.");
    let picked = phone.submit(&pick, &[("choice", &number)]).await;
    picked.assert_status(200);
    waiting.open(&wait).await.assert_leads_to("/profile");
    waiting.open("/profile").await.assert_status(200);
    // The browser that opened the link is signed in nowhere.
    phone.open("/profile").await.assert_status(303);
}

#[tokio::test]
async fn a_wrong_number_ends_the_link() {
    let app = TestApp::start().await;
    let mut waiting = app.browser();
    let asked = waiting.submit("/login/link", &[ADA]).await;
    let wait = asked.location().unwrap().to_owned();
    let page = waiting.open(&wait).await;
    let number = page.between("<strong class=\"number\">", "<").unwrap();
    let wrong = if number == "10" { "11" } else { "10" };
    let link = app.mail(1).await.link;
    let mut phone = app.browser();
    phone.open(&link).await.assert_status(200);
    let pick = format!("{link}/pick");
    for choice in [wrong, number] {
        let picked = phone.submit(&pick, &[("choice", choice)]).await;
        picked.assert_says("This link no longer works");
    }
}

#[tokio::test]
async fn only_a_link_of_ours_lets_anyone_in() {
    let app = TestApp::start().await;
    let picked = app
        .browser()
        .submit("/confirm/valid-1/pick", &[("choice", "12")])
        .await;
    picked.assert_status(403);
}

#[tokio::test]
async fn a_link_to_set_a_password_leads_there_on_another_device() {
    let app = TestApp::start().await;
    let link = link(&app, &[ADA, ("choice", PASSWORD)], 1).await;
    let mut browser = continued(&app, &link).await;
    browser.open("/profile").await.assert_leads_to(PASSWORD);
}

#[tokio::test]
async fn no_link_leads_to_another_site_or_to_what_is_no_page() {
    let app = TestApp::start().await;
    for (number, bad) in (1..).zip(["https://evil.example/", "//evil.example", "/logout"]) {
        let address = format!("p{number}@example.com");
        let link = link(&app, &[("email", &address), ("next", bad)], number).await;
        let mut browser = continued(&app, &link).await;
        browser.open("/profile").await.assert_status(200);
    }
}

#[tokio::test]
async fn a_used_link_names_no_address_and_leads_to_a_new_one_for_the_same_place() {
    let app = TestApp::start().await;
    let link = link(&app, &[ADA, ("choice", PASSWORD)], 1).await;
    continued(&app, &link).await.open("/profile").await;
    let found = app.browser().open(&link).await;
    found
        .assert_says("This link no longer works")
        .assert_says("a…@example.com")
        .assert_does_not_say("ada@example.com")
        .assert_says("href=\"/login?next=%2Fprofile%2Fpassword\"");
}

#[tokio::test]
async fn tabs_of_one_browser_are_each_led_to_where_they_asked_to_be() {
    let app = TestApp::start().await;
    let mut own = app.browser();
    own.open("/login").await;
    // One after another, and at once: none is held for another.
    let mut waiting = Vec::new();
    for (number, more) in [
        (1, &[("choice", PASSWORD)][..]),
        (2, &[]),
        (3, &[("next", "/profile/address")]),
    ] {
        let mut tab = own.clone();
        let asked = tab.submit("/login/link", &[&[ADA], more].concat()).await;
        assert!(!asked.sets("vestibule-next"), "{asked:#?}");
        let wait = asked.assert_status(303).location().unwrap().to_owned();
        waiting.push((wait, tab, app.mail(number).await));
    }
    let (wait, mut tab, mail) = waiting.remove(0);
    let code = mail.code.unwrap();
    let typed = tab
        .submit(&format!("{wait}/code"), &[("code", &code)])
        .await;
    typed.assert_status(303);
    tab.open("/profile").await.assert_leads_to(PASSWORD);
    let mut plain = continued(&app, &waiting[0].2.link).await;
    plain.open("/profile").await.assert_status(200);
    let mut address = continued(&app, &waiting[1].2.link).await;
    let entered = address.open("/profile").await;
    entered.assert_leads_to("/profile/address");
}
