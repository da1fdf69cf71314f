//! The Pusher protocol, version 7, as it goes over a socket: names, messages in, events out, and
//! close frames.

mod client_message;
mod close_reason;
mod name;
pub(crate) mod server_event;

pub(crate) use client_message::{ClientMessage, MalformedMessage, SubscribeData};
pub(crate) use close_reason::CloseReason;
pub(crate) use name::{ChannelName, ChannelNameError, SocketId};
