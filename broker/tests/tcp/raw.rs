//! A connection on which a test sends every byte itself.

use crate::TestBroker;
use serde_json::Value;
use std::{io, net::SocketAddr};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
};

/// The head of a valid handshake, without the empty line that ends it.
pub const HANDSHAKE: &str = "GET /app/the-key?protocol=7 HTTP/1.1\r\nHost: broker\r\nConnection: Upgrade\r\n\
                             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
/// The key of that handshake.
pub const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
/// First bytes of frames (RFC 6455, section 5.2).
pub const TEXT: u8 = 0x81;
pub const CLOSE: u8 = 0x88;
pub const PING: u8 = 0x89;
pub const PONG: u8 = 0x8a;

/// The mask of a client's frames.
const MASK: [u8; 4] = [1, 2, 3, 4];

pub struct RawConnection(pub TcpStream);

impl RawConnection {
    pub async fn connect(addr: SocketAddr) -> Self {
        Self(TcpStream::connect(addr).await.unwrap())
    }

    /// A socket that has been greeted.
    pub async fn greeted(broker: &TestBroker) -> Self {
        Self::connect(broker.public).await.upgraded().await
    }

    /// A greeted socket with room for few unread bytes.
    pub async fn narrow(broker: &TestBroker) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        Self(socket.connect(broker.public).await.unwrap())
            .upgraded()
            .await
    }

    async fn upgraded(mut self) -> Self {
        let head = self.ask(&format!("{HANDSHAKE}\r\n")).await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        assert_eq!(self.event().await["event"], "pusher:connection_established");
        self
    }

    /// Sends the head of a request, and returns the head of the response.
    pub async fn ask(&mut self, head: &str) -> String {
        self.0.write_all(head.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(self.0.read_u8().await.unwrap());
        }
        String::from_utf8(answer).unwrap()
    }

    /// Sends these bytes, unless the broker has closed the connection.
    pub async fn send(&mut self, bytes: &[u8]) {
        let _ = self.0.write_all(bytes).await;
    }

    /// The next frame's first byte and payload.
    pub async fn frame(&mut self) -> io::Result<(u8, Vec<u8>)> {
        let first = self.0.read_u8().await?;
        let length = match self.0.read_u8().await? {
            126 => u64::from(self.0.read_u16().await?),
            127 => self.0.read_u64().await?,
            length => u64::from(length),
        };
        let mut payload = vec![0; usize::try_from(length).unwrap()];
        self.0.read_exact(&mut payload).await?;
        Ok((first, payload))
    }

    /// The next frame, which is an event.
    pub async fn event(&mut self) -> Value {
        let (first, payload) = self.frame().await.unwrap();
        assert_eq!(first, TEXT);
        serde_json::from_slice(&payload).unwrap()
    }

    /// The code of the next close frame, and how many other frames came before it.
    pub async fn close_code(&mut self) -> (u16, usize) {
        let mut before = 0;
        loop {
            match self.frame().await.expect("the broker says why") {
                (CLOSE, payload) => return (u16::from_be_bytes([payload[0], payload[1]]), before),
                _ => before += 1,
            }
        }
    }
}

/// A client's frame: masked, and with the right length.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = header(first, payload.len());
    frame.extend(
        payload
            .iter()
            .zip(MASK.iter().cycle())
            .map(|(byte, mask)| byte ^ mask),
    );
    frame
}

/// The header of a client's frame that says its payload has this length.
pub fn header(first: u8, length: usize) -> Vec<u8> {
    let mut header = vec![first];
    match (u8::try_from(length), u16::try_from(length)) {
        (Ok(length @ ..=125), _) => header.push(0x80 | length),
        (_, Ok(length)) => {
            header.push(0xfe);
            header.extend(length.to_be_bytes());
        }
        _ => {
            header.push(0xff);
            header.extend((length as u64).to_be_bytes());
        }
    }
    header.extend(MASK);
    header
}
