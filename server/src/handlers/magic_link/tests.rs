use crate::testing::{IN_USE, TestApp, TestBrowser, within};

const ASK: [(&str, &str); 1] = [("email", "practice@example.com")];

/// Waits until the mailbox has this so often.
async fn mailed(app: &TestApp, what: &str, times: usize) {
    let mut browser = app.browser();
    let found = within(async || {
        let page = browser.open("/practice/mail").await;
        let found = page.body.matches(what).count();
        (found >= times).then_some(found)
    });
    assert_eq!(found.await, times, "{what}");
}

/// Asks for a link, and returns the path of the page that waits for it.
async fn ask(browser: &mut TestBrowser<'_>, fields: &[(&str, &str)]) -> String {
    let asked = browser.submit("/login/link", fields).await;
    let wait = asked.assert_status(303).location().unwrap().to_owned();
    assert!(wait.starts_with("/login/wait/"), "{wait}");
    wait
}

#[tokio::test]
async fn the_code_in_the_mail_signs_the_waiting_browser_in() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let wait = ask(&mut browser, &ASK).await;
    let page = browser.open(&wait).await.assert_status(200);
    page.assert_says("practice@example.com");
    let code = app.mail(1).await.code.unwrap();
    let typed = browser
        .submit(&format!("{wait}/code"), &[("code", &code)])
        .await;
    typed.assert_leads_to(&wait);
    let page = browser.open(&wait).await;
    page.assert_leads_to("/profile");
    browser.open("/profile").await.assert_status(200);
}

#[tokio::test]
async fn what_is_no_code_spends_no_guess() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let wait = ask(&mut browser, &ASK).await;
    for _ in 0..9 {
        let typed = browser
            .submit(&format!("{wait}/code"), &[("code", "12 34")])
            .await;
        typed.assert_leads_to(&format!("{wait}?code=unread"));
    }
    let page = browser.open(&format!("{wait}?code=unread")).await;
    page.assert_says("Enter the six-digit code.");
    let code = app.mail(1).await.code.unwrap();
    let typed = browser
        .submit(&format!("{wait}/code"), &[("code", &code)])
        .await;
    typed.assert_leads_to(&wait);
}

/// Types five codes of which none can be right, whatever code is in the mail.
async fn guess(browser: &mut TestBrowser<'_>, wait: &str, code: &str) {
    let wrong = if code == "000000" { "111111" } else { "000000" };
    let form = format!("{wait}/code");
    for left in (1..=4).rev() {
        let answer = browser.submit(&form, &[("code", wrong)]).await;
        let led = answer.assert_status(303).location().unwrap().to_owned();
        let times = if left == 1 {
            "one more time.".to_owned()
        } else {
            format!("{left} more times.")
        };
        // A reload spends no guess.
        for _ in 0..2 {
            let page = browser.open(&led).await.assert_status(200);
            page.assert_says(&format!("That is not the code. You can try {times}"));
        }
    }
    let answer = browser.submit(&form, &[("code", wrong)]).await;
    answer.assert_status(303);
}

#[tokio::test]
async fn the_owner_is_told_of_five_wrong_codes_and_that_there_are_no_more_after_ten() {
    let app = TestApp::start().await;
    for round in 1..=2 {
        let mut browser = app.browser();
        let wait = ask(&mut browser, &ASK).await;
        let code = app.mail(round).await.code.expect("it has a code");
        guess(&mut browser, &wait, &code).await;
        mailed(&app, "Wrong codes were typed for your address", round).await;
    }
    let off = "For 7 days, mails with links to sign in have no code";
    mailed(&app, off, 1).await;
    ask(&mut app.browser(), &ASK).await;
    assert_eq!(app.mail(3).await.code, None);
}

#[tokio::test]
async fn a_known_browser_is_sent_its_links_while_strangers_ask_for_as_many_as_they_may() {
    let app = TestApp::start().await;
    let mut known = app.browser();
    known.sign_in().await;
    known.forget("vestibule-session");
    for _ in 0..20 {
        ask(&mut app.browser(), &ASK).await;
    }
    // A client has a share of what an address is sent.
    app.mail(3).await;
    for number in 1..=5 {
        ask(&mut known, &ASK).await;
        app.mail(3 + number).await;
    }
}

