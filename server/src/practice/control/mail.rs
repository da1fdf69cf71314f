//! `GET /practice/mail`: the mails that were sent, the newest first.

use super::{Control, ControlProblem};
use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
};
use serde::Deserialize;
use serde_json::{Value, json};
use vestibule::email_address::{Address, InvalidAddress};
use vestibule_app::pages::PracticeMail;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailQuery {
    /// The recipient; without one, all are told.
    to: Option<String>,
}

pub async fn list(
    State(control): State<Control>,
    query: Result<Query<MailQuery>, QueryRejection>,
) -> Result<Json<Vec<Value>>, ControlProblem> {
    let Query(MailQuery { to }) = query?;
    let to = to
        .map(|to| to.parse::<Address>())
        .transpose()
        .map_err(|error: InvalidAddress| ControlProblem::invalid(format!("to: {error}")))?;
    let mailbox = control.app.mailbox.as_ref().ok_or_else(|| {
        ControlProblem::not_found("mail goes to SMTP_URL; without that, practice mode keeps it")
    })?;
    let is_theirs = |mail: &PracticeMail| {
        let recipient = mail.to.parse::<Address>();
        to.as_ref()
            .is_none_or(|to| recipient.is_ok_and(|recipient| recipient.as_str() == to.as_str()))
    };
    let mails = mailbox.numbered().into_iter();
    let theirs = mails.filter(|(_, mail)| is_theirs(mail));
    Ok(Json(theirs.map(|(id, mail)| object(id, mail)).collect()))
}

fn object(id: u64, mail: PracticeMail) -> Value {
    json!({
        "id": id,
        "to": mail.to,
        "subject": mail.subject,
        "text": mail.lead,
        "link": mail.action.map(|(url, _)| url),
        "code": mail.code,
    })
}
