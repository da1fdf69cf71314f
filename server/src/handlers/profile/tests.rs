use crate::testing::{TestApp, TestBrowser};

const CHANGED: [&str; 2] = ["Your password is set.", "Your address is changed."];

async fn signed_in(app: &TestApp) -> TestBrowser<'_> {
    let mut browser = app.browser();
    browser.sign_in().await;
    browser
}

#[tokio::test]
async fn it_says_who_the_user_is_and_where_they_are_signed_in() {
    let app = TestApp::start().await;
    let mut browser = signed_in(&app).await;
    let agent = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
    let mut other = app.browser().sending("user-agent", agent);
    other.sign_in().await;
    let profile = browser.open("/profile").await.assert_status(200);
    let handle = profile.between("name=\"choice\" value=\"", "\"").unwrap();
    let ended = browser
        .clone()
        .submit("/profile/sessions/end", &[("choice", handle)])
        .await;
    ended.assert_leads_to("/profile");
    profile
        .assert_says("practice@example.com")
        .assert_says("Firefox on Linux");
    other.open("/profile").await.assert_status(303);
    browser.open("/profile").await.assert_status(200);
}

#[tokio::test]
async fn no_link_makes_the_profile_say_that_something_was_changed() {
    let app = TestApp::start().await;
    let browser = signed_in(&app).await;
    for path in [
        "/profile?changed=password",
        "/profile?changed=address",
        "/profile?changed=password&changed=password",
        "/profile?changed=%70assword",
        "/profile?changed=",
    ] {
        for mut browser in [
            browser.clone(),
            browser.with_cookie("vestibule-changed", ""),
            browser.with_cookie("vestibule-changed", "x"),
        ] {
            let page = browser.open(path).await.assert_status(200);
            page.assert_does_not_say(CHANGED[0])
                .assert_does_not_say(CHANGED[1]);
        }
    }
}

#[tokio::test]
async fn a_user_who_has_set_a_password_is_told_so_for_a_minute() {
    let app = TestApp::start().await;
    let mut browser = signed_in(&app).await;
    let fields = [
        ("current", "open-sesame-42"),
        ("password", "six purple lanterns wait"),
    ];
    let answer = browser.submit("/profile/password", &fields).await;
    let lines = answer.headers.get_all("set-cookie");
    let cookie = lines
        .iter()
        .filter_map(|line| line.to_str().ok())
        .find(|line| line.starts_with("vestibule-changed="))
        .expect("a cookie");
    assert!(
        cookie.contains("HttpOnly") && cookie.contains("Max-Age=60"),
        "{cookie}"
    );
    answer.assert_leads_to("/profile?changed=password");
    let page = browser.open("/profile?changed=password").await;
    page.assert_says(CHANGED[0]).assert_does_not_say(CHANGED[1]);
    for path in ["/profile", "/profile?changed=address"] {
        let page = browser.open(path).await.assert_status(200);
        page.assert_does_not_say(CHANGED[0])
            .assert_does_not_say(CHANGED[1]);
    }
}

#[tokio::test]
async fn a_thief_with_an_old_session_ends_others_only_so_often() {
    let app = TestApp::start().await;
    let mut own = signed_in(&app).await;
    let mut other = signed_in(&app).await;
    let others = [("choice", "others")];
    let answer = own.submit("/profile/sessions/end", &others).await;
    assert!(
        answer.sets("vestibule-known"),
        "a fresh sign-in stays known"
    );
    answer.assert_leads_to("/profile");
    // The other one is thrown out.
    other.open("/profile").await.assert_status(303);
    let mut tries = 0;
    while own.submit("/profile/sessions/end", &others).await.status != 429 {
        tries += 1;
    }
    assert_eq!(tries, 9);
}

#[tokio::test]
async fn a_browser_that_ends_other_sessions_by_an_old_one_stays_known_no_more_than_theirs() {
    let app = TestApp::start().await;
    let mut own = signed_in(&app).await;
    assert!(own.cookie("vestibule-known").is_some());
    app.age_sessions().await;
    for (path, form) in [
        ("/profile/sessions/end", ("choice", "others")),
        ("/logout", ("everywhere", "1")),
    ] {
        let answer = own.submit(path, &[form]).await;
        let known = answer.cookies().into_iter();
        let known: Vec<_> = known
            .filter(|(name, _)| name == "vestibule-known")
            .collect();
        assert_eq!(known, [], "{path}");
        answer.assert_status(303);
    }
}

#[tokio::test]
async fn what_is_no_session_of_theirs_is_refused_and_ends_nothing() {
    let app = TestApp::start().await;
    let mut browser = signed_in(&app).await;
    let refused = browser
        .submit("/profile/sessions/end", &[("choice", "all")])
        .await;
    refused.assert_status(403);
    let stranger = app
        .browser()
        .submit("/profile/sessions/end", &[("choice", "others")])
        .await;
    stranger.assert_leads_to("/login");
    browser.open("/profile").await.assert_status(200);
}

