//! Ten thousand browsers in one process: each keeps its connection as the page's island does, by
//! the same code.

use crate::{
    client::Client,
    percentile, service,
    waiting::{APP, BROWSERS},
};
use futures_util::{SinkExt as _, StreamExt as _, stream};
use pusher::PusherBuilder;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, VecDeque},
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    sync::Notify,
    time::{Instant, interval, sleep_until, timeout, timeout_at},
};
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{
        Message, client::IntoClientRequest as _, error::Error, http::HeaderValue,
        protocol::WebSocketConfig,
    },
};
use vestibule_app::island::{
    backoff::Moment,
    connection::{ConnectionEffect, PusherConnection},
    frames, json,
};

/// The address of the first of them: each has its own, as the last tenth of a broker's sockets is
/// for clients that have none yet.
const FIRST: Ipv4Addr = Ipv4Addr::new(127, 1, 0, 1);
/// How many of them are opening their sockets at once; after the restart they all come when they
/// like.
const ARRIVING: usize = 256;
/// Announcements to one browser each, and how often there is one.
const ANNOUNCEMENTS: usize = 500;
const ANNOUNCE_EVERY: Duration = Duration::from_millis(10);
/// No step takes longer.
const AT_MOST: Duration = Duration::from_mins(2);

/// Is all of the browsers of the server with these addresses.
pub async fn wait(arguments: &[String]) {
    let [server, broker] = arguments else {
        panic!("two addresses")
    };
    let server = server.parse().expect("an address");
    let browsers: Vec<Arc<Browser>> = stream::iter(0..BROWSERS)
        .map(|number| async move { Arc::new(Browser::land(server, number).await) })
        .buffered(64)
        .collect()
        .await;
    println!("ready");
    let (id, key, secret) = APP;
    let publisher = PusherBuilder::new(id, key, secret).host(broker).finalize();
    let announce = async |browsers: &[&Arc<Browser>]| {
        let channels: Vec<&str> = browsers
            .iter()
            .map(|browser| browser.channel.as_str())
            .collect();
        let outcome = json!({ "outcome": "unavailable" });
        publisher
            .trigger_multi(&channels, "outcome", &outcome)
            .await
            .expect("it is published");
    };
    let mut questions = service::questions();
    while let Some(question) = questions.recv().await {
        match question.as_str() {
            "connect" => {
                let start = Instant::now();
                let arrive = async |browser: &Arc<Browser>| {
                    tokio::spawn(browser.clone().live());
                    browser.subscribed.notified().await;
                };
                let all = stream::iter(&browsers)
                    .map(arrive)
                    .buffer_unordered(ARRIVING)
                    .collect::<Vec<()>>();
                timeout(AT_MOST, all).await.expect("all are subscribed");
                println!("{:.1}", start.elapsed().as_secs_f64());
            }
            "announce" => {
                let mut tick = interval(ANNOUNCE_EVERY);
                let chosen = browsers
                    .iter()
                    .step_by(browsers.len() / ANNOUNCEMENTS)
                    .collect::<Vec<_>>();
                for browser in &chosen {
                    tick.tick().await;
                    browser.seen().published = Some(Instant::now());
                    announce(&[browser]).await;
                }
                until(chosen.iter().copied(), |seen| seen.took.is_some()).await;
                let mut took: Vec<_> = chosen
                    .iter()
                    .filter_map(|browser| browser.seen().took)
                    .collect();
                took.sort_unstable();
                let [p50, p99] =
                    [0.5, 0.99].map(|share| percentile(&took, share).as_secs_f64() * 1000.0);
                println!("{p50:.1} {p99:.1}");
            }
            "forget" => {
                for browser in &browsers {
                    *browser.seen() = Seen::default();
                }
                println!("forgotten");
            }
            "connect again" => {
                until(&browsers, |seen| seen.subscribed.is_some()).await;
                println!("{}", spread(&browsers));
            }
            "reach" => {
                // The library takes ten at a time.
                for some in browsers.chunks(10) {
                    for browser in some {
                        *browser.seen() = Seen {
                            published: Some(Instant::now()),
                            ..Seen::default()
                        };
                    }
                    announce(&some.iter().collect::<Vec<_>>()).await;
                }
                until(&browsers, |seen| seen.took.is_some()).await;
                println!(
                    "{}",
                    browsers
                        .iter()
                        .filter(|browser| browser.seen().took.is_some())
                        .count()
                );
            }
            unknown => panic!("no browser knows how to {unknown}"),
        }
    }
}

