use crate::testing::{IN_USE, PRACTICE_USER, TestApp};

const NO_COOKIES: &str = "does not accept cookies for this site";
const GUESS: [(&str, &str); 2] = [("email", "practice@example.com"), ("password", "guessed")];

#[tokio::test]
async fn the_right_password_signs_in_and_the_wrong_one_is_told_no_more_than_that() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    for email in ["practice@example.com", "stranger@example.com"] {
        let fields = [("email", email), ("password", "guessed")];
        let refused = browser.submit("/login", &fields).await;
        refused
            .assert_status(422)
            .assert_says("The e-mail address or the password is wrong.")
            .assert_says(&format!("value=\"{email}\""))
            .assert_does_not_say("guessed");
    }
    browser.sign_in().await.assert_leads_to("/profile");
    browser.open("/profile").await.assert_status(200);
    // There is nothing to do here any more.
    browser.open("/login").await.assert_leads_to("/profile");
}

#[tokio::test]
async fn the_page_says_why_a_link_has_led_here() {
    let app = TestApp::start().await;
    for (reason, text) in [
        ("invalid", "That link is not valid."),
        ("expired", "That link has expired."),
        ("used", "That link has already been used."),
        ("cancelled", "You cancelled the sign-in."),
    ] {
        let page = app.browser().open(&format!("/login?reason={reason}")).await;
        page.assert_status(200).assert_says(text);
    }
    let page = app.browser().open("/login?reason=%3Cscript%3E").await;
    page.assert_status(200).assert_does_not_say("<script");
}

#[tokio::test]
async fn a_new_link_is_offered_where_one_can_be_sent() {
    let by_mail = TestApp::start().await;
    let without = TestApp::with(&IN_USE).await;
    for (app, text) in [
        (by_mail, "or request a new link."),
        (without, "or ask whoever sent you the link for a new one."),
    ] {
        let page = app.browser().open("/login?reason=used").await;
        page.assert_status(200).assert_says(text);
    }
}

#[tokio::test]
async fn an_account_is_tried_so_often_and_its_own_browser_goes_on() {
    let app = TestApp::start().await;
    let mut known = app.browser();
    known.sign_in().await;
    known.forget("vestibule-session");
    let mut stranger = app.browser();
    // The right password counted as a try as well.
    for _ in 0..19 {
        stranger.submit("/login", &GUESS).await.assert_status(422);
    }
    let refused = stranger.submit("/login", &PRACTICE_USER).await;
    assert!(refused.header("retry-after").is_some(), "{refused:#?}");
    refused
        .assert_status(429)
        .assert_says("Too many attempts. Try again in ")
        .assert_says("value=\"practice@example.com\"");
    // To look is free.
    stranger.open("/login").await.assert_status(200);
    let mut forged = stranger.with_cookie("vestibule-known", "AAAA");
    let refused = forged.submit("/login", &PRACTICE_USER).await;
    refused.assert_status(429);
    let signed_in = known.submit("/login", &PRACTICE_USER).await;
    signed_in.assert_status(303);
}

#[tokio::test]
async fn an_account_is_tried_so_often_from_everywhere_together() {
    let own = [("TRUSTED_PROXIES", "127.0.0.1")];
    let app = TestApp::with(&[&IN_USE[..], &own].concat()).await;
    let from = |number: usize| {
        let client = format!("203.0.113.{number}");
        app.browser().sending("x-forwarded-for", &client)
    };
    for number in 0..20 {
        let tried = from(number).submit("/login", &GUESS).await;
        tried.assert_status(422);
    }
    from(99).submit("/login", &GUESS).await.assert_status(429);
    let bob = [("email", "bob@example.com"), ("password", "guessed")];
    from(99).submit("/login", &bob).await.assert_status(422);
}

#[tokio::test]
async fn a_form_that_comes_back_without_its_cookie_is_told_so_before_the_password_is_judged() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let page = browser.open("/login").await;
    let proof = page.between("name=\"proof\" value=\"", "\"").unwrap();
    let form = [&PRACTICE_USER[..], &[("proof", proof)]].concat();
    for path in ["/login", "/login/link"] {
        let answer = app.browser().submit(path, &form).await;
        answer
            .assert_status(422)
            .assert_says(NO_COOKIES)
            .assert_says("href=\"/login\"")
            .assert_sets_nothing();
    }
    let signed_in = browser.clone().submit("/login", &form).await;
    signed_in.assert_status(303);
    let led_by = |site| app.browser().sending("sec-fetch-site", site);
    let back = led_by("same-origin").open("/login?next=%2Fprofile").await;
    // Led back by our own page, without any cookie.
    back.assert_says(NO_COOKIES);
    for mut other in [
        led_by("none"),
        led_by("cross-site"),
        browser.sending("sec-fetch-site", "same-origin"),
    ] {
        let page = other.open("/login?next=%2Fprofile").await;
        page.assert_does_not_say(NO_COOKIES);
    }
}

#[tokio::test]
async fn a_proof_decides_where_a_browser_keeps_its_origin_to_itself() {
    let app = TestApp::start().await;
    let mut browser = app.browser().sending("sec-fetch-site", "");
    let page = browser.open("/login").await;
    let proof = page.between("name=\"proof\" value=\"", "\"").unwrap();
    let login = async |headers: &[(&str, &str)], proof: &str| {
        let form = [&PRACTICE_USER[..], &[("proof", proof)]].concat();
        let answer = browser.clone().post("/login", headers, &form).await;
        answer.status
    };
    assert_eq!(login(&[("origin", "null")], proof).await, 303);
    for wrong in ["", "AAAA", &proof[1..]] {
        assert_eq!(login(&[("origin", "null")], wrong).await, 403, "{wrong}");
    }
    for foreign in [
        &[("origin", "https://evil.example")][..],
        &[("origin", "NULL")],
        &[("origin", "null"), ("origin", "https://evil.example")],
        &[
            ("origin", "http://127.0.0.1:3000"),
            ("origin", "https://evil.example"),
        ],
    ] {
        assert_eq!(login(foreign, proof).await, 403, "{foreign:?}");
    }
    let cross_site = [("origin", "null"), ("sec-fetch-site", "cross-site")];
    let form = [&PRACTICE_USER[..], &[("proof", proof)]].concat();
    let mut said = browser.sending("sec-fetch-site", "cross-site");
    let answer = said.post("/login", &cross_site, &form).await;
    answer.assert_status(403);
    let bare = [("origin", "null")];
    let status = browser.post("/api/status", &bare, &[("token", "x")]).await;
    // Scripts of ours always say where they come from.
    status.assert_status(403);
}

#[tokio::test]
async fn a_password_is_the_same_however_a_keyboard_composes_it() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    browser.sign_in().await;
    let composed = "vier-Zitronen-tr\u{e4}umen-77";
    let decomposed = "vier-Zitronen-tra\u{308}umen-77";
    let set = [("current", "open-sesame-42"), ("password", composed)];
    let set = browser.submit("/profile/password", &set).await;
    set.assert_status(303);
    for (password, status) in [
        (decomposed, 303),
        (composed, 303),
        ("vier-Zitronen-traumen-77", 422),
    ] {
        let fields = [("email", "practice@example.com"), ("password", password)];
        let answer = app.browser().submit("/login", &fields).await;
        answer.assert_status(status);
    }
}
