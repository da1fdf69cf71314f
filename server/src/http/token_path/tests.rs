//! Links as mail programs and people hand them on: with more around them than was sent.

use crate::testing::TestApp;

#[tokio::test]
async fn what_no_token_may_contain_is_cut_off_by_a_redirect() {
    let app = TestApp::start().await;
    let mut browser = app.browser();
    for junk in [
        ")",
        ",",
        "%22",
        "%20",
        "%E2%80%8B",
        "&utm_source=news",
        "%3E",
        "'",
        ";",
        "!",
        "%3F",
        "%E2%80%9D",
        "%C2%A0",
        "%A0",
        "%EF%BC%89",
        "%E3%80%82",
        "=%0D%0A",
        "*",
        "%5D",
        ":",
    ] {
        let page = browser.open(&format!("/confirm/valid-1{junk}")).await;
        page.assert_leads_to("/confirm/valid-1")
            .assert_sets_nothing();
    }
    for junk in ["=", "=3D", "%3D", "%3D3D", "%3C", "(", "%E2%80%8B"] {
        let page = browser.open(&format!("/confirm/{junk}valid-1")).await;
        page.assert_leads_to("/confirm/valid-1");
    }
    let page = browser.open("/confirm/valid-1)/wait?x=1").await;
    page.assert_leads_to("/confirm/valid-1/wait?x=1");
    for path in ["/confirm/valid-1)", "/confirm/valid-1)/cancel"] {
        let answer = browser.submit(path, &[]).await;
        answer.assert_leads_to("/confirm/valid-1");
    }
    let page = browser.open("/login/wait/abc%20").await;
    page.assert_leads_to("/login/wait/abc");
}

#[tokio::test]
async fn what_a_token_may_contain_is_left_to_its_validator() {
    let app = TestApp::start().await;
    for token in [
        "valid-1.",
        "valid-1-",
        "valid-1_",
        "valid-1~",
        "3Dvalid-1",
        "valid%2D1",
    ] {
        let page = app.browser().open(&format!("/confirm/{token}")).await;
        page.assert_status(200);
    }
    for none in [
        "/confirm/)",
        "/confirm/=3D",
        "/confirm/%20%20",
        &format!("/confirm/{}", "x".repeat(513)),
    ] {
        app.browser().open(none).await.assert_status(404);
    }
}

#[tokio::test]
async fn a_link_of_our_own_is_good_whatever_stands_around_it() {
    let app = TestApp::start().await;
    let ask = [("email", "practice@example.com")];
    app.browser().submit("/login/link", &ask).await;
    let link = app.mail(1).await.link;
    let token = link.strip_prefix("/confirm/").unwrap();
    for (before, after) in [
        ("", "."),
        ("", "-"),
        ("", "_"),
        ("", "~"),
        ("3D", ""),
        ("=3D", ")."),
    ] {
        let mangled = format!("/confirm/{before}{token}{after}");
        app.browser().open(&mangled).await.assert_leads_to(&link);
    }
    let page = app.browser().open(&link).await;
    page.assert_status(200).assert_says("Sign in as ");
}
