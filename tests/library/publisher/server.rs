//! A server on loopback that gives every request the same answer, byte for byte, with TLS or
//! without.

use std::sync::Arc;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpListener,
    sync::mpsc,
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig};

/// A server.
pub struct Server {
    pub port: u16,
    requests: mpsc::UnboundedReceiver<String>,
}

impl Server {
    /// Gives this answer.
    pub async fn that_says(answer: impl Into<Vec<u8>>) -> Self {
        Self::start(answer.into(), None).await
    }

    /// Answers that all is well, and speaks TLS.
    pub async fn with_tls(config: ServerConfig) -> Self {
        Self::start(
            answer("200 OK", "{}"),
            Some(TlsAcceptor::from(Arc::new(config))),
        )
        .await
    }

    async fn start(answer: Vec<u8>, tls: Option<TlsAcceptor>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (ask, requests) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let answer = answer.clone();
                let tls = tls.clone();
                let ask = ask.clone();
                tokio::spawn(async move {
                    match tls {
                        None => converse(stream, &answer, &ask).await,
                        Some(tls) => {
                            let Ok(stream) = tls.accept(stream).await else {
                                return;
                            };
                            let spoken = stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
                            assert_eq!(
                                spoken.as_deref(),
                                Some(&b"http/1.1"[..]),
                                "nothing else may be offered"
                            );
                            converse(stream, &answer, &ask).await;
                        }
                    }
                });
            }
        });
        Self { port, requests }
    }

    pub fn host(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The requests so far.
    pub fn requests(&mut self) -> Vec<String> {
        std::iter::from_fn(|| self.requests.try_recv().ok()).collect()
    }
}

/// An answer with a status line's code and text, and a body.
pub fn answer(status: &str, body: &str) -> Vec<u8> {
    format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

async fn converse(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    answer: &[u8],
    ask: &mpsc::UnboundedSender<String>,
) {
    let mut text = String::new();
    loop {
        let mut bytes = [0; 4096];
        match stream.read(&mut bytes).await {
            Ok(0) | Err(_) => return,
            Ok(read) => text.push_str(&String::from_utf8_lossy(&bytes[..read])),
        }
        // Every announcement is an object; what is no request is answered as soon as it is seen.
        let request = text.starts_with("POST ");
        if !request || text.ends_with('}') {
            if request {
                let _ = ask.send(text.clone());
            }
            text.clear();
            if stream.write_all(answer).await.is_err() {
                return;
            }
        }
    }
}
