use crate::testing::TestApp;
use std::fs;
use tempfile::TempDir;

#[tokio::test]
async fn a_file_of_the_site_is_there_and_nothing_beside_it() {
    let site = TempDir::new().unwrap();
    fs::create_dir(site.path().join("pkg")).unwrap();
    fs::write(site.path().join("pkg/vestibule.js"), "export {}").unwrap();
    fs::write(site.path().join("secret"), "secret").unwrap();
    let root = site.path().display().to_string();
    let app = TestApp::with(&[("LEPTOS_SITE_ROOT", &root)]).await;
    let file = app.browser().open("/pkg/vestibule.js").await;
    file.assert_status(200).assert_says("export {}");
    for path in ["/pkg/../secret", "/pkg/%2e%2e/secret", "/pkg/none.js"] {
        let answer = app.browser().open(path).await;
        answer.assert_status(404).assert_does_not_say("secret");
    }
}