/// When the last was back, how the times of the others lie, and how many at most asked within the
/// same 100 ms.
fn spread(browsers: &[Arc<Browser>]) -> String {
    let lost = browsers
        .iter()
        .filter_map(|browser| browser.seen().lost)
        .min()
        .expect("the server went away");
    let mut back: Vec<Duration> = browsers
        .iter()
        .filter_map(|browser| Some(browser.seen().subscribed? - lost))
        .collect();
    back.sort_unstable();
    let mut herds = BTreeMap::<u128, u32>::new();
    for asked in browsers.iter().filter_map(|browser| browser.seen().asked) {
        *herds
            .entry(asked.saturating_duration_since(lost).as_millis() / 100)
            .or_default() += 1;
    }
    let at = |share| format!("{:.1}", percentile(&back, share).as_secs_f64());
    format!(
        "{} {} {} {} {}",
        at(1.0),
        at(0.01),
        at(0.5),
        at(0.99),
        herds.into_values().max().unwrap_or(0)
    )
}

/// Waits until all have seen something; some may be stuck for ever.
async fn until<'a>(
    browsers: impl IntoIterator<Item = &'a Arc<Browser>>,
    has: impl Fn(&Seen) -> bool,
) {
    let mut waiting: Vec<_> = browsers.into_iter().collect();
    let mut tick = interval(Duration::from_millis(20));
    let all = async {
        while !waiting.is_empty() {
            tick.tick().await;
            waiting.retain(|browser| !has(&browser.seen()));
        }
    };
    let stuck = timeout(AT_MOST, all).await.is_err();
    assert!(!stuck, "{} are stuck", waiting.len());
}

/// A browser that has landed.
struct Browser {
    server: SocketAddr,
    source: IpAddr,
    token: String,
    cookies: String,
    channel: String,
    seen: Mutex<Seen>,
    /// Told whenever its subscription stands.
    subscribed: Notify,
}

/// What a browser has seen lately.
#[derive(Default)]
struct Seen {
    /// When it lost its socket.
    lost: Option<Instant>,
    /// When it last asked for one.
    asked: Option<Instant>,
    /// When its subscription stood.
    subscribed: Option<Instant>,
    /// When something for it was published.
    published: Option<Instant>,
    /// How long that took.
    took: Option<Duration>,
}

type Socket = WebSocketStream<TcpStream>;

impl Browser {
    /// Opens the page with a token of its own.
    async fn land(server: SocketAddr, number: u32) -> Self {
        let token = format!("waiting-{number}");
        let mut client = Client::connect(server).await;
        let cookies = client.get(&format!("/confirm/{token}")).await.cookies();
        let status = client
            .post("/api/status", &cookies, &format!("token={token}"))
            .await;
        let report: Value = serde_json::from_str(&status.body).expect("a report");
        let channel = report["channel"].as_str().expect("a channel").to_owned();
        let source = IpAddr::V4(Ipv4Addr::from(u32::from(FIRST) + number));
        Self {
            server,
            source,
            token,
            cookies,
            channel,
            seen: Mutex::default(),
            subscribed: Notify::new(),
        }
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().expect("nothing panics")
    }

