//! Mail over SMTP (RFC 5321): a connection for each mail, as TLS as its server is meant to be.
//!
//! A password, or a link that signs somebody in, goes out only over a connection that is as safe as it was asked to be:
//! where that cannot be had, nothing is sent, and the postman tries again.

mod problem;
mod relay;

pub use problem::Problem;
pub use relay::Relay;

use super::{Landing, letter::Words};
use crate::config::MailConfig;
use async_trait::async_trait;
use lettre::{
    Message,
    address::Envelope,
    message::{
        Mailbox, MultiPart, SinglePart,
        header::{HeaderName, HeaderValue},
    },
    transport::smtp::Error,
};
use std::sync::Arc;
use vestibule::{
    clock::Clock,
    link::Address,
    mail::{Letter, MailError, MailId, Mailer},
};

/// No person has written it, so no program is to answer it (RFC 3834, section 5).
const AUTO_SUBMITTED: HeaderName = HeaderName::new_from_ascii_str("Auto-Submitted");

/// Sends mail through an SMTP server.
pub struct Smtp {
    relay: Relay,
    from: Mailbox,
    landing: Landing,
    clock: Arc<dyn Clock>,
}

/// A mail as it goes out.
struct Outgoing {
    envelope: Envelope,
    text: Vec<u8>,
}

impl Smtp {
    /// Sends through the server of `config`, with links to `landing`.
    ///
    /// # Errors
    /// [`Error`] if there can be no TLS on this machine.
    pub fn new(config: MailConfig, landing: Landing, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let MailConfig { server, from } = config;
        Ok(Self { relay: Relay::new(server, &landing.origin)?, from, landing, clock })
    }

    fn write(&self, id: MailId, to: &Address, letter: &Letter) -> Result<Outgoing, Problem> {
        let to: lettre::Address = to.as_str().parse().map_err(|_| Problem::Unsendable)?;
        let envelope = Envelope::new(Some(self.from.email.clone()), vec![to.clone()]);
        let words = Words::of(letter, &self.landing);
        let message = Message::builder()
            .from(self.from.clone())
            .to(to.into())
            .subject(words.subject)
            .date(self.clock.now().into())
            // The same each time, so that a mail which is sent twice is known for one.
            .message_id(Some(format!("<{id}@{}>", self.relay.name())))
            .raw_header(HeaderValue::new(AUTO_SUBMITTED, "auto-generated".to_owned()));
        let parts = MultiPart::alternative().boundary(id.to_string());
        let parts = parts.singlepart(SinglePart::plain(words.text())).singlepart(SinglePart::html(words.html()));
        let message = message.multipart(parts).map_err(|_| Problem::Unsendable)?;
        Ok(Outgoing { envelope: envelope.map_err(|_| Problem::Unsendable)?, text: message.formatted() })
    }
}

#[async_trait]
impl Mailer for Smtp {
    async fn send(&self, id: MailId, to: &Address, letter: &Letter) -> Result<(), MailError> {
        let Outgoing { envelope, text } = self.write(id, to, letter)?;
        let mut connection = self.relay.connect().await?;
        connection.send(&envelope, &text).await.map_err(|error| Problem::of(&error))?;
        relay::part(connection).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
