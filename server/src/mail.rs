//! How mail leaves, and what the links in it look like.

mod letter;
mod mailbox;
mod smtp;

pub use mailbox::Mailbox;
pub use smtp::{Relay, Smtp};

use std::sync::Arc;
use vestibule::{link::LinkToken, secret::Keys};

/// Where links lead.
#[derive(Clone)]
pub struct Address {
    /// This server as browsers see it, such as `https://sign-in.example`.
    pub origin: String,
    /// What makes tokens known as ours.
    pub keys: Arc<Keys>,
}

impl Address {
    /// The host that people know this server by.
    #[must_use]
    pub fn host(&self) -> &str {
        self.origin.split_once("://").map_or("", |(_, host)| host)
    }

    /// The address of `link`.
    #[must_use]
    pub fn of(&self, link: &LinkToken) -> String {
        format!("{}/confirm/{}", self.origin, link.token(&self.keys).expose())
    }
}
