//! Mail: the server is there, is who it should be, and takes the login. Nothing is sent.

use super::DoctorReport;
use crate::{
    config::{MailConfig, origin::Origin},
    mail::SmtpConnection,
};
use std::time::Duration;
use tokio::time::timeout;

/// How long it may take.
const WITHIN: Duration = Duration::from_secs(10);

/// Tests the mail server, for a Vestibule server at `origin`.
pub async fn configured(report: &mut DoctorReport<'_>, config: MailConfig, origin: &Origin) {
    let server = config.server.to_string();
    let relay = match SmtpConnection::new(config.server, origin) {
        Ok(relay) => relay,
        Err(error) => return report.failed("mail", &format!("there can be no TLS: {error}")),
    };
    match timeout(WITHIN, relay.try_out()).await {
        Ok(Ok(())) => report.ok("mail", &server),
        Ok(Err(problem)) => report.failed("mail", &format!("{problem} ({server}, SMTP_URL)")),
        Err(_) => report.failed(
            "mail",
            &format!("the mail server does not answer ({server}, SMTP_URL)"),
        ),
    }
}
