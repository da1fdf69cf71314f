//! The life of one socket: greeting, messages in, events out, and a close frame that says why.

mod rate;
mod timeouts;

use crate::{
    auth,
    config::{BrokerConfig, Limits},
    protocol::{
        ChannelName, ChannelNameError, ClientMessage, CloseReason, MalformedMessage, SocketId,
        SubscribeData,
        server_event::{self, SubscriptionError},
    },
    registry::{SocketRegistration, SocketStatus, TooManySubscriptions},
};
use axum::extract::ws::{Message, Utf8Bytes, WebSocket};
use futures_channel::mpsc::Receiver;
use futures_util::StreamExt as _;
use rate::MessageRate;
use std::{convert::Infallible, sync::Arc};
use timeouts::{TimeoutKind, Timeouts};
use tokio::time::{Instant, sleep_until, timeout};
use tungstenite::{Error, error::ProtocolError};

/// Messages that are still read while a socket is being closed. A client that keeps flooding is cut
/// off.
const MAX_READ_WHILE_CLOSING: u32 = 4_096;

/// An accepted socket.
pub(crate) struct SocketConnection {
    config: Arc<BrokerConfig>,
    id: SocketId,
    socket: WebSocket,
    registration: SocketRegistration,
    events: Receiver<Utf8Bytes>,
    timeouts: Timeouts,
    rate: MessageRate,
}

/// How a connection ends.
enum ConnectionEnd {
    /// The client has closed it, or it is broken.
    ClientGone,
    /// The broker closes it.
    Close(CloseReason),
}

impl From<CloseReason> for ConnectionEnd {
    fn from(reason: CloseReason) -> Self {
        Self::Close(reason)
    }
}

impl From<axum::Error> for ConnectionEnd {
    /// What was wrong with what the client sent, by the codes of RFC 6455, section 7.4.1. Or the
    /// connection is broken.
    fn from(error: axum::Error) -> Self {
        match error.into_inner().downcast::<Error>().as_deref() {
            Ok(Error::Capacity(_)) => CloseReason::MessageTooLarge.into(),
            Ok(Error::Utf8(_)) => CloseReason::InvalidUtf8.into(),
            Ok(Error::Protocol(error)) if *error != ProtocolError::ResetWithoutClosingHandshake => {
                CloseReason::ProtocolError.into()
            }
            _ => Self::ClientGone,
        }
    }
}

impl SocketConnection {
    pub(crate) fn new(
        config: Arc<BrokerConfig>,
        id: SocketId,
        socket: WebSocket,
        registration: SocketRegistration,
        events: Receiver<Utf8Bytes>,
    ) -> Self {
        let now = Instant::now();
        let timeouts = Timeouts::new(&config.limits, now);
        let rate = MessageRate::new(&config.limits, now);
        Self {
            config,
            id,
            socket,
            registration,
            events,
            timeouts,
            rate,
        }
    }

    /// Runs until the socket is closed. A socket that is being closed still counts towards the
    /// limits, unless the registry has removed it already.
    pub(crate) async fn run(&mut self) {
        let Err(end) = self.serve().await;
        if let ConnectionEnd::Close(reason) = end {
            tracing::debug!(?reason, "closing a socket");
            self.registration.count_close(reason);
        }
        let close = async {
            if let ConnectionEnd::Close(reason) = end {
                // If the client is gone, this fails, which does not matter.
                let _ = self.socket.send(Message::Close(Some(reason.frame()))).await;
            }
            // Reading on sends our half of the closing handshake and takes the client's. To drop a
            // connection with unread bytes would reset it, and the client might never see why.
            for _ in 0..MAX_READ_WHILE_CLOSING {
                let Some(Ok(_)) = self.socket.recv().await else {
                    break;
                };
            }
        };
        let _ = timeout(self.config.limits.close_within, close).await;
    }

    async fn serve(&mut self) -> Result<Infallible, ConnectionEnd> {
        self.send(server_event::connection_established(
            self.id,
            self.config.limits.activity_timeout,
        ))
        .await?;
        loop {
            tokio::select! {
                message = self.socket.recv() => self.receive(message).await?,
                event = self.events.next() => self.deliver(event).await?,
                () = sleep_until(self.timeouts.next_deadline()) => self.check_timeouts().await?,
            }
        }
    }

