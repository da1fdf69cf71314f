use crate::testing::{IN_USE, TestApp, TestBrowser, TestResponse, within};
use futures_util::future::join_all;

const NO_COOKIES: &str = "does not accept cookies for this site";

#[tokio::test]
async fn a_landing_gives_a_pending_cookie_that_a_reload_keeps() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    browser.open("/confirm/valid-1").await.assert_status(200);
    let cookies = browser.cookies();
    assert!(cookies.len() == 1 && cookies[0].starts_with("vestibule-pending-"));
    browser.open("/confirm/valid-1").await.assert_sets_nothing();
}

/// What a landing has for its own request alone: token, channel and nonce.
fn values(page: &TestResponse) -> [String; 3] {
    let settings = page.between("data-settings=\"", "\"").expect("an island");
    let mut settings = settings.split(' ');
    let token = settings.next().unwrap().to_owned();
    let channel = settings.next().unwrap().to_owned();
    let policy = page.header("content-security-policy").unwrap();
    let nonce = policy.split("'nonce-").nth(1).unwrap();
    let nonce = nonce.split('\'').next().unwrap().to_owned();
    [token, channel, nonce]
}

#[tokio::test]
async fn a_landing_has_its_own_values_and_no_one_elses() {
    let app = TestApp::start().await;
    let [mut first, mut second] = [app.browser(), app.browser()];
    let mut pages = Vec::new();
    for (browser, token) in [(&mut first, "one-1~"), (&mut second, "two-2.")] {
        let page = browser.open(&format!("/confirm/{token}")).await;
        let page = page
            .assert_status(200)
            .assert_says(&format!("action=\"/confirm/{token}\""));
        assert_eq!(values(&page)[0], token);
        pages.push(page);
    }
    let [others, own] = [values(&pages[0]), values(&pages[1])];
    for (other, own) in others.iter().zip(&own) {
        assert!(!own.is_empty() && !pages[1].body.contains(other), "{other}");
    }
    second.begin_by_form("two-2.").await.assert_status(303);
    // What has to be escaped is.
    let page = app
        .browser()
        .open("/confirm/three?next=/a%22%3E%3Cb%3E")
        .await;
    assert!(!page.assert_status(200).body.contains("\"><b>"));
}

#[tokio::test]
async fn without_scripts_a_form_begins_and_a_page_waits_for_the_outcome() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let begun = browser.begin_by_form("valid-1").await;
    begun.assert_leads_to("/confirm/valid-1/wait");
    let redirect = browser.outcome("valid-1").await;
    let waited = browser.open("/confirm/valid-1/wait").await;
    waited.assert_leads_to(&redirect);
    let profile = browser.open(&redirect).await.assert_status(200);
    profile.assert_says("Ada Lovelace");
}

#[tokio::test]
async fn a_page_that_waits_refreshes_itself_and_can_be_cancelled() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    browser.begin_by_form("down-1").await.assert_status(303);
    let page = browser.open("/confirm/down-1/wait").await;
    assert!(page.header("refresh").is_some(), "{page:#?}");
    page.assert_status(200);
    let cancelled = browser.submit("/confirm/down-1/cancel", &[]).await;
    let redirect = cancelled.assert_status(303).location().unwrap().to_owned();
    assert!(redirect.starts_with("/login"), "{redirect}");
    let page = browser.open("/confirm/down-1/wait").await;
    assert_eq!(page.header("refresh"), None);
    page.assert_status(200);
}

#[tokio::test]
async fn a_check_that_takes_longer_says_so_and_goes_on_in_a_page_that_is_opened_again() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let begun = browser.begin_by_form("later-poll-1").await;
    begun.assert_leads_to("/confirm/later-poll-1/wait");
    let page = within(async || {
        let page = browser.open("/confirm/later-poll-1/wait").await;
        page.body.contains("several minutes").then_some(page)
    });
    assert_eq!(page.await.header("refresh"), Some("10"));
    // The page is closed, and the link is opened again in the same browser.
    let landing = browser.open("/confirm/later-poll-1").await;
    landing.assert_status(200).assert_sets_nothing();
    let call = [("token", "later-poll-1"), ("again", "false")];
    let begun = browser.call("begin", &call).await;
    begun.assert_status(200).assert_says(r#""step":"later""#);
    let redirect = browser.outcome("later-poll-1").await;
    let profile = browser.open(&redirect).await.assert_status(200);
    profile.assert_says("Ada Lovelace");
}

#[tokio::test]
async fn a_waiting_page_without_the_cookie_of_its_landing_leads_there() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let page = browser.open("/confirm/valid-7/wait").await;
    page.assert_leads_to("/confirm/valid-7")
        .assert_sets_nothing();
    browser.open("/confirm/valid-7").await.assert_status(200);
    let page = browser.open("/confirm/valid-7/wait").await;
    page.assert_status(200);
}

