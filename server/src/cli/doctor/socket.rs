//! A socket to a Pusher server, opened as a page would, to find out why it does not work.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::timeout;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest as _, http::HeaderValue},
};
use vestibule::publisher::{ConnectError, Connector, PusherStream, Trust};

/// How long anything may take.
const WITHIN: Duration = Duration::from_secs(5);

/// A socket to a Pusher server.
pub struct TestSocket(WebSocketStream<PusherStream>);

/// Why there is no socket.
#[derive(Debug)]
pub enum SocketError {
    /// There is no connection.
    Unreachable(ConnectError),
    /// The server answers with this status.
    Status(u16),
    /// The server speaks another protocol.
    Garbage,
    /// The server does not answer.
    Silent,
}

/// What came next.
#[derive(Debug, PartialEq, Eq)]
pub enum SocketMessage {
    /// The greeting, with the socket's id.
    Greeting(String),
    /// A subscription was taken.
    Subscribed,
    /// Something was refused, perhaps with a code, and with what the server says about it.
    Refused(Option<u16>, String),
    /// An event on a channel.
    Event(String),
    /// Nothing, within the time limit.
    Silence,
}

impl TestSocket {
    /// Opens a socket at `address`, for the app with this key, as a page of `origin` would.
    pub async fn open(
        address: &str,
        key: &str,
        origin: &str,
        trust: Option<Trust>,
    ) -> Result<Self, SocketError> {
        let opening = async {
            let wire = Connector::new(trust)
                .open(address)
                .await
                .map_err(SocketError::Unreachable)?;
            let version = env!("CARGO_PKG_VERSION");
            let address =
                format!("{address}/app/{key}?protocol=7&client=vestibule-doctor&version={version}");
            let mut request = address
                .into_client_request()
                .map_err(|_| SocketError::Garbage)?;
            if let Ok(origin) = HeaderValue::from_str(origin) {
                request.headers_mut().insert("origin", origin);
            }
            match client_async(request, wire).await {
                Ok((socket, _)) => Ok(Self(socket)),
                Err(Error::Http(answer)) => Err(SocketError::Status(answer.status().as_u16())),
                Err(_) => Err(SocketError::Garbage),
            }
        };
        timeout(WITHIN, opening)
            .await
            .unwrap_or(Err(SocketError::Silent))
    }

    /// Asks for the events of a channel.
    pub async fn subscribe(&mut self, channel: &str, auth: &str) {
        let message =
            json!({ "event": "pusher:subscribe", "data": { "channel": channel, "auth": auth } });
        // A socket that has gone says so when it is read.
        let _ = self.0.send(Message::text(message.to_string())).await;
    }

    /// What comes next.
    pub async fn hear(&mut self) -> SocketMessage {
        let hearing = async {
            loop {
                match self.0.next().await {
                    Some(Ok(Message::Text(text))) => {
                        if let Some(heard) = serde_json::from_str(&text)
                            .ok()
                            .and_then(|frame| read(&frame))
                        {
                            return heard;
                        }
                    }
                    Some(Ok(Message::Close(Some(frame)))) => {
                        return SocketMessage::Refused(
                            Some(frame.code.into()),
                            frame.reason.to_string(),
                        );
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => {
                        return SocketMessage::Refused(None, "it hung up".into());
                    }
                }
            }
        };
        timeout(WITHIN, hearing)
            .await
            .unwrap_or(SocketMessage::Silence)
    }
}

/// An event's data is an object or, as the protocol has it, a string with one in it.
fn data(frame: &Value) -> Value {
    match &frame["data"] {
        Value::String(text) => serde_json::from_str(text).unwrap_or_default(),
        data => data.clone(),
    }
}

fn read(frame: &Value) -> Option<SocketMessage> {
    let data = data(frame);
    match frame["event"].as_str()? {
        "pusher:connection_established" => Some(SocketMessage::Greeting(
            data["socket_id"].as_str()?.to_owned(),
        )),
        "pusher_internal:subscription_succeeded" => Some(SocketMessage::Subscribed),
        "pusher:error" | "pusher:subscription_error" => {
            let said = data["message"]
                .as_str()
                .or(data["error"].as_str())
                .unwrap_or_default();
            let code = data["code"]
                .as_u64()
                .and_then(|code| u16::try_from(code).ok());
            Some(SocketMessage::Refused(code, said.to_owned()))
        }
        event if !event.starts_with("pusher") => {
            Some(SocketMessage::Event(frame["channel"].as_str()?.to_owned()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_frame_of_the_protocol_is_understood() {
        let heard = |text: &str| read(&serde_json::from_str(text).unwrap());
        let greeting =
            r#"{"event":"pusher:connection_established","data":"{\"socket_id\":\"1.2\"}"}"#;
        assert_eq!(heard(greeting), Some(SocketMessage::Greeting("1.2".into())));
        let error = r#"{"event":"pusher:error","data":{"code":4001,"message":"no such app"}}"#;
        assert_eq!(
            heard(error),
            Some(SocketMessage::Refused(Some(4001), "no such app".into()))
        );
        let refused = r#"{"event":"pusher:subscription_error","channel":"c","data":"{\"error\":\"no\",\"status\":401}"}"#;
        assert_eq!(
            heard(refused),
            Some(SocketMessage::Refused(None, "no".into()))
        );
        let event = r#"{"event":"outcome","channel":"c","data":"{}"}"#;
        assert_eq!(heard(event), Some(SocketMessage::Event("c".into())));
        assert_eq!(heard(r#"{"event":"pusher:ping","data":{}}"#), None);
    }
}
