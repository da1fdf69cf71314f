//! How mail leaves, and what the links in it look like.

mod content;
mod mailbox;
mod smtp;

pub use mailbox::Mailbox;
pub use smtp::{Smtp, SmtpConnection};

use crate::config::origin::Origin;
use std::sync::Arc;
use vestibule::{link::LinkToken, secret::Keys};

/// Where links lead.
#[derive(Clone)]
pub struct UrlBuilder {
    /// This server as browsers see it.
    pub origin: Origin,
    /// What makes tokens known as ours.
    pub keys: Arc<Keys>,
}

impl UrlBuilder {
    /// The whole address of the profile, or of what is `below` it.
    pub fn profile(&self, below: &str) -> String {
        format!("{}/profile{below}", self.origin.as_str())
    }

    /// The whole address of `link`.
    pub fn url(&self, link: &LinkToken) -> String {
        format!(
            "{}/confirm/{}",
            self.origin.as_str(),
            link.token(&self.keys).expose()
        )
    }
}
