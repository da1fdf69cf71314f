//! How mail leaves, and what the links in it look like.

mod content;
mod mailbox;
mod smtp;

pub use mailbox::Mailbox;
pub use smtp::{Smtp, SmtpConnection};

use crate::config::origin::Origin;
use std::sync::Arc;
use vestibule::{link::LinkToken, path::Base, secret::Keys, token::Token};

/// Where links lead.
#[derive(Clone)]
pub struct UrlBuilder {
    /// This server as browsers see it.
    pub origin: Origin,
    /// The path under which all addresses lie.
    pub base: Base,
    /// What makes tokens known as ours.
    pub keys: Arc<Keys>,
}

impl UrlBuilder {
    /// The whole address of the profile, or of what is `below` it.
    pub fn profile(&self, below: &str) -> String {
        self.whole(&format!("/profile{below}"))
    }

    /// The whole address of `link`.
    pub fn url(&self, link: &LinkToken) -> String {
        self.confirm(&link.token(&self.keys))
    }

    /// The whole address of the link with this token.
    pub fn confirm(&self, token: &Token) -> String {
        self.whole(&format!("/confirm/{}", token.expose()))
    }

    fn whole(&self, below: &str) -> String {
        format!("{}{}{below}", self.origin.as_str(), self.base.as_str())
    }
}