#[tokio::test]
async fn a_begin_without_the_cookie_of_its_landing_begins_nothing_and_says_why() {
    let app = TestApp::with(&[("CONFIRM_PER_CLIENT", "1")]).await;
    let bare = app.browser();
    let mut another = app.browser();
    another.open("/confirm/down-other").await.assert_status(200);
    let planted = bare.with_cookie("vestibule-pending-0000000000000000", "AAAA");
    for browser in [bare, another, planted] {
        let call = [("token", "down-1"), ("again", "false")];
        let call = browser.clone().call("begin", &call).await;
        call.assert_status(422)
            .assert_says("NoCookie")
            .assert_sets_nothing();
        for form in [&[][..], &[("again", "1")]] {
            let page = browser.clone().submit("/confirm/down-1", form).await;
            page.assert_status(422)
                .assert_says(NO_COOKIES)
                .assert_says("href=\"/confirm/down-1\"")
                .assert_sets_nothing();
        }
    }
    // The only place is still free.
    app.browser().begin("down-1").await.assert_status(200);
}

/// Opens a link to which `site` has led.
async fn open_from(browser: &mut TestBrowser<'_>, token: &str, site: &str) -> TestResponse {
    let mut led = browser.sending("sec-fetch-site", site);
    let page = led.open(&format!("/confirm/{token}")).await;
    browser.take_cookies_of(&led);
    page
}

#[tokio::test]
async fn a_sign_in_in_progress_stays_whatever_else_is_opened() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    browser.begin("down-mine").await.assert_status(200);
    let own = browser.cookies()[0].to_owned();
    for number in 0..20 {
        let page = browser.open(&format!("/confirm/other-{number}")).await;
        page.assert_status(200);
    }
    assert!(browser.cookies().contains(&&*own) && browser.cookies().len() == 16);
    let before = browser.cookies().join(" ");
    let page = open_from(&mut browser, "theirs", "cross-site").await;
    page.assert_status(422);
    assert_eq!(
        browser.cookies().join(" "),
        before,
        "another site makes nothing go"
    );
    let page = open_from(&mut browser, "theirs", "same-origin").await;
    page.assert_status(200);
    assert!(browser.cookies().contains(&&*own));
    assert_ne!(browser.cookies().join(" "), before, "the user does");
}

#[tokio::test]
async fn where_all_are_in_progress_there_is_no_room_for_another() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    for number in 0..16 {
        let begun = browser.begin(&format!("down-{number}")).await;
        begun.assert_status(200);
    }
    let before = browser.cookies().join(" ");
    let page = browser.open("/confirm/down-more").await;
    page.assert_status(422)
        .assert_says("Too many sign-ins are in progress");
    assert_eq!(browser.cookies().join(" "), before);
    let ask = [("email", "ada@example.com")];
    let asked = browser.clone().submit("/login/link", &ask).await;
    asked.assert_status(422);
    browser.call("cancel", &[("token", "down-3")]).await;
    let page = browser.open("/confirm/down-more").await;
    // What is settled makes room.
    page.assert_status(200);
}

#[tokio::test]
async fn a_form_over_the_cap_is_a_page_that_says_when_to_come_again() {
    let app = TestApp::with(&[("CONFIRM_PER_CLIENT", "1")]).await;
    let mut browser = app.browser();
    browser.begin_by_form("down-1").await.assert_status(303);
    let refused = app.browser().begin_by_form("down-2").await;
    assert_eq!(refused.header("retry-after"), Some("60"));
    refused
        .assert_status(429)
        .assert_says("Too many requests")
        .assert_sets_nothing();
    // A landing stores nothing and is free.
    let page = app.browser().open("/confirm/down-2").await;
    page.assert_status(200);
}

#[tokio::test]
async fn where_all_is_full_the_server_is_not_available_just_now() {
    let app = TestApp::with(&[("CONFIRM_UNDECIDED", "1")]).await;
    let begun = app.browser().begin_by_form("down-1").await;
    begun.assert_status(303);
    for refused in [
        app.browser().begin_by_form("down-2").await,
        app.browser().begin("down-2").await,
    ] {
        assert_eq!(refused.header("retry-after"), Some("5"));
        refused.assert_status(503);
    }
}

/// A browser behind a proxy that says who its client is.
fn behind_a_proxy<'a>(app: &'a TestApp, forwarded_for: &str) -> TestBrowser<'a> {
    app.browser().sending("x-forwarded-for", forwarded_for)
}

/// A server in use, where a client may have one undecided sign-in.
async fn server(trusted: &str) -> TestApp {
    let own = [("CONFIRM_PER_CLIENT", "1"), ("TRUSTED_PROXIES", trusted)];
    TestApp::with(&[&IN_USE[..], &own].concat()).await
}

