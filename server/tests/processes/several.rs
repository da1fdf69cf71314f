//! Two servers and two workers on one PostgreSQL and one Redis, behind a proxy that sends each
//! request to another server.

use crate::support::{Browser, Database, Process, Validator, free_port, given, until};
use std::{fmt::Write as _, fs, process::Stdio, time::Duration};
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    task::JoinSet,
};

const HOST: &str = "sign-in.example";
const LINKS: usize = 60;

/// nginx in front of the servers on these ports, without sticky sessions.
struct Proxy {
    port: u16,
    _process: Child,
    _folder: TempDir,
}

impl Proxy {
    fn before(servers: &[u16]) -> Option<Self> {
        let program = given("VESTIBULE_TEST_NGINX")?;
        let port = free_port();
        let folder = TempDir::new().expect("a temporary folder");
        let mut upstreams = String::new();
        for server in servers {
            let _ = writeln!(
                upstreams,
                "server 127.0.0.1:{server} max_fails=1 fail_timeout=1s;"
            );
        }
        let path = folder.path().display();
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let temporary = temporary
            .map(|kind| format!("{kind}_temp_path {path}/{kind};"))
            .join("\n");
        // One process, so that nothing of it stays when it is killed.
        let settings = format!(
            "daemon off; master_process off; pid {path}/pid; error_log stderr warn;
             events {{ worker_connections 512; }}
             http {{
                 access_log off; {temporary}
                 upstream vestibule {{ {upstreams} }}
                 server {{
                     listen 127.0.0.1:{port};
                     location / {{
                         proxy_pass http://vestibule;
                         proxy_set_header Host $http_host;
                         proxy_set_header X-Forwarded-For $remote_addr;
                         proxy_next_upstream error timeout non_idempotent;
                     }}
                 }}
             }}"
        );
        let file = folder.path().join("nginx.conf");
        fs::write(&file, settings).expect("the folder can be written");
        let mut command = Command::new(program);
        command
            .arg("-p")
            .arg(folder.path())
            .arg("-c")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        let process = command
            .kill_on_drop(true)
            .stderr(Stdio::null())
            .spawn()
            .expect("nginx starts");
        Some(Self {
            port,
            _process: process,
            _folder: folder,
        })
    }
}

async fn server(port: u16, database: &Database, validator: &Validator) -> Process {
    let addr = format!("127.0.0.1:{port}");
    let settings = [
        ("LEPTOS_SITE_ADDR", addr.as_str()),
        ("PUBLIC_URL", "https://sign-in.example"),
    ];
    Process::start(&["serve", "--no-worker"], database, validator, &settings).await
}

#[tokio::test]
async fn any_server_answers_any_browser_and_any_worker_signs_it_in() {
    let Some(database) = Database::postgres(true).await else {
        return;
    };
    let ports = [free_port(), free_port()];
    let Some(proxy) = Proxy::before(&ports) else {
        return;
    };
    let validator = Validator::taking(Duration::from_millis(50)).await;
    let first = server(ports[0], &database, &validator).await;
    let _second = server(ports[1], &database, &validator).await;
    let worker = Process::start(&["worker"], &database, &validator, &[]).await;
    let _other_worker = Process::start(&["worker"], &database, &validator, &[]).await;
    let visitor = Browser::knowing(proxy.port, HOST);
    let ready = until("the proxy", || visitor.get("/readyz")).await;
    assert_eq!(
        ready, "database: ok\nsessions: ok\n",
        "a server without a worker says nothing of one"
    );

    let mut browsers = JoinSet::new();
    for link in 0..LINKS {
        let browser = Browser::knowing(proxy.port, HOST);
        browsers.spawn(async move { browser.sign_in(&format!("link-{link}")).await });
    }
    browsers
        .join_next()
        .await
        .expect("there are some")
        .expect("the first is signed in");
    // One of each goes in the middle of it; the other goes on.
    worker.kill().await;
    first.kill().await;
    while let Some(signed_in) = browsers.join_next().await {
        signed_in.expect("no sign-in is lost");
    }
    let settled = (
        "settled".to_owned(),
        Some("confirmed".to_owned()),
        i64::try_from(LINKS).expect("a small number"),
    );
    assert_eq!(database.endings().await, [settled]);
    assert!(
        database.sessions().await.is_empty(),
        "sessions are in Redis"
    );
}
