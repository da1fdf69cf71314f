//! The smallest client that can ask a server on loopback.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

/// How long an answer may take: the server may be ending.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// An answer's head and body.
pub struct HttpAnswer {
    head: String,
    body: Vec<u8>,
}

impl HttpAnswer {
    /// The values of a header, whose name is given in lower case.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter_map(move |(key, value)| key.eq_ignore_ascii_case(name).then_some(value))
    }

    /// Whether `text` is in the body.
    pub fn has(&self, text: &str) -> bool {
        let text = text.as_bytes();
        self.body.windows(text.len()).any(|window| window == text)
    }
}

/// Asks for `path` with these lines in the head. `None`: nothing answers.
pub fn get(port: u16, path: &str, lines: &[(&str, &str)]) -> Option<HttpAnswer> {
    send(port, "GET", path, lines, "")
}

/// Sends a form from a page of the server's own.
pub fn submit(port: u16, path: &str, form: &str) -> Option<HttpAnswer> {
    let lines = [
        ("Sec-Fetch-Site", "same-origin"),
        ("Content-Type", "application/x-www-form-urlencoded"),
    ];
    send(port, "POST", path, &lines, form)
}

fn send(
    port: u16,
    method: &str,
    path: &str,
    lines: &[(&str, &str)],
    body: &str,
) -> Option<HttpAnswer> {
    let mut request = format!("{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n");
    for (name, value) in lines {
        let _ = write!(request, "{name}: {value}\r\n");
    }
    let length = body.len();
    let _ = write!(
        request,
        "Connection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
    stream.set_read_timeout(Some(ANSWERS_WITHIN)).ok()?;
    stream.write_all(request.as_bytes()).ok()?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).ok()?;
    // A port that no one listens at can connect to itself, and then says what it is told.
    if !bytes.starts_with(b"HTTP/") {
        return None;
    }
    let head_end = bytes.windows(4).position(|end| end == b"\r\n\r\n")?;
    Some(HttpAnswer {
        head: String::from_utf8_lossy(&bytes[..head_end]).into_owned(),
        body: bytes.split_off(head_end + 4),
    })
}
