//! The smallest client that keeps a connection: it must not cost more than the server it measures.

use crate::{CONNECTIONS, MEASURE};
use std::{
    future::Future,
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::Instant,
};

/// One connection.
pub struct Client {
    stream: TcpStream,
    /// The `Host` of each request, and more lines of its head.
    host: String,
    headers: String,
    buffer: Vec<u8>,
}

/// An answer's head and body.
pub struct Answer {
    /// Status line and headers.
    pub head: String,
    /// The body.
    pub body: String,
}

impl Answer {
    /// The cookies that were set, as a `Cookie` header takes them.
    pub fn cookies(&self) -> String {
        values(&self.head, "set-cookie")
            .filter_map(|cookie| cookie.split(';').next())
            .collect::<Vec<_>>()
            .join("; ")
    }
}

/// The values of a header, whose name servers may write with capitals.
fn values<'a>(head: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

impl Client {
    pub async fn connect(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect(addr).await.expect("the server listens");
        stream.set_nodelay(true).expect("a socket can");
        Self {
            stream,
            host: addr.to_string(),
            headers: String::new(),
            buffer: Vec::with_capacity(16 * 1024),
        }
    }

    /// Comes from the address with this number and asks for this host from now on, as a trusted
    /// proxy tells.
    pub fn come_from(&mut self, number: u32, host: &str) {
        let address = Ipv4Addr::from(0x0a00_0000 | number);
        host.clone_into(&mut self.host);
        self.headers = format!("X-Forwarded-For: {address}\r\n");
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(&format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nSec-Fetch-Site: none\r\n{}\r\n",
            self.host, self.headers
        ))
        .await
    }

    /// The same, as the browser with these cookies.
    pub async fn get_as(&mut self, path: &str, cookies: &str) -> Answer {
        self.send(&format!(
            "GET {path} HTTP/1.1\r\nHost: {}\r\nCookie: {cookies}\r\n\r\n",
            self.host
        ))
        .await
    }

    /// The port on this side.
    pub fn port(&self) -> usize {
        self.stream
            .local_addr()
            .map_or(0, |addr| addr.port().into())
    }

    pub async fn post(&mut self, path: &str, cookies: &str, body: &str) -> Answer {
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nSec-Fetch-Site: same-origin\r\nCookie: {cookies}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n{}\r\n{body}",
            self.host,
            body.len(),
            self.headers
        );
        self.send(&request).await
    }

    /// A call of a program, with these lines in its head.
    pub async fn call(&mut self, path: &str, head: &str, body: &str) -> Answer {
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Length: {}\r\n{head}\r\n{body}",
            self.host,
            body.len()
        );
        self.send(&request).await
    }

    async fn send(&mut self, request: &str) -> Answer {
        self.stream
            .write_all(request.as_bytes())
            .await
            .expect("the server reads");
        self.buffer.clear();
        let head_end = loop {
            self.read().await;
            if let Some(end) = self
                .buffer
                .windows(4)
                .position(|window| window == b"\r\n\r\n")
            {
                break end + 4;
            }
        };
        let head = String::from_utf8_lossy(&self.buffer[..head_end]).into_owned();
        let length = values(&head, "content-length").next();
        // An answer without a body says none (RFC 9110, section 8.6).
        let length = match length {
            None if head.starts_with("HTTP/1.1 204") => 0,
            length => length
                .and_then(|length| length.parse().ok())
                .expect("every answer has its length"),
        };
        while self.buffer.len() < head_end + length {
            self.read().await;
        }
        Answer {
            head,
            body: String::from_utf8_lossy(&self.buffer[head_end..]).into_owned(),
        }
    }

    async fn read(&mut self) {
        let read = self
            .stream
            .read_buf(&mut self.buffer)
            .await
            .expect("the server writes");
        assert!(read > 0, "the server has closed the connection");
    }
}

/// Lets every connection do `once` again and again for [`MEASURE`]; the time of each, sorted.
pub async fn all<F, O>(addr: SocketAddr, once: F) -> Vec<Duration>
where
    F: Fn(Client) -> O + Clone + Send + 'static,
    O: Future<Output = Client> + Send,
{
    all_for(MEASURE, addr, once).await
}

/// The same for another time.
pub async fn all_for<F, O>(time: Duration, addr: SocketAddr, once: F) -> Vec<Duration>
where
    F: Fn(Client) -> O + Clone + Send + 'static,
    O: Future<Output = Client> + Send,
{
    let end = Instant::now() + time;
    let connections = (0..CONNECTIONS).map(|_| {
        let once = once.clone();
        tokio::spawn(async move {
            let mut client = Client::connect(addr).await;
            let mut times = Vec::new();
            while Instant::now() < end {
                let start = Instant::now();
                client = once(client).await;
                times.push(start.elapsed());
            }
            times
        })
    });
    let mut times = Vec::new();
    for connection in connections.collect::<Vec<_>>() {
        times.extend(connection.await.expect("no connection panics"));
    }
    times.sort_unstable();
    times
}

/// How many a second.
pub fn rate(times: &[Duration]) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "some thousands")]
    let count = times.len() as f64;
    count / MEASURE.as_secs_f64()
}