#[tokio::test]
async fn a_password_and_an_address_are_changed_only_with_the_current_password() {
    let app = TestApp::start().await;
    let mut browser = signed_in(&app).await;
    let page = browser.open("/profile/password").await;
    page.assert_says("autocomplete=\"current-password\"");
    let wanted = ("password", "six purple lanterns wait");
    for current in [&[][..], &[("current", "guessed-wrong-7")]] {
        let fields = [current, &[wanted]].concat();
        let answer = browser.submit("/profile/password", &fields).await;
        answer
            .assert_status(422)
            .assert_says("That is not your current password.");
    }
    // Nor does another address become the user's, by which a password could be set without it.
    let page = browser.open("/profile/address").await;
    page.assert_says("autocomplete=\"current-password\"");
    let thief = [("email", "thief@example.com")];
    let answer = browser.submit("/profile/address", &thief).await;
    answer
        .assert_status(422)
        .assert_says("That is not your current password.");
    let current = ("current", "open-sesame-42");
    let king = [current, ("email", "king@example.com")];
    let answer = browser.submit("/profile/address", &king).await;
    answer.assert_status(200).assert_says("king@example.com");
    let answer = browser
        .submit("/profile/password", &[current, wanted])
        .await;
    answer.assert_status(303);
}

#[tokio::test]
async fn a_weak_password_is_told_why_it_is_not_taken() {
    let app = TestApp::start().await;
    let mut browser = signed_in(&app).await;
    let fields = [("current", "open-sesame-42"), ("password", "password1")];
    let answer = browser.submit("/profile/password", &fields).await;
    answer.assert_status(422).assert_does_not_say("password1");
    browser.sign_in().await.assert_status(303);
}

/// The path in the mail by which an address is changed.
async fn ticket(browser: &TestBrowser<'_>) -> String {
    let ticket = crate::testing::within(async || {
        let page = browser.clone().open("/practice/mail").await;
        page.between("/profile/address/", "\"").map(str::to_owned)
    });
    format!("/profile/address/{}", ticket.await)
}

#[tokio::test]
async fn an_address_is_changed_by_the_mail_that_goes_to_it() {
    let app = TestApp::start().await;
    let mut browser = signed_in(&app).await;
    let fields = [("current", "open-sesame-42"), ("email", "king@example.com")];
    let asked = browser.submit("/profile/address", &fields).await;
    asked.assert_status(200);
    let path = ticket(&browser).await;
    let page = browser.open(&path).await.assert_status(200);
    page.assert_says("king@example.com");
    // Another user, or a mangled ticket, gets nowhere.
    browser
        .open(&path[..path.len() - 2])
        .await
        .assert_status(410);
    let changed = browser.submit(&path, &[]).await;
    changed.assert_leads_to("/profile?changed=address");
    let profile = browser.open("/profile").await.assert_status(200);
    profile.assert_says("king@example.com");
    // They have proved it as before: by their password.
    let told = browser.open("/v1/session").await.assert_status(200);
    told.assert_says("\"method\":\"password\"");
    // A second press changes nothing, and says the same.
    let again = browser.submit(&path, &[]).await;
    again.assert_leads_to("/profile?changed=address");
}

#[tokio::test]
async fn a_user_who_signed_in_by_a_link_is_not_said_to_know_their_password_before_they_set_one() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let fields = [("email", "practice@example.com")];
    browser.submit("/login/link", &fields).await;
    let token = app.mail(1).await.link.replace("/confirm/", "");
    browser.begin(&token).await;
    browser.outcome(&token).await;
    browser.open("/profile").await.assert_status(200);
    let king = [("email", "king@example.com")];
    browser.submit("/profile/address", &king).await;
    let path = ticket(&browser).await;
    let changed = browser.submit(&path, &[]).await;
    changed.assert_leads_to("/profile?changed=address");
    let told = browser.open("/v1/session").await.assert_status(200);
    told.assert_says("\"method\":\"link\"");
    // One who forgot it could not give it.
    let page = browser.open("/profile/password").await.assert_status(200);
    page.assert_does_not_say("autocomplete=\"current-password\"");
    let wanted = [("password", "six purple lanterns wait")];
    let set = browser.submit("/profile/password", &wanted).await;
    set.assert_leads_to("/profile?changed=password");
    let told = browser.open("/v1/session").await.assert_status(200);
    told.assert_says("\"method\":\"password\"");
    let page = browser.open("/profile/password").await.assert_status(200);
    page.assert_says("autocomplete=\"current-password\"");
}

#[tokio::test]
async fn without_account_pages_nothing_of_the_account_is_changed_here() {
    let app = TestApp::with(&[("ACCOUNT_PAGES", "off")]).await;
    let mut browser = app.browser();
    let login = browser.open("/login").await.assert_status(200);
    login
        .assert_does_not_say("Forgot")
        .assert_says("Send me a link instead");
    browser.sign_in().await;
    let profile = browser.open("/profile").await.assert_status(200);
    profile
        .assert_does_not_say("/profile/password")
        .assert_does_not_say("/profile/address")
        .assert_says("Where you are signed in");
    for path in [
        "/profile/password",
        "/profile/address",
        "/profile/address/x",
    ] {
        browser.open(path).await.assert_status(404);
        browser.submit(path, &[]).await.assert_status(404);
    }
}
