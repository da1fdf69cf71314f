//! `server/examples/embed.rs`, as it is.

#[path = "../../../examples/embed.rs"]
#[expect(dead_code, reason = "its `main` is the program's")]
mod embed;

use crate::{RawSettings, testing::TestApp};
use tempfile::TempDir;

#[test]
fn a_complete_program_has_25_lines() {
    let page = include_str!("../../../../README.md");
    let (_, program) = page.split_once("```rust,no_run\n").unwrap();
    let (program, _) = program.split_once("```").unwrap();
    assert!(program.lines().count() <= 25, "{program}");
}

#[tokio::test]
async fn the_example_signs_a_user_in_and_shows_who_came() {
    let data = TempDir::new().unwrap();
    let settings = RawSettings::from_pairs([
        ("VESTIBULE_DATA", data.path().to_str().unwrap()),
        ("PUBLIC_URL", "http://127.0.0.1:3000/auth"),
        ("CONFIRM_REDIRECT", "/orders"),
    ]);
    let (routes, mounted) = embed::shop(settings.unwrap()).await.unwrap();
    let app = TestApp::of(routes, data, mounted.running);
    let mut browser = app.browser().below("/auth");
    let home = browser.open("/").await.assert_status(200);
    let link = home
        .between("href='/auth/confirm/", "'")
        .unwrap()
        .to_owned();
    home.assert_says("Hello, stranger.");
    let led = browser.open("/orders").await;
    led.assert_leads_to("/auth/login?next=%2Forders");
    browser.begin(&link).await.assert_status(200);
    let way = browser.outcome(&link).await;
    browser.open(&way).await.assert_leads_to("/orders");
    let page = browser.open("/orders").await.assert_status(200);
    page.assert_says("The orders of Ada");
    browser.open("/").await.assert_says("Welcome back.");
}
