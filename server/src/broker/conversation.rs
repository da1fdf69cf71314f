//! One socket's life: greeting, commands in, events out, and an end that says why.

use super::{
    auth,
    config::{BrokerConfig, Limits},
    name::{ChannelName, NameError, SocketId},
    pace::Pace,
    patience::{Overdue, Patience},
    registry::{Place, Seat, TooManySubscriptions},
    wire::{self, Command, Farewell, Malformed, Refusal, SubscribeData},
};
use axum::extract::ws::{Message, Utf8Bytes, WebSocket};
use futures_channel::mpsc::Receiver;
use futures_util::StreamExt as _;
use std::{convert::Infallible, sync::Arc};
use tokio::time::{Instant, sleep_until, timeout};
use tungstenite::{Error, error::ProtocolError};

/// Messages that are still taken in while a socket is being closed. For one that goes on flooding
/// it is just closed.
const HEARD_OUT: u32 = 4_096;

/// An admitted socket.
pub(super) struct Conversation {
    config: Arc<BrokerConfig>,
    id: SocketId,
    socket: WebSocket,
    seat: Seat,
    events: Receiver<Utf8Bytes>,
    patience: Patience,
    pace: Pace,
}

/// How a conversation ends.
enum Parting {
    /// The peer closed the connection, or there is none any more.
    Left,
    /// We close it.
    Farewell(Farewell),
}

impl From<Farewell> for Parting {
    fn from(farewell: Farewell) -> Self {
        Self::Farewell(farewell)
    }
}

impl From<axum::Error> for Parting {
    /// What was wrong with what came, by the codes of RFC 6455, section 7.4.1; or nothing came any
    /// more.
    fn from(error: axum::Error) -> Self {
        match error.into_inner().downcast::<Error>().as_deref() {
            Ok(Error::Capacity(_)) => Farewell::TooLarge.into(),
            Ok(Error::Utf8(_)) => Farewell::NotUtf8.into(),
            Ok(Error::Protocol(error)) if *error != ProtocolError::ResetWithoutClosingHandshake => {
                Farewell::ProtocolViolation.into()
            }
            _ => Self::Left,
        }
    }
}

impl Conversation {
    pub(super) fn new(
        config: Arc<BrokerConfig>,
        id: SocketId,
        socket: WebSocket,
        seat: Seat,
        events: Receiver<Utf8Bytes>,
    ) -> Self {
        let now = Instant::now();
        let patience = Patience::new(&config.limits, now);
        let pace = Pace::new(&config.limits, now);
        Self {
            config,
            id,
            socket,
            seat,
            events,
            patience,
            pace,
        }
    }

    /// Runs until the socket is closed. The seat is kept for that long, so a closing socket still
    /// takes a place, unless the registry has let go of it already.
    pub(super) async fn run(&mut self) {
        let Err(parting) = self.converse().await;
        if let Parting::Farewell(farewell) = parting {
            tracing::debug!(?farewell, "closing a socket");
            self.seat.note(farewell);
        }
        let close = async {
            if let Parting::Farewell(farewell) = parting {
                // If the peer is gone, this fails, which does not matter.
                let _ = self
                    .socket
                    .send(Message::Close(Some(farewell.frame())))
                    .await;
            }
            // Reading on sends our half of the closing handshake and takes in the peer's. Dropping
            // a connection with unread bytes would reset it, and the peer might never see why.
            for _ in 0..HEARD_OUT {
                let Some(Ok(_)) = self.socket.recv().await else {
                    break;
                };
            }
        };
        let _ = timeout(self.config.limits.close_within, close).await;
    }

    async fn converse(&mut self) -> Result<Infallible, Parting> {
        self.send(wire::connection_established(
            self.id,
            self.config.limits.activity_timeout,
        ))
        .await?;
        loop {
            tokio::select! {
                message = self.socket.recv() => self.hear(message).await?,
                event = self.events.next() => self.deliver(event).await?,
                () = sleep_until(self.patience.deadline()) => self.look_at_the_time().await?,
            }
        }
    }

