//! An application that Vestibule is a part of is told of each confirmation, whatever is killed.

use crate::support::{Browser, free_port, until};
use std::{env, fs, net::SocketAddr, path::Path, process::Stdio};
use tempfile::TempDir;
use tokio::{
    net::TcpListener,
    process::{Child, Command},
};
use vestibule_server::{
    RawSettings, User, Vestibule,
    validator::{Identity, Token, ValidationError, Verdict},
};

/// Where the application listens. It is set in a process that is the application.
const ADDRESS: &str = "ADDRESS";

/// What the application has been told is in a file of this name, in the folder of its data.
const TOLD: &str = "told";

/// Starts the application in a process of its own, which halts where `halt_at` says.
fn start(port: u16, data: &Path, halt_at: &str) -> Child {
    Command::new(env::current_exe().expect("this program"))
        .args(["--exact", "notices::the_application"])
        .env_clear()
        .env(ADDRESS, format!("127.0.0.1:{port}"))
        .env("PUBLIC_URL", format!("http://127.0.0.1:{port}/auth"))
        .env("VESTIBULE_DATA", data)
        .env("VESTIBULE_HALT_AT", halt_at)
        // It halts until this ends.
        .stdin(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("this program starts")
}

/// The application, where this program was started as that. Anywhere else it tests nothing.
#[tokio::test(flavor = "multi_thread")]
async fn the_application() {
    let Ok(address) = env::var(ADDRESS) else {
        return;
    };
    let settings = RawSettings::from_environment().expect("settings");
    let told = env::var("VESTIBULE_DATA").expect("a folder") + "/" + TOLD;
    let on_confirmed = move |user: User, is_new: bool| {
        let written = fs::write(&told, format!("{} {is_new}\n", user.identity.subject));
        async { written }
    };
    let built = Vestibule::builder(settings)
        .validator(judge)
        .on_confirmed(on_confirmed)
        .build();
    let routes = built.await.expect("it starts").routes;
    let listener = TcpListener::bind(address).await.expect("a free port");
    axum::serve(
        listener,
        routes.into_make_service_with_connect_info::<SocketAddr>(),
    )
    .await
    .expect("it serves until it is killed");
}

async fn judge(token: Token) -> Result<Verdict, ValidationError> {
    let user = Identity::new("https://shop.example", token.expose());
    Ok(Verdict::Valid(user, None))
}

#[tokio::test]
async fn an_application_killed_before_it_is_told_is_told_after_its_next_start() {
    let data = TempDir::new().expect("a temporary folder");
    let told = data.path().join(TOLD);
    let port = free_port();
    let mut application = start(port, data.path(), "telling");
    let browser = Browser::at(port).below("/auth");
    browser.open("ada").await;
    browser.begun("ada").await;
    browser.confirmed("ada").await;
    application.kill().await.expect("it runs");
    assert!(!told.exists(), "it was halted before");
    let _application = start(port, data.path(), "nowhere");
    let told = until("the application to be told", async || {
        fs::read_to_string(&told)
            .ok()
            .filter(|told| told.ends_with('\n'))
    });
    assert_eq!(told.await, "ada true\n");
}
