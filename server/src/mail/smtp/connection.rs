//! A connection to the mail server, as TLS as it is meant to be, and signed in to.

use super::SmtpError;
use crate::config::{Encryption, SmtpServer, origin::Origin};
use lettre::transport::smtp::{
    Error,
    authentication::DEFAULT_MECHANISMS,
    client::{AsyncSmtpConnection, TlsParameters},
    extension::ClientId,
};
use std::{fmt, time::Duration};
use tokio::time::timeout;
use url::{Host, Url};

/// How long a server may take to answer QUIT. It has accepted the mail by then, so nothing depends
/// on it.
const GOODBYE: Duration = Duration::from_secs(1);

/// The mail server, and what this server calls itself to it.
pub struct SmtpConnection {
    server: SmtpServer,
    tls: TlsParameters,
    name: ClientId,
}

impl SmtpConnection {
    /// The way to `server`, for a Vestibule server at `origin`.
    ///
    /// # Errors
    /// [`Error`] if there can be no TLS on this machine.
    pub fn new(server: SmtpServer, origin: &Origin) -> Result<Self, Error> {
        let tls = TlsParameters::new(server.host.clone())?;
        Ok(Self {
            server,
            tls,
            name: name(origin),
        })
    }

    /// What this server calls itself: its host without the port.
    pub fn name(&self) -> impl fmt::Display {
        &self.name
    }

    /// Connects and signs in, but sends no mail.
    ///
    /// # Errors
    /// [`SmtpError`] says what is in the way.
    pub async fn try_out(&self) -> Result<(), SmtpError> {
        part(self.connect().await?).await;
        Ok(())
    }

    /// Connects and signs in.
    ///
    /// # Errors
    /// [`SmtpError`] says what is in the way.
    pub async fn connect(&self) -> Result<AsyncSmtpConnection, SmtpError> {
        let SmtpServer {
            host,
            port,
            encryption,
            login,
        } = &self.server;
        let tls = (*encryption == Encryption::Tls).then(|| self.tls.clone());
        let connecting = AsyncSmtpConnection::connect_tokio1(
            (host.as_str(), *port),
            None,
            &self.name,
            tls,
            None,
        );
        let mut connection = connecting.await.map_err(|error| SmtpError::of(&error))?;
        if *encryption == Encryption::StartTls {
            if !connection.can_starttls() {
                return Err(SmtpError::NoStartTls);
            }
            connection
                .starttls(self.tls.clone(), &self.name)
                .await
                .map_err(|error| SmtpError::of(&error))?;
        }
        if let Some(login) = login {
            if connection
                .server_info()
                .get_auth_mechanism(DEFAULT_MECHANISMS)
                .is_none()
            {
                return Err(SmtpError::NoLogin);
            }
            connection
                .auth(DEFAULT_MECHANISMS, login)
                .await
                .map_err(|error| SmtpError::of(&error))?;
        }
        Ok(connection)
    }
}

/// Sends QUIT.
pub async fn part(mut connection: AsyncSmtpConnection) {
    let _ = timeout(GOODBYE, connection.abort()).await;
}

fn name(origin: &Origin) -> ClientId {
    match Url::parse(origin.as_str())
        .ok()
        .as_ref()
        .and_then(Url::host)
    {
        Some(Host::Domain(name)) => ClientId::Domain(name.to_owned()),
        Some(Host::Ipv4(ip)) => ClientId::Ipv4(ip),
        Some(Host::Ipv6(ip)) => ClientId::Ipv6(ip),
        None => ClientId::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_known_by_a_number_says_so_as_mail_has_it() {
        for (origin, told) in [
            ("https://sign-in.example:8443", "sign-in.example"),
            ("http://127.0.0.1:3000", "[127.0.0.1]"),
            ("http://[::1]:3000", "[IPv6:::1]"),
        ] {
            assert_eq!(name(&Origin::parse(origin).unwrap()).to_string(), told);
        }
    }
}