    async fn hear(&mut self, message: Option<Result<Message, axum::Error>>) -> Result<(), Parting> {
        let now = Instant::now();
        if matches!(message, Some(Ok(_))) && !self.pace.allows(now) {
            return Err(Farewell::TooMuch.into());
        }
        let reply = match message {
            None | Some(Ok(Message::Close(_))) => return Err(Parting::Left),
            Some(Err(error)) => return Err(error.into()),
            Some(Ok(Message::Binary(_))) => return Err(Farewell::BinaryMessage.into()),
            // The library answers a WebSocket ping by itself.
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => None,
            Some(Ok(Message::Text(text))) => self.answer(&text),
        };
        self.patience.heard(now);
        match reply {
            Some(reply) => self.send(reply).await,
            None => Ok(()),
        }
    }

    async fn deliver(&mut self, event: Option<Utf8Bytes>) -> Result<(), Parting> {
        match (self.seat.place(), event) {
            // It did not keep up, so it does not get the rest either.
            (Place::Lost, _) => Err(Farewell::TooSlow.into()),
            (_, Some(event)) => self.send(event).await,
            (_, None) => Err(Farewell::Restarting.into()),
        }
    }

    async fn look_at_the_time(&mut self) -> Result<(), Parting> {
        match self.patience.overdue(Instant::now()) {
            None => Ok(()),
            Some(Overdue::Ping) => self.send(wire::PING).await,
            Some(Overdue::NoPong) => Err(Farewell::NoPong.into()),
            Some(Overdue::Useless) => Err(Farewell::NeverSubscribed.into()),
        }
    }

    async fn send(&mut self, text: Utf8Bytes) -> Result<(), Parting> {
        match timeout(
            self.config.limits.write_within,
            self.socket.send(Message::Text(text)),
        )
        .await
        {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Parting::Left),
            Err(_) => Err(Farewell::TooSlow.into()),
        }
    }

    fn answer(&mut self, text: &str) -> Option<Utf8Bytes> {
        match Command::parse(text) {
            Ok(Command::Ping) => Some(wire::PONG),
            Ok(Command::Pong) => None,
            Ok(Command::Subscribe(data)) => Some(self.subscribe(&data)),
            Ok(Command::Unsubscribe { channel }) => {
                self.unsubscribe(&channel);
                None
            }
            Ok(Command::ClientEvent) => Some(wire::error(
                Some(wire::CLIENT_EVENT_REJECTED),
                "client events are not supported",
            )),
            Ok(Command::SignIn) => Some(wire::error(None, "user sign-in is not supported")),
            Ok(Command::Unknown) => Some(wire::error(None, "this event is not supported")),
            Err(Malformed) => Some(wire::error(
                None,
                "the message is not an event of this protocol",
            )),
        }
    }

    fn subscribe(&mut self, data: &SubscribeData) -> Utf8Bytes {
        let channel = match ChannelName::parse(&data.channel) {
            Ok(channel) => channel,
            Err(NameError::Unsupported) => {
                return wire::subscription_refused(&data.channel, Refusal::Unsupported);
            }
            Err(error @ NameError::Invalid) => return wire::error(None, &error.to_string()),
        };
        let auth = data.auth.as_deref().unwrap_or_default();
        let refusal = match channel.is_private() {
            true if !auth::may_subscribe(&self.config, self.id, &channel, auth) => {
                Some(Refusal::NotSigned)
            }
            false if !self.config.public_channels => Some(Refusal::NotPrivate),
            _ => self
                .seat
                .subscribe(&channel)
                .err()
                .map(|TooManySubscriptions| Refusal::TooMany),
        };
        if let Some(refusal) = refusal {
            return wire::subscription_refused(channel.as_str(), refusal);
        }
        self.patience.subscribed(true, Instant::now());
        // Events published from here on are queued behind this reply.
        wire::subscription_succeeded(&channel)
    }

    fn unsubscribe(&mut self, channel: &str) {
        if let Ok(channel) = ChannelName::parse(channel) {
            self.seat.unsubscribe(&channel);
            self.patience
                .subscribed(self.seat.has_subscriptions(), Instant::now());
        }
    }
}

/// Tells a client why it is refused. Its answer is not waited for: it holds no place in the
/// registry, so waiting would not be bounded.
pub(super) async fn turn_away(mut socket: WebSocket, farewell: Farewell, limits: &Limits) {
    let close = socket.send(Message::Close(Some(farewell.frame())));
    let _ = timeout(limits.write_within, close).await;
}

#[cfg(test)]
mod tests;
