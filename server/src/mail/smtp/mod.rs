//! Mail over SMTP (RFC 5321): a connection for each mail, as TLS as its server is meant to be.
//!
//! A password, or a link that signs a user in, goes out only over a connection that is as safe as
//! the operator asked for: without it nothing is sent, and the mail worker tries again.

mod connection;
mod error;

pub use connection::SmtpConnection;
pub use error::SmtpError;

use super::{UrlBuilder, content::EmailContent};
use crate::config::MailConfig;
use async_trait::async_trait;
use lettre::{
    Message,
    address::Envelope,
    message::{
        Body, Mailbox, MultiPart, SinglePart,
        header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue},
    },
    transport::smtp::Error,
};
use std::sync::Arc;
use vestibule::{
    clock::Clock,
    email_address::Address,
    mail::{MailBody, MailError, MailId, Mailer},
};

/// No person has written it, so no program is to answer it (RFC 3834, section 5).
const AUTO_SUBMITTED: HeaderName = HeaderName::new_from_ascii_str("Auto-Submitted");

/// The longest line that needs no encoding, without its end (RFC 5322, section 2.1.1).
const LONGEST_LINE: usize = 998;

/// Sends mail through an SMTP server.
pub struct Smtp {
    relay: SmtpConnection,
    from: Mailbox,
    urls: UrlBuilder,
    clock: Arc<dyn Clock>,
}

/// A mail as it goes out.
struct Outgoing {
    envelope: Envelope,
    text: Vec<u8>,
}

impl Smtp {
    /// Sends through the server of `config`, with links to `urls`.
    ///
    /// # Errors
    /// [`Error`] if there can be no TLS on this machine.
    pub fn new(config: MailConfig, urls: UrlBuilder, clock: Arc<dyn Clock>) -> Result<Self, Error> {
        let MailConfig { server, from } = config;
        Ok(Self {
            relay: SmtpConnection::new(server, &urls.origin)?,
            from,
            urls,
            clock,
        })
    }

    fn write(&self, id: MailId, to: &Address, body: &MailBody) -> Result<Outgoing, SmtpError> {
        let to: lettre::Address = quoted(to.typed())
            .parse()
            .map_err(|_| SmtpError::Unsendable)?;
        let envelope = Envelope::new(Some(self.from.email.clone()), vec![to.clone()])
            .map_err(|_| SmtpError::Unsendable)?;
        let words = EmailContent::of(body, &self.urls);
        let message = Message::builder()
            .from(self.from.clone())
            .to(to.into())
            .subject(words.subject)
            // Else it is read out of the header again, where a quoted mailbox loses its quotes.
            .envelope(envelope.clone())
            .date(self.clock.now().into())
            // The same each time, so that a mail which is sent twice is known for one.
            .message_id(Some(format!("<{id}@{}>", self.relay.name())))
            .raw_header(HeaderValue::new(
                AUTO_SUBMITTED,
                "auto-generated".to_owned(),
            ));
        let parts = MultiPart::alternative().boundary(id.to_string());
        let parts = parts.singlepart(part(ContentType::TEXT_PLAIN, words.text()));
        let parts = parts.singlepart(part(ContentType::TEXT_HTML, words.html()));
        let message = message
            .multipart(parts)
            .map_err(|_| SmtpError::Unsendable)?;
        Ok(Outgoing {
            envelope,
            text: message.formatted(),
        })
    }
}

/// An address as SMTP has it: where full stops stand in places of their own, the mailbox is quoted
/// (RFC 5321, section 4.1.2).
fn quoted(address: &str) -> String {
    match address.split_once('@') {
        Some((local, domain)) if local.split('.').any(str::is_empty) => {
            format!("\"{local}\"@{domain}")
        }
        _ => address.to_owned(),
    }
}

/// A part of a mail, without any encoding where that can be: quoted-printable breaks lines in the
/// midst of a link and puts `=3D` into it, which some programs do not undo.
fn part(kind: ContentType, text: String) -> SinglePart {
    let sevenbit = text.is_ascii() && text.lines().all(|line| line.len() <= LONGEST_LINE);
    let body = if sevenbit {
        let text = text
            .lines()
            .flat_map(|line| [line, "\r\n"])
            .collect::<String>();
        Body::dangerous_pre_encoded(text.into_bytes(), ContentTransferEncoding::SevenBit)
    } else {
        Body::new(text)
    };
    SinglePart::builder().header(kind).body(body)
}

#[async_trait]
impl Mailer for Smtp {
    async fn send(&self, id: MailId, to: &Address, body: &MailBody) -> Result<(), MailError> {
        let Outgoing { envelope, text } = self.write(id, to, body)?;
        let mut connection = self.relay.connect().await?;
        connection
            .send(&envelope, &text)
            .await
            .map_err(|error| SmtpError::of(&error))?;
        connection::part(connection).await;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
