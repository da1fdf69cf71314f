//! One address opens thousands of connections and reads nothing of the answers: other people do not
//! wait because of that.

use crate::support::{Browser, Database, Process, Validator, free_port, size, until};
use futures_util::{StreamExt as _, stream};
use std::{
    env, fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio::{
    io::{AsyncWriteExt as _, Interest},
    net::{TcpSocket, TcpStream},
    task::JoinSet,
    time::{Instant, sleep},
};
use vestibule_server::file_limit;

/// How many connections the address has, or tries to have, unless `VESTIBULE_SLOW=12000` says more.
const SLOW: usize = 600;
/// How many a client may have where it may have a hundred undecided sign-ins.
const SHARE: usize = 400;
/// How often one that was closed is opened again.
const AGAIN: Duration = Duration::from_secs(10);
/// How many pages others open, a few at a time.
const PAGES: usize = 200;
const AT_ONCE: usize = 4;
/// Bytes of the file that is asked for: more than the system takes for a peer that reads nothing.
const LARGE: usize = 8 * 1024 * 1024;
/// The most memory that the server may take.
const MEMORY: usize = 300 * 1024 * 1024;

/// The hostile address.
const ADDRESS: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// What has become of the address' connections.
#[derive(Default)]
struct Seen {
    held: AtomicUsize,
    refused: AtomicUsize,
}

/// Asks for the file, and returns once there is something of an answer, of which nothing is read.
async fn ask(port: u16) -> Option<TcpStream> {
    let socket = TcpSocket::new_v4().ok()?;
    socket.set_recv_buffer_size(4096).ok()?;
    socket.bind((IpAddr::from(ADDRESS), 0).into()).ok()?;
    let mut stream = socket
        .connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
        .await
        .ok()?;
    let request = format!("GET /pkg/vestibule.wasm HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.ok()?;
    (stream.peek(&mut [0]).await.ok()? > 0).then_some(stream)
}

/// One of the connections, opened again whenever it was closed.
async fn be_slow(port: u16, seen: Arc<Seen>) {
    loop {
        if let Some(stream) = ask(port).await {
            seen.held.fetch_add(1, Ordering::SeqCst);
            let _ = stream.ready(Interest::ERROR).await;
            seen.held.fetch_sub(1, Ordering::SeqCst);
        } else {
            seen.refused.fetch_add(1, Ordering::SeqCst);
            sleep(AGAIN).await;
        }
    }
}

/// How long others wait for a page, the slowest of a hundred.
async fn others(port: u16) -> Duration {
    let open = |number: usize| async move {
        let browser = Browser::impatient(port).from(Ipv4Addr::new(127, 0, 0, 3));
        let start = Instant::now();
        browser.open(&format!("slow-{number}")).await;
        start.elapsed()
    };
    let mut took: Vec<_> = stream::iter(0..PAGES)
        .map(open)
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    took.sort_unstable();
    took[PAGES * 99 / 100]
}

#[tokio::test]
async fn no_one_waits_because_of_an_address_that_reads_nothing() {
    let slow = size("VESTIBULE_SLOW", SLOW);
    let files = file_limit::raise();
    assert!(
        files > u64::try_from(slow).unwrap_or(u64::MAX) + 512,
        "too few files may be open for so many connections"
    );
    let site = TempDir::new().expect("a temporary folder");
    fs::create_dir(site.path().join("pkg")).expect("it can be written");
    fs::write(site.path().join("pkg/vestibule.wasm"), vec![7; LARGE]).expect("it can be written");
    let root = site.path().display().to_string();
    let port = free_port();
    let validator = Validator::absent();
    let settings = [
        ("CONFIRM_PER_CLIENT", "100"),
        ("LEPTOS_SITE_ROOT", root.as_str()),
    ];
    let server = Process::serving(port, &Database::sqlite(), &validator, &settings).await;
    let calm = others(port).await;

    let seen = Arc::new(Seen::default());
    let mut connections = JoinSet::new();
    for _ in 0..slow {
        connections.spawn(be_slow(port, seen.clone()));
    }
    until("the address to have its share, and no more", || async {
        let [held, refused] = [&seen.held, &seen.refused].map(|count| count.load(Ordering::SeqCst));
        (held + refused >= slow && refused > 0).then_some(())
    })
    .await;
    let beside = others(port).await;
    let held = seen.held.load(Ordering::SeqCst);
    assert!(held <= SHARE, "it holds {held}");
    let memory = server.memory();
    let open = server.open_files();
    println!(
        "figure: {slow} slow readers from one address hold {held} connections: other people's pages at p99 {:.1} ms, calm {:.1} ms; \
         {} MiB of memory, {open} files open",
        beside.as_secs_f64() * 1000.0,
        calm.as_secs_f64() * 1000.0,
        memory / 1024 / 1024
    );
    assert!(memory < MEMORY, "{memory} bytes");
    assert_eq!(
        server.said("could not be accepted"),
        0,
        "files have run out"
    );
    // Times count only where they were asked for: on a busy machine everyone waits.
    assert!(
        env::var("VESTIBULE_SLOW").is_err() || beside < 2 * calm,
        "{beside:?}, {calm:?} in calm"
    );
    server.kill().await;
}