    async fn receive(
        &mut self,
        message: Option<Result<Message, axum::Error>>,
    ) -> Result<(), ConnectionEnd> {
        let now = Instant::now();
        if matches!(message, Some(Ok(_))) && !self.rate.allows(now) {
            return Err(CloseReason::TooManyMessages.into());
        }
        let reply = match message {
            None | Some(Ok(Message::Close(_))) => return Err(ConnectionEnd::ClientGone),
            Some(Err(error)) => return Err(error.into()),
            Some(Ok(Message::Binary(_))) => return Err(CloseReason::BinaryMessage.into()),
            // The library answers a WebSocket ping by itself.
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => None,
            Some(Ok(Message::Text(text))) => self.reply(&text),
        };
        self.timeouts.record_activity(now);
        match reply {
            Some(reply) => self.send(reply).await,
            None => Ok(()),
        }
    }

    async fn deliver(&mut self, event: Option<Utf8Bytes>) -> Result<(), ConnectionEnd> {
        match (self.registration.status(), event) {
            // It did not keep up, so it does not get the rest either.
            (SocketStatus::Removed, _) => Err(CloseReason::SlowReader.into()),
            (_, Some(event)) => self.send(event).await,
            (_, None) => Err(CloseReason::Reconnect.into()),
        }
    }

    async fn check_timeouts(&mut self) -> Result<(), ConnectionEnd> {
        match self.timeouts.expired(Instant::now()) {
            None => Ok(()),
            Some(TimeoutKind::Activity) => self.send(server_event::PING).await,
            Some(TimeoutKind::Pong) => Err(CloseReason::PongTimeout.into()),
            Some(TimeoutKind::Subscription) => Err(CloseReason::NoSubscription.into()),
        }
    }

    async fn send(&mut self, text: Utf8Bytes) -> Result<(), ConnectionEnd> {
        match timeout(
            self.config.limits.write_within,
            self.socket.send(Message::Text(text)),
        )
        .await
        {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(ConnectionEnd::ClientGone),
            Err(_) => Err(CloseReason::SlowReader.into()),
        }
    }

    fn reply(&mut self, text: &str) -> Option<Utf8Bytes> {
        match ClientMessage::parse(text) {
            Ok(ClientMessage::Ping) => Some(server_event::PONG),
            Ok(ClientMessage::Pong) => None,
            Ok(ClientMessage::Subscribe(data)) => Some(self.subscribe(&data)),
            Ok(ClientMessage::Unsubscribe { channel }) => {
                self.unsubscribe(&channel);
                None
            }
            Ok(ClientMessage::ClientEvent) => Some(server_event::error(
                Some(server_event::CLIENT_EVENT_REJECTED),
                "client events are not supported",
            )),
            Ok(ClientMessage::SignIn) => {
                Some(server_event::error(None, "user sign-in is not supported"))
            }
            Ok(ClientMessage::Unknown) => {
                Some(server_event::error(None, "this event is not supported"))
            }
            Err(MalformedMessage) => Some(server_event::error(
                None,
                "the message is not an event of this protocol",
            )),
        }
    }

    fn subscribe(&mut self, data: &SubscribeData) -> Utf8Bytes {
        let channel = match ChannelName::parse(&data.channel) {
            Ok(channel) => channel,
            Err(ChannelNameError::Unsupported) => {
                return server_event::subscription_error(
                    &data.channel,
                    SubscriptionError::UnsupportedChannel,
                );
            }
            Err(error @ ChannelNameError::Invalid) => {
                return server_event::error(None, &error.to_string());
            }
        };
        let auth = data.auth.as_deref().unwrap_or_default();
        let subscribed = match channel.is_private() {
            true if !auth::may_subscribe(&self.config, self.id, &channel, auth) => {
                Err(SubscriptionError::InvalidSignature)
            }
            false if !self.config.public_channels => Err(SubscriptionError::PublicChannel),
            _ => self
                .registration
                .subscribe(&channel)
                .map_err(|TooManySubscriptions| SubscriptionError::TooManySubscriptions),
        };
        if let Err(error) = subscribed {
            return server_event::subscription_error(channel.as_str(), error);
        }
        self.timeouts.set_subscribed(true, Instant::now());
        // Events that are published from here on are queued behind this reply.
        server_event::subscription_succeeded(&channel)
    }

    fn unsubscribe(&mut self, channel: &str) {
        if let Ok(channel) = ChannelName::parse(channel) {
            self.registration.unsubscribe(&channel);
            self.timeouts
                .set_subscribed(self.registration.has_subscriptions(), Instant::now());
        }
    }
}

/// Tells a client why it is refused. Its half of the closing handshake is not waited for: a refused
/// socket is not registered, so nothing limits how many would wait.
pub(crate) async fn refuse(mut socket: WebSocket, reason: CloseReason, limits: &Limits) {
    let close = socket.send(Message::Close(Some(reason.frame())));
    let _ = timeout(limits.write_within, close).await;
}

#[cfg(test)]
mod tests;
