use super::{memory::MemoryStream, *};
use axum::{
    body::Bytes,
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::get,
};
use std::sync::Arc;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex},
    time::Instant,
};

/// Bytes that a connection takes before its writer has to wait.
const IN_FLIGHT: usize = 16 * 1024;

const PEER: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);

/// A client of these routes, on a connection in memory.
async fn connect(routes: Router) -> DuplexStream {
    let (ours, theirs) = duplex(IN_FLIGHT);
    let places = ConnectionLimits::default();
    let place = places
        .take(places.room().await.unwrap(), PEER.ip())
        .unwrap();
    let stream = MemoryStream {
        stream: theirs,
        reset: Arc::default(),
    };
    tokio::spawn(converse(
        stream,
        PEER,
        place,
        routes,
        CancellationToken::new(),
    ));
    ours
}

async fn echo_upgraded(mut request: Request) -> Response {
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let mut stream = TokioIo::new(upgrade.await.unwrap());
        let mut byte = [0];
        while stream.read_exact(&mut byte).await.is_ok() && stream.write_all(&byte).await.is_ok() {}
    });
    (
        StatusCode::SWITCHING_PROTOCOLS,
        [("connection", "upgrade"), ("upgrade", "echo")],
    )
        .into_response()
}

fn routes() -> Router {
    let large = Bytes::from(vec![b'x'; 1024 * 1024]);
    let large = get(move || async move { large });
    Router::new()
        .route("/", get(async || "hello"))
        .route("/large", large)
        .route("/echo", get(echo_upgraded))
}

/// Reads the head of an answer.
async fn head(client: &mut DuplexStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_nothing_of_an_answer_is_cut_off_after_ten_seconds() {
    let mut client = connect(routes()).await;
    let start = Instant::now();
    client
        .write_all(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    // Fails once the other side is gone.
    while client.write_all(b"x").await.is_ok() {
        sleep(Duration::from_secs(1)).await;
    }
    assert!(
        (10..=12).contains(&start.elapsed().as_secs()),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_large_answer_reaches_a_client_that_reads_it() {
    let mut client = connect(routes()).await;
    client
        .write_all(b"GET /large HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let mut answer = Vec::new();
    client.read_to_end(&mut answer).await.unwrap();
    assert!(answer.len() > 1024 * 1024);
}

#[tokio::test(start_paused = true)]
async fn a_connection_lasts_five_minutes_however_many_requests_it_brings() {
    let mut client = connect(routes()).await;
    let start = Instant::now();
    let mut answers = 0;
    while client
        .write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .is_ok()
        && client.read_u8().await.is_ok()
    {
        head(&mut client).await;
        client.read_exact(&mut [0; 5]).await.unwrap();
        answers += 1;
        sleep(Duration::from_secs(7)).await;
    }
    assert_eq!(answers, 43, "one each 7 s");
    assert!(
        (300..=308).contains(&start.elapsed().as_secs()),
        "{:?}",
        start.elapsed()
    );
}

#[tokio::test(start_paused = true)]
async fn a_client_that_reads_a_little_now_and_then_is_cut_off_in_the_end() {
    let mut client = connect(routes()).await;
    let start = Instant::now();
    client
        .write_all(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        .await
        .unwrap();
    while client.read_u8().await.is_ok() {
        sleep(Duration::from_secs(8)).await;
        if start.elapsed() > Duration::from_mins(6) {
            // What was sent before is still there to be read; nothing can be sent any more.
            assert!(client.write_all(b"x").await.is_err());
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_socket_lasts_longer_than_a_connection() {
    let mut client = connect(routes()).await;
    client
        .write_all(b"GET /echo HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n")
        .await
        .unwrap();
    assert!(head(&mut client).await.starts_with("HTTP/1.1 101 "));
    sleep(Duration::from_hours(1)).await;
    client.write_all(b"x").await.unwrap();
    assert_eq!(client.read_u8().await.unwrap(), b'x');
}

#[tokio::test(start_paused = true)]
async fn a_head_that_is_too_long_is_answered_however_much_of_it_there_is() {
    let cookies = "Cookie: a=b\r\n".repeat(101);
    for (head, status) in [
        (
            format!(
                "GET / HTTP/1.1\r\nHost: a\r\nCookie: {}\r\n\r\n",
                "x".repeat(50_000)
            ),
            200,
        ),
        (
            format!(
                "GET / HTTP/1.1\r\nHost: a\r\nCookie: {}\r\n\r\n",
                "x".repeat(66_000)
            ),
            431,
        ),
        (
            format!(
                "GET / HTTP/1.1\r\nHost: a\r\nCookie: {}\r\n\r\n",
                "x".repeat(400_000)
            ),
            431,
        ),
        (format!("GET / HTTP/1.1\r\nHost: a\r\n{cookies}\r\n"), 431),
    ] {
        let (mut reading, mut writing) = tokio::io::split(connect(routes()).await);
        let write = async {
            writing
                .write_all(head.as_bytes())
                .await
                .expect("it is heard out");
        };
        let mut answer = Vec::new();
        let read =
            async { timeout(Duration::from_secs(1), reading.read_to_end(&mut answer)).await };
        let ((), _) = tokio::join!(write, read);
        let answer = String::from_utf8(answer).unwrap();
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{} bytes: {answer}",
            head.len()
        );
    }
}