#[tokio::test]
async fn behind_a_trusted_proxy_each_client_has_a_cap_of_its_own() {
    let app = server("10.0.0.0/8,127.0.0.1").await;
    for (client, status) in [
        ("203.0.113.1", 303),
        ("203.0.113.1", 429),
        ("203.0.113.2", 303),
        ("2001:db8::1", 303),
        // The same /64.
        ("2001:db8::2", 429),
    ] {
        let begun = behind_a_proxy(&app, client).begin_by_form("down").await;
        begun.assert_status(status);
    }
}

#[tokio::test]
async fn a_client_gets_no_second_cap_by_what_it_says_of_itself() {
    for (trusted, second) in [
        // The proxy appends whom it knows.
        ("127.0.0.1", "198.51.100.7, 203.0.113.1"),
        // What has connected is no trusted proxy.
        ("10.0.0.0/8", "203.0.113.2"),
    ] {
        let app = server(trusted).await;
        for (client, status) in [("203.0.113.1", 303), (second, 429)] {
            let begun = behind_a_proxy(&app, client).begin_by_form("down").await;
            begun.assert_status(status);
        }
    }
}

/// Many at once: room for another begin comes back meanwhile, ten times a second.
const AT_ONCE: usize = 400;

#[tokio::test]
async fn a_client_begins_so_often_and_repeats_what_has_begun_as_often_as_it_likes() {
    let app = TestApp::start().await;
    let path = "/confirm/invalid-0";
    let mut first = app.browser();
    first.begin_by_form("invalid-0").await.assert_status(303);
    let anew = (0..AT_ONCE).map(|number| {
        let mut first = first.clone();
        let again = ["1", "", "again"][number % 3];
        async move { first.submit(path, &[("again", again)]).await }
    });
    let others = (0..AT_ONCE).map(|number| {
        let mut browser = app.browser();
        async move { browser.begin_by_form(&format!("invalid-1{number}")).await }
    });
    for answers in [join_all(anew).await, join_all(others).await] {
        let mut refused = answers.into_iter().filter(|answer| answer.status != 303);
        let refused = refused.next().expect("some are refused");
        assert_eq!(refused.header("retry-after"), Some("60"));
        refused.assert_status(429);
    }
    for _ in 0..20 {
        // It has begun already.
        first.submit(path, &[]).await.assert_status(303);
    }
}

#[tokio::test]
async fn a_link_leads_to_where_it_says_on_this_host_alone() {
    let app = TestApp::with(&[("PUBLIC_URL", "http://127.0.0.1:3000/auth")]).await;
    for (number, query, leads) in [
        (1, "", "/auth/profile"),
        (
            2,
            "?next=/orders%3Fa%3D1%26b%3D2",
            "/auth/enter?next=%2Forders%3Fa%3D1%26b%3D2",
        ),
        (3, "?next=//evil.example", "/auth/profile"),
        (4, "?next=/auth/logout", "/auth/profile"),
        (5, "?next=/%2565vil", "/auth/enter?next=%2F%2565vil"),
        (6, "?next", "/auth/profile"),
        (7, "?next=/a&next=/b", "/auth/profile"),
    ] {
        let token = format!("valid-{number}");
        let path = format!("/auth/confirm/{token}");
        let mut browser = app.browser();
        let page = browser
            .open(&format!("{path}{query}"))
            .await
            .assert_status(200);
        let next = page.between("name=\"next\" value=\"", "\"").unwrap();
        let next = next.replace("&amp;", "&");
        let begun = browser.submit(&path, &[("next", &next)]).await;
        begun.assert_status(303);
        assert_eq!(browser.outcome_at("/auth", &token).await, leads, "{query}");
    }
    // What the page sends is checked again.
    let mut browser = app.browser();
    browser.open("/auth/confirm/valid-9").await;
    browser
        .submit("/auth/confirm/valid-9", &[("next", "//evil.example")])
        .await;
    assert_eq!(
        browser.outcome_at("/auth", "valid-9").await,
        "/auth/profile"
    );
}

#[tokio::test]
async fn the_island_says_where_its_link_leads() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    let page = browser.open("/confirm/valid-1?next=/orders").await;
    let settings = page.between("data-settings=\"", "\"").unwrap();
    assert!(settings.contains(" /orders "), "{settings}");
    let fields = [
        ("token", "valid-1"),
        ("again", "false"),
        ("next", "/orders"),
    ];
    browser.call("begin", &fields).await.assert_status(200);
    assert_eq!(browser.outcome("valid-1").await, "/enter?next=%2Forders");
}

#[tokio::test]
async fn text_around_a_token_does_not_make_its_link_forget_where_it_leads() {
    let app = TestApp::start().await;
    let opened = app
        .browser()
        .open("/confirm/%3Cvalid-1%3E?next=/orders")
        .await;
    opened.assert_leads_to("/confirm/valid-1?next=/orders");
}
