//! Which Pusher server browsers are told of, and what `vestibule doctor` says of a server that
//! runs.

mod support;

use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use std::{
    fmt::Write as _,
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::Command,
    sync::mpsc,
    thread,
    time::Duration,
};
use support::{Server, has_status};
use tempfile::TempDir;

const APP: [(&str, &str); 3] = [
    ("PUSHER_APP_ID", "4711"),
    ("PUSHER_KEY", "the-key"),
    ("PUSHER_SECRET", "the-secret-of-the-app"),
];

/// Beside settings of a server in use, it is said.
const PRACTICE: (&str, &str) = ("PRACTICE", "on");

/// A server with these settings besides the app's, and its confirm page.
fn page(settings: &[(&str, &str)]) -> (Server, String) {
    let server = Server::start(&[&APP, settings].concat());
    let page = server.get("/confirm/valid-1", &[]);
    assert!(has_status(&page, 200), "{page}");
    (server, page)
}

fn policy(page: &str) -> &str {
    page.lines()
        .find(|line| line.starts_with("content-security-policy: "))
        .unwrap()
}

/// The cookies that a page sets, as a line of a request.
fn cookies(page: &str) -> String {
    let set = page
        .lines()
        .filter_map(|line| line.strip_prefix("set-cookie: ")?.split(';').next());
    format!("Cookie: {}", set.collect::<Vec<_>>().join("; "))
}

#[test]
fn a_page_may_connect_only_to_the_pusher_server() {
    let own = [
        ("PUSHER_HOST", "soketi.internal"),
        ("PUSHER_PORT", "6001"),
        ("PUSHER_SCHEME", "http"),
        ("PUSHER_PUBLIC_HOST", "push.example"),
        ("PUSHER_PUBLIC_SCHEME", "https"),
        ("PUSHER_PUBLIC_PATH", "/ws"),
    ];
    for (settings, origin, address) in [
        (
            &own[..],
            "wss://push.example:443",
            "wss://push.example:443/ws",
        ),
        (
            &[("PUSHER_CLUSTER", "eu")],
            "wss://ws-eu.pusher.com:443",
            "wss://ws-eu.pusher.com:443",
        ),
    ] {
        let (_, page) = page(&[&[PRACTICE], settings].concat());
        assert!(
            policy(&page).contains(&format!("connect-src 'self' {origin};")),
            "{}",
            policy(&page)
        );
        assert!(
            page.contains(&format!(" the-key auto 5   {address}")),
            "the island is told where it connects"
        );
        assert!(
            !page.contains("the-secret") && !page.contains("4711") && !page.contains("soketi"),
            "{page}"
        );
    }
}

#[test]
fn with_the_embedded_broker_a_page_connects_to_its_own_server() {
    let (_, page) = page(&[]);
    assert!(
        policy(&page).contains("connect-src 'self';"),
        "{}",
        policy(&page)
    );
    assert!(!page.contains("the-secret"));
}

