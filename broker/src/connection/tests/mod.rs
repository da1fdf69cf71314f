//! What a client sees, and what a hostile one tries.

mod closing;
mod hostile;
mod slow;
mod subscriptions;

use crate::{
    Broker,
    protocol::{ChannelName, server_event},
};

fn publish(broker: &Broker, channel: &str, data: &str) {
    let channel = ChannelName::parse(channel).unwrap();
    broker.state.registry.publish(
        &channel,
        &server_event::channel_event("news", &channel, data),
        None,
    );
}

/// Lets the sockets' tasks run until they wait.
async fn settle() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}