#[tokio::test]
async fn a_double_click_is_sent_one_link_and_both_answers_wait_for_it() {
    let app = TestApp::start().await;
    let mut own = app.browser();
    own.open("/login").await;
    let clicks = [own.clone(), own.clone(), own.clone(), own.clone()];
    let [a, b, c, d] = clicks.map(|mut click| async move {
        let wait = ask(&mut click, &ASK).await;
        let cookies = click.cookies();
        let pending = cookies
            .into_iter()
            .find(|name| name.starts_with("vestibule-pending-"))
            .expect("it waits");
        (
            wait,
            pending.to_owned(),
            click.cookie(pending).map(str::to_owned),
        )
    });
    let (a, b, c, d) = tokio::join!(a, b, c, d);
    assert!(a == b && a == c && a == d, "{a:?} {b:?} {c:?} {d:?}");
    let bob = ask(&mut own, &[("email", "bob@example.com")]).await;
    assert_ne!(bob, a.0, "another address");
    app.mail(2).await;
    let mut other = app.browser();
    other.open("/login").await;
    assert_ne!(ask(&mut other, &ASK).await, a.0, "another browser");
}

#[tokio::test]
async fn an_address_is_the_same_on_every_page_however_it_was_pasted() {
    let app = TestApp::start().await;
    let pasted = [
        "\u{200b}practice@example.com",
        "Practice <practice@EXAMPLE.com>",
        "mailto:practice@example.com",
        "practice\u{ad}@example.com,",
        "PRACTICE@example.com\u{200e}",
    ];
    for (number, address) in pasted.into_iter().enumerate() {
        let mut browser = app.browser();
        browser.open("/login").await;
        ask(&mut browser, &[("email", address)]).await;
        if number < 3 {
            app.mail(number + 1).await;
        }
        let fields = [("email", address), ("password", "open-sesame-42")];
        let signed_in = app.browser().submit("/login", &fields).await;
        signed_in.assert_status(303);
    }
}

#[tokio::test]
async fn an_address_that_is_none_is_shown_again_with_what_is_wrong() {
    let app = TestApp::start().await;
    let fields = [("email", "ada at example"), ("next", "/profile/address")];
    let page = app.browser().submit("/login/link", &fields).await;
    page.assert_status(422)
        .assert_says("value=\"ada at example\"")
        .assert_says("value=\"/profile/address\"");
}

#[tokio::test]
async fn a_server_that_sends_no_mail_has_no_links() {
    let app = TestApp::with(&IN_USE).await;
    let asked = app.browser().submit("/login/link", &ASK).await;
    asked.assert_status(404);
}

#[tokio::test]
async fn another_link_is_sent_once_the_first_has_had_its_time() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let wait = ask(&mut browser, &ASK).await;
    let again = browser.submit(&format!("{wait}/again"), &[]).await;
    let after = again.header("retry-after").unwrap().parse::<u32>().unwrap();
    assert!((1..=60).contains(&after), "{after}");
    again.assert_status(429).assert_says("practice@example.com");
    let gone = app.browser().submit(&format!("{wait}/again"), &[]).await;
    gone.assert_leads_to("/login");
}

#[tokio::test]
async fn a_page_that_waits_for_its_mail_and_has_lost_its_cookie_does_not_spoil_the_link() {
    let app = TestApp::start().await;
    let wait = ask(&mut app.browser(), &ASK).await;
    let token = wait.strip_prefix("/login/wait/").unwrap();
    let mut other = app.browser();
    let page = other.open(&wait).await;
    page.assert_status(422)
        .assert_says("does not accept cookies for this site");
    let begun = other
        .call("begin", &[("token", token), ("again", "false")])
        .await;
    begun.assert_status(422).assert_sets_nothing();
    let landing = other.open(&format!("/confirm/{token}")).await;
    landing.assert_status(303).assert_sets_nothing();
    let code = other
        .submit(&format!("{wait}/code"), &[("code", "123456")])
        .await;
    code.assert_status(303).assert_sets_nothing();
}