#[test]
fn a_subscription_is_signed_for_the_configured_app() {
    let (server, page) = page(&[PRACTICE, ("PUSHER_CLUSTER", "eu")]);
    let cookies = cookies(&page);
    let channel = page
        .split(' ')
        .find(|word| word.starts_with("private-confirm-"))
        .unwrap();
    let form = format!("socket_id=12.34&channel_name={channel}&token=valid-1");
    let signed = server.post("/pusher/auth", &[&cookies], &form);
    let mac = Hmac::<Sha256>::new_from_slice(b"the-secret-of-the-app").unwrap();
    let mac = mac
        .chain_update(format!("12.34:{channel}"))
        .finalize()
        .into_bytes();
    let signature = mac.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    assert!(
        signed.contains(&format!(r#"{{"auth":"the-key:{signature}"}}"#)),
        "{signed}"
    );
}

#[test]
fn the_embedded_broker_of_a_server_that_runs_is_tried_from_outside() {
    let secret = (
        "VESTIBULE_SECRET",
        "Y1ZtJ0vW8n3qkRu5xTgB2yLhPzXo7mEaQ9dKfCs4wUI=",
    );
    let server = Server::start(&[secret, PRACTICE]);
    let doctor = |settings: &[(&str, &str)]| {
        let addr = server.addr.to_string();
        let data = TempDir::new().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_vestibule"));
        command
            .arg("doctor")
            .env_clear()
            .env("VESTIBULE_DATA", data.path())
            .env("LEPTOS_SITE_ADDR", addr);
        let output = command.envs(settings.iter().copied()).output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        (
            output.status.code(),
            said.lines().skip(4).map(str::to_owned).collect::<Vec<_>>(),
        )
    };
    let (code, lines) = doctor(&[secret, PRACTICE]);
    assert_eq!(
        (code, &lines[..3]),
        (
            Some(0),
            &["socket: ok", "key: ok", "secret: ok"].map(str::to_owned)[..]
        )
    );
    assert!(lines[3].starts_with("publish: not checked, "), "{lines:#?}");

    let (code, lines) = doctor(&[]);
    assert_eq!(code, Some(1), "its key follows from another secret");
    assert!(
        lines[1].starts_with("key: FAILED, ") && lines[1].contains("VESTIBULE_SECRET"),
        "{lines:#?}"
    );
}

/// A service of JSON on a free port, which waits for one request at a time.
struct Service(TcpListener, String);

impl Service {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        Self(listener, port)
    }

    /// The next request, which must come soon, and where its answer goes.
    fn asked(&self) -> (TcpStream, String) {
        let (listener, (tell, told)) = (self.0.try_clone().unwrap(), mpsc::channel());
        thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = String::new();
            while !request.ends_with('}') {
                let mut bytes = [0; 4096];
                let read = stream.read(&mut bytes).unwrap();
                assert_ne!(read, 0, "{request}");
                request.push_str(&String::from_utf8_lossy(&bytes[..read]));
            }
            let _ = tell.send((stream, request));
        });
        told.recv_timeout(Duration::from_secs(30))
            .expect("a request")
    }
}

fn answer(mut stream: TcpStream, status: &str, body: &str) {
    let head = format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + body).as_bytes()).unwrap();
}

#[test]
fn what_is_decided_during_a_shutdown_is_announced_before_its_end() {
    let validator = Service::start();
    let pusher = Service::start();
    let validator_url = format!("http://127.0.0.1:{}/", validator.1);
    let (mut server, page) = page(&[
        ("VALIDATOR_URL", &validator_url),
        (
            "VESTIBULE_SECRET",
            "Y1ZtJ0vW8n3qkRu5xTgB2yLhPzXo7mEaQ9dKfCs4wUI=",
        ),
        ("PUSHER_HOST", "127.0.0.1"),
        ("PUSHER_PORT", &pusher.1),
        ("PUSHER_SCHEME", "http"),
    ]);
    let cookies = cookies(&page);
    let channel = page
        .split(' ')
        .find(|word| word.starts_with("private-confirm-"))
        .unwrap();
    let begun = server.post("/confirm/valid-1", &[&cookies], "");
    assert!(has_status(&begun, 303), "{begun}");

    let (question, _) = validator.asked();
    let told = Command::new("kill")
        .args(["-TERM", &server.child.id().to_string()])
        .status()
        .unwrap();
    assert!(told.success());
    answer(
        question,
        "200 OK",
        r#"{"verdict":"invalid","reason":"used"}"#,
    );
    // It is tried again: the process is still there for it.
    answer(pusher.asked().0, "503 Service Unavailable", "");
    let (announcement, request) = pusher.asked();
    assert!(
        request.starts_with("POST /apps/4711/events?auth_key=the-key&"),
        "{request}"
    );
    assert!(
        request.contains(&format!(r#""name":"outcome","channels":["{channel}"]"#)),
        "{request}"
    );
    answer(announcement, "200 OK", "{}");
    assert!(server.child.wait().unwrap().success());
}
