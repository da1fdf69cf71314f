//! The publisher to a Pusher server: what each answer counts as, which servers it trusts, and the
//! queue before it.

mod answers;
mod certificates;
mod queue;
mod server;
mod tls;

use crate::support::soon;
use vestibule::{
    channel::Channel,
    outcome::Outcome,
    publisher::{Announcement, PusherApp, PusherError, PusherPublisher, PusherSecret, Trust},
    secret::SecretHash,
};

/// Publishes something to the server at `host`.
async fn publish(host: &str, tls: Option<Trust>) -> Result<(), PusherError> {
    let secret = PusherSecret::new("hush");
    let app = PusherApp {
        id: "1".into(),
        key: "key".into(),
        secret,
        host: host.into(),
        tls,
    };
    let channel = Channel::of(&SecretHash::from_bytes([1; 32]));
    let announcement = Announcement::Outcome(Outcome::Unavailable);
    soon(
        "the publisher",
        PusherPublisher::new(&app).publish(&[channel], &announcement),
    )
    .await
}