    /// Does what the island's connection says, for ever, as the island's `page` does.
    async fn live(self: Arc<Self>) {
        let start = Instant::now();
        let moment = || Moment {
            now: millis(start.elapsed()),
            random: random(),
        };
        let mut connection = PusherConnection::default();
        let mut socket: Option<Socket> = None;
        let mut effects = VecDeque::from(connection.listen(Some(self.channel.clone()), moment()));
        loop {
            let due = start + Duration::from_millis(connection.next().min(millis(AT_MOST) * 10));
            let more = match effects.pop_front() {
                Some(ConnectionEffect::Open) => match timeout_at(due, self.open()).await {
                    Ok(Ok(opened)) => {
                        socket = Some(opened);
                        Vec::new()
                    }
                    Ok(Err(_)) => {
                        connection.closed(1006, moment());
                        Vec::new()
                    }
                    Err(_) => connection.due(moment()),
                },
                Some(ConnectionEffect::Close) => {
                    socket = None;
                    Vec::new()
                }
                Some(ConnectionEffect::Send(frame)) => {
                    if let Some(socket) = &mut socket {
                        // A socket that cannot take it says so when it is read.
                        let _ = socket.send(Message::text(frame)).await;
                    }
                    Vec::new()
                }
                Some(ConnectionEffect::Authorize { socket, channel }) => {
                    let body = frames::ask_signature(&socket, &channel, &self.token);
                    match timeout_at(due, self.post("/pusher/auth", &body)).await {
                        Ok(Ok(reply)) => {
                            let signature =
                                json::parse(&reply).and_then(|reply| frames::signature(&reply));
                            connection.signed(&socket, &channel, &signature.unwrap_or_default())
                        }
                        // That the subscription does not come about is noticed in time.
                        Ok(Err(_)) | Err(_) => Vec::new(),
                    }
                }
                Some(ConnectionEffect::Subscribed) => {
                    self.seen().subscribed = Some(Instant::now());
                    self.subscribed.notify_one();
                    // It asks for what it may have missed, and goes on listening meanwhile.
                    let this = self.clone();
                    tokio::spawn(async move {
                        this.post("/api/status", &format!("token={}", this.token))
                            .await
                    });
                    Vec::new()
                }
                Some(ConnectionEffect::Announced(_)) => {
                    let mut seen = self.seen();
                    seen.took = seen.published.map(|published| published.elapsed());
                    Vec::new()
                }
                None => tokio::select! {
                    message = next(&mut socket) => match message {
                        Some(Ok(Message::Text(text))) => connection.receive(&text, moment()),
                        Some(Ok(Message::Close(frame))) => {
                            self.seen().lost = Some(Instant::now());
                            if let Some(mut socket) = socket.take() {
                                // A browser tells once both sides have closed.
                                let closed = async { while let Some(Ok(_)) = socket.next().await {} };
                                let _ = timeout(Duration::from_secs(5), closed).await;
                            }
                            connection.closed(frame.map_or(1005, |frame| frame.code.into()), moment());
                            Vec::new()
                        }
                        Some(Ok(_)) => Vec::new(),
                        Some(Err(_)) | None => {
                            socket = None;
                            connection.closed(1006, moment());
                            Vec::new()
                        }
                    },
                    () = sleep_until(due) => connection.due(moment()),
                },
            };
            effects.extend(more);
        }
    }

    async fn open(&self) -> Result<Socket, Error> {
        self.seen().asked = Some(Instant::now());
        let mut request =
            format!("ws://{}/app/{}?protocol=7", self.server, APP.1).into_client_request()?;
        let origin = format!("http://{}", self.server);
        request
            .headers_mut()
            .insert("origin", HeaderValue::from_str(&origin)?);
        let config = WebSocketConfig::default()
            .read_buffer_size(1024)
            .write_buffer_size(0);
        Ok(
            client_async_with_config(request, self.connect().await?, Some(config))
                .await?
                .0,
        )
    }

    /// Posts a form on a connection of its own, as through a proxy; returns the answer.
    async fn post(&self, path: &str, body: &str) -> io::Result<String> {
        let server = self.server;
        let cookies = &self.cookies;
        let length = body.len();
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {server}\r\nConnection: close\r\nSec-Fetch-Site: same-origin\r\n\
             Cookie: {cookies}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        let mut stream = self.connect().await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer
            .split_once("\r\n\r\n")
            .map(|(_, body)| body.to_owned())
            .unwrap_or_default())
    }

    async fn connect(&self) -> io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(self.source, 0))?;
        let stream = socket.connect(self.server).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

async fn next(socket: &mut Option<Socket>) -> Option<Result<Message, Error>> {
    match socket {
        Some(socket) => socket.next().await,
        None => std::future::pending().await,
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// From 0 (inclusive) to 1 (exclusive).
fn random() -> f64 {
    f64::from(getrandom::u32().expect("the system has randomness")) / (f64::from(u32::MAX) + 1.0)
}
