//! A service on loopback that gives one answer, byte for byte.

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// A service that answers the one request it gets.
pub struct Service {
    pub address: String,
    request: JoinHandle<String>,
}

impl Service {
    /// Answers with `response`, or with `None` breaks the connection off.
    pub async fn that_says(response: Option<Vec<u8>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}/validate", listener.local_addr().unwrap());
        let request = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.unwrap();
            let request = read(&mut socket).await;
            if let Some(response) = response {
                // A client that has read enough closes, and writing on to it fails.
                let _ = socket.write_all(&response).await;
            }
            request
        });
        Self { address, request }
    }

    /// Answers with a status line's code and text, more header lines, and a body.
    pub async fn that_answers(status: &str, headers: &str, body: &str) -> Self {
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n",
            body.len()
        );
        Self::that_says(Some((head + body).into_bytes())).await
    }

    /// What it was asked, head and body.
    pub async fn request(self) -> String {
        self.request.await.unwrap()
    }
}

/// Reads a request: a head, and a body as long as that says.
async fn read(socket: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| {
                line.to_lowercase()
                    .strip_prefix("content-length:")?
                    .trim()
                    .parse()
                    .ok()
            });
            if body.len() >= length.unwrap_or(0) {
                return text;
            }
        }
        let mut more = [0; 4096];
        let read = socket.read(&mut more).await.unwrap();
        assert_ne!(read, 0, "the request ends early");
        bytes.extend_from_slice(&more[..read]);
    }
}
